#include "demos/firbank/bench/loopback/fractional_delay.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace firbank::program {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr auto kSpread = static_cast<std::ptrdiff_t>(kDelaySpreadFrames);

/// The delay's response, `distance` frames from its middle, which is no whole number.
double tap(double distance) {
  const double window = 0.5 + 0.5 * std::cos(kPi * distance / static_cast<double>(kSpread));
  return window * std::sin(kPi * distance) / (kPi * distance);
}

/// Adds `gain` times the signal to the sum, `frames` later; what falls outside is cut.
void add(std::span<const double> signal, double gain, std::ptrdiff_t frames,
         std::span<double> sum) {
  const auto size = static_cast<std::ptrdiff_t>(signal.size());
  const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(frames, 0, size);
  const std::ptrdiff_t last = std::clamp<std::ptrdiff_t>(size + frames, 0, size);
  for (std::ptrdiff_t n = first; n < last; ++n) {
    sum[static_cast<std::size_t>(n)] += gain * signal[static_cast<std::size_t>(n - frames)];
  }
}

}  // namespace

std::vector<double> delayed(std::span<const double> signal, double frames) {
  const double whole = std::floor(frames);
  const double fraction = frames - whole;
  const auto shift = static_cast<std::ptrdiff_t>(whole);
  std::vector<double> result(signal.size());
  if (fraction == 0) {
    add(signal, 1, shift, result);
    return result;
  }
  for (std::ptrdiff_t k = 1 - kSpread; k <= kSpread; ++k) {
    add(signal, tap(static_cast<double>(k) - fraction), shift + k, result);
  }
  return result;
}

}  // namespace firbank::program
