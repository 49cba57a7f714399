#include "demos/firbank/bench/fractional_delay.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace firbank::program {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr auto kSpread = static_cast<std::ptrdiff_t>(kDelaySpreadFrames);

/// The delay's response, `distance` frames from its middle, which is no whole number.
double tap(double distance) {
  const double angle = kPi * distance / static_cast<double>(kSpread);
  const double window = 0.42 + 0.5 * std::cos(angle) + 0.08 * std::cos(2 * angle);
  return window * std::sin(kPi * distance) / (kPi * distance);
}

}  // namespace

std::vector<double> delayed(std::span<const double> signal, double frames) {
  const double whole = std::floor(frames);
  const double fraction = frames - whole;
  const auto shift = static_cast<std::ptrdiff_t>(whole);
  const auto size = static_cast<std::ptrdiff_t>(signal.size());
  std::vector<double> result(signal.size());
  if (fraction == 0) {
    const std::ptrdiff_t kept = std::max<std::ptrdiff_t>(size - shift, 0);
    std::copy_n(signal.begin(), kept, result.end() - kept);
    return result;
  }
  std::vector<double> taps;
  for (std::ptrdiff_t k = 1 - kSpread; k <= kSpread; ++k) {
    taps.push_back(tap(static_cast<double>(k) - fraction));
  }
  for (std::ptrdiff_t n = 0; n < size; ++n) {
    double sum = 0;
    for (std::ptrdiff_t k = 1 - kSpread; k <= kSpread; ++k) {
      const std::ptrdiff_t from = n - shift - k;
      if (from < 0 || from >= size) continue;
      sum +=
          taps[static_cast<std::size_t>(k + kSpread - 1)] * signal[static_cast<std::size_t>(from)];
    }
    result[static_cast<std::size_t>(n)] = sum;
  }
  return result;
}

}  // namespace firbank::program
