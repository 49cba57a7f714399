// A line through measured points, by least squares.
//
// Thread: any.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace firbank::program {

struct LineFit {
  double slope = 0;
  double slope_error = 0;  // standard error, where the points err alike and by chance
  double spread = 0;       // of the points about the line: the highest less the lowest
};

/// Nothing with fewer than three points, or where all x are one. Precondition: as many y as x.
inline std::optional<LineFit> fit_line(std::span<const double> x, std::span<const double> y) {
  const auto count = static_cast<double>(x.size());
  if (x.size() < 3) return std::nullopt;
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t n = 0; n < x.size(); ++n) {
    mean_x += x[n] / count;
    mean_y += y[n] / count;
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t n = 0; n < x.size(); ++n) {
    xx += (x[n] - mean_x) * (x[n] - mean_x);
    xy += (x[n] - mean_x) * (y[n] - mean_y);
  }
  if (xx == 0) return std::nullopt;
  LineFit fit;
  fit.slope = xy / xx;
  double squares = 0;
  double lowest = 0;
  double highest = 0;
  for (std::size_t n = 0; n < x.size(); ++n) {
    const double about = y[n] - mean_y - fit.slope * (x[n] - mean_x);
    squares += about * about;
    lowest = n == 0 ? about : std::min(lowest, about);
    highest = n == 0 ? about : std::max(highest, about);
  }
  fit.slope_error = std::sqrt(squares / (count - 2) / xx);
  fit.spread = highest - lowest;
  return fit;
}

}  // namespace firbank::program
