#include "engine/filter_gain.hpp"

#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace firbank {
namespace {

using Complex = std::complex<double>;

/// In place, a power of two of points: decimation in frequency, so that bin k ends up at the
/// bit-reversed place of k.
void transform(std::vector<Complex>& points) {
  for (std::size_t half = points.size() / 2; half > 0; half /= 2) {
    std::vector<Complex> twiddle(half);
    for (std::size_t k = 0; k < half; ++k) {
      twiddle[k] =
          std::polar(1.0, -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half));
    }
    for (std::size_t block = 0; block < points.size(); block += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const Complex a = points[block + k];
        const Complex b = points[block + half + k];
        points[block + k] = a + b;
        points[block + half + k] = (a - b) * twiddle[k];
      }
    }
  }
}

std::size_t bit_reversed(std::size_t index, std::size_t points) {
  std::size_t result = 0;
  for (std::size_t bit = 1; bit < points; bit *= 2, index /= 2) result = 2 * result + index % 2;
  return result;
}

}  // namespace

FilterGain filter_gain(std::span<const double> taps) {
  std::vector<Complex> points(std::bit_ceil(4 * taps.size()));
  FilterGain gain;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    points[k] = taps[k];
    gain.tap_sum += std::abs(taps[k]);
  }
  transform(points);
  std::size_t loudest = 0;
  for (std::size_t place = 1; place < points.size(); ++place) {
    if (std::norm(points[place]) > std::norm(points[loudest])) loudest = place;
  }
  gain.peak = std::abs(points[loudest]);
  const double bin = static_cast<double>(bit_reversed(loudest, points.size()));
  const double frequency = bin / static_cast<double>(points.size());
  gain.frequency = frequency > 0.5 ? 1 - frequency : frequency;
  return gain;
}

FilterGain loudest_filter(const FilterBank& bank) {
  FilterGain loudest;
  for (std::size_t filter = 0; filter < bank.size(); ++filter) {
    FilterGain gain = filter_gain(bank.taps(filter));
    gain.filter = filter;
    if (filter == 0 || gain.peak > loudest.peak) loudest = gain;
  }
  return loudest;
}

FilterBank scaled_to_peak(const FilterBank& bank, double peak) {
  const double now = loudest_filter(bank).peak;
  if (now == 0) return bank;
  std::vector<std::vector<double>> filters;
  std::vector<std::string> names;
  for (std::size_t filter = 0; filter < bank.size(); ++filter) {
    const std::span<const double> taps = bank.taps(filter);
    filters.emplace_back(taps.begin(), taps.end());
    for (double& tap : filters.back()) tap *= peak / now;
    names.push_back(bank.name(filter));
  }
  return FilterBank(std::move(filters), std::move(names));
}

}  // namespace firbank
