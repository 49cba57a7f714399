#include "demos/firbank/bench/loopback/band_limited_peak.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace firbank::program {
namespace {

constexpr double kPi = std::numbers::pi;

bool less_in_magnitude(double a, double b) {
  return std::abs(a) < std::abs(b);
}

}  // namespace

double band_limited(std::span<const double> period, double t) {
  const auto count = static_cast<double>(period.size());
  const double nearest = std::round(t);
  const double wrapped = nearest - count * std::floor(nearest / count);
  const auto middle = static_cast<std::size_t>(wrapped);
  const double fraction = t - nearest;
  if (fraction == 0) return period[middle];
  // sin(pi (t - n)) is that of the fraction, with a sign that alternates; N being odd, it does so
  // on both sides of the middle.
  const auto half = static_cast<std::ptrdiff_t>(period.size() / 2);
  const auto size = static_cast<std::ptrdiff_t>(period.size());
  double sum = 0;
  double sign = half % 2 == 0 ? 1 : -1;
  for (std::ptrdiff_t offset = -half; offset <= half; ++offset, sign = -sign) {
    std::ptrdiff_t at = static_cast<std::ptrdiff_t>(middle) + offset;
    if (at < 0) at += size;
    if (at >= size) at -= size;
    const double distance = fraction - static_cast<double>(offset);
    sum += sign * period[static_cast<std::size_t>(at)] / std::sin(kPi * distance / count);
  }
  return sum * std::sin(kPi * fraction) / count;
}

BandLimitedPeak band_limited_peak(std::span<const double> period) {
  const auto largest = std::max_element(period.begin(), period.end(), less_in_magnitude);
  const auto sample = static_cast<double>(largest - period.begin());
  const double sign = *largest < 0 ? -1 : 1;
  const auto height = [&](double t) { return sign * band_limited(period, t); };

  // Golden section: the interval shrinks to 1e-7 samples, finer than which a maximum is flat.
  constexpr double kShare = std::numbers::phi - 1;
  double low = sample - 1;
  double high = sample + 1;
  double left = high - kShare * (high - low);
  double right = low + kShare * (high - low);
  double left_height = height(left);
  double right_height = height(right);
  while (high - low > 1e-7) {
    if (left_height > right_height) {
      high = right;
      right = left;
      right_height = left_height;
      left = high - kShare * (high - low);
      left_height = height(left);
    } else {
      low = left;
      left = right;
      left_height = right_height;
      right = low + kShare * (high - low);
      right_height = height(right);
    }
  }
  const double position = (low + high) / 2;
  return {position, band_limited(period, position)};
}

}  // namespace firbank::program
