// The peak of a filter's frequency response, against its definition.
#include "engine/filter_gain.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

double magnitude(std::span<const double> taps, double frequency) {
  std::complex<double> sum = 0;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    sum += taps[k] * std::polar(1.0, -2 * std::numbers::pi * frequency * static_cast<double>(k));
  }
  return std::abs(sum);
}

TEST(FilterGain, OfSimpleFiltersIsKnown) {
  EXPECT_DOUBLE_EQ(filter_gain(std::vector<double>{-0.5}).peak, 0.5);
  const FilterGain mean = filter_gain(std::vector<double>{0.5, 0.5});
  EXPECT_NEAR(mean.peak, 1.0, 1e-12);
  EXPECT_EQ(mean.frequency, 0);
  const FilterGain difference = filter_gain(std::vector<double>{1, -1});
  EXPECT_NEAR(difference.peak, 2.0, 1e-12);
  EXPECT_EQ(difference.frequency, 0.5);
  EXPECT_EQ(difference.tap_sum, 2.0);
  EXPECT_EQ(filter_gain(std::vector<double>{0, 0, 0}).peak, 0);
}

TEST(FilterGain, IsThePeakOfTheResponse) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    test::Random random(seed);
    const std::vector<double> taps = test::random_taps(random, test::between(random, 1, 200));
    double most = 0;
    for (int i = 0; i <= 10'000; ++i) most = std::max(most, magnitude(taps, i / 20'000.0));
    const FilterGain gain = filter_gain(taps);
    EXPECT_NEAR(gain.peak, magnitude(taps, gain.frequency), 1e-9);
    EXPECT_LE(gain.peak, most * (1 + 1e-3));
    EXPECT_GE(gain.peak, most * std::pow(10, -1 / 20.0));
    EXPECT_GE(gain.tap_sum, gain.peak);
  }
}

TEST(FilterGain, ScalesTheLoudestFilterToThePeak) {
  const FilterBank bank({{1.0, 1.0}, {3.0, -3.0}, {0.5}}, {"a", "b", "c"});
  EXPECT_EQ(loudest_filter(bank).filter, 1u);
  const FilterBank scaled = scaled_to_peak(bank, 0.5);
  EXPECT_NEAR(loudest_filter(scaled).peak, 0.5, 1e-12);
  EXPECT_NEAR(scaled.taps(0)[0], 1.0 / 12, 1e-12) << "one factor for all";
  EXPECT_EQ(scaled.name(2), "c");
  EXPECT_EQ(scaled_to_peak(FilterBank({{0.0}}), 1).taps(0)[0], 0);
}

}  // namespace
}  // namespace firbank
