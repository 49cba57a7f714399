#include "tests/support/signals.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace firbank::test {
namespace {

// The first frame that is NaN in one only, or off by much more than the limit.
std::size_t first_difference(std::span<const double> actual, std::span<const double> oracle,
                             double limit) {
  double power = 0;
  for (const double sample : oracle) power += std::isnan(sample) ? 0 : sample * sample;
  const double rms = std::sqrt(power / static_cast<double>(oracle.size()));
  for (std::size_t n = 0; n < oracle.size(); ++n) {
    if (std::isnan(actual[n]) != std::isnan(oracle[n])) return n;
    if (std::abs(actual[n] - oracle[n]) > 10 * limit * rms) return n;
  }
  return oracle.size();
}

}  // namespace

testing::AssertionResult follows(const Signal& actual, const Signal& oracle, double limit) {
  if (actual.size() != oracle.size()) {
    return testing::AssertionFailure() << actual.size() << " channels instead of " << oracle.size();
  }
  for (std::size_t channel = 0; channel < oracle.size(); ++channel) {
    const std::span<const double> a = actual[channel];
    const std::span<const double> b = oracle[channel];
    if (a.size() != b.size()) {
      return testing::AssertionFailure()
             << "channel " << channel << " has " << a.size() << " frames instead of " << b.size();
    }
    const double error = relative_error(a, b);
    if (error <= limit) continue;
    auto failure = testing::AssertionFailure();
    failure << "channel " << channel << ": relative error " << error << " ("
            << 20 * std::log10(error) << " dB), allowed are " << limit;
    const std::size_t n = first_difference(a, b, limit);
    if (n < b.size()) failure << "; first at frame " << n << ": " << a[n] << " instead of " << b[n];
    return failure;
  }
  return testing::AssertionSuccess();
}

Signal cut(const Signal& signal, std::size_t first, std::size_t frames) {
  Signal part(signal.size(), std::vector<double>(frames, 0.0));
  for (std::size_t channel = 0; channel < signal.size(); ++channel) {
    for (std::size_t n = 0; n < frames && first + n < signal[channel].size(); ++n) {
      part[channel][n] = signal[channel][first + n];
    }
  }
  return part;
}

Signal joined(Signal a, const Signal& b) {
  for (std::size_t channel = 0; channel < a.size(); ++channel) {
    a[channel].insert(a[channel].end(), b[channel].begin(), b[channel].end());
  }
  return a;
}

}  // namespace firbank::test
