#include "engine/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The definition, word for word, in extended precision.
Signal by_definition(const Signal& in, const FilterBank& bank, const Routing& routing,
                     std::size_t frames) {
  Signal out(routing.outputs(), std::vector<double>(frames, 0.0));
  for (std::size_t n = 0; n < frames; ++n) {
    std::vector<long double> sums(routing.outputs(), 0.0L);
    for (const Edge& edge : routing.edges()) {
      const auto taps = bank.taps(edge.filter);
      for (std::size_t k = 0; k < taps.size() && edge.delay + k <= n; ++k) {
        const std::size_t m = n - edge.delay - k;
        if (m >= in[edge.input].size()) continue;
        const double x = in[edge.input][m];
        sums[edge.output] += std::isfinite(x) ? static_cast<long double>(edge.gain) * taps[k] * x
                                              : static_cast<long double>(kNan);
      }
    }
    for (std::size_t o = 0; o < sums.size(); ++o) out[o][n] = static_cast<double>(sums[o]);
  }
  return out;
}

TEST(Reference, FollowsTheDefinition) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const FilterBank bank = test::random_bank(
        random, {1, 2, 63, 64, 65, test::between(random, 100, 700), 1 + seed * 13});
    const Routing routing = test::random_routing(random, 3, 4, bank.size(), 9, 90);
    Signal in = test::random_signal(random, 3, test::between(random, 1, 900));
    if (seed % 3 == 0) {
      for (int i = 0; i < 3; ++i) {
        auto& channel = in[test::between(random, 0, 2)];
        channel[test::between(random, 0, channel.size() - 1)] = i == 0 ? kNan : -kInfinity;
      }
    }
    const std::size_t frames = test::between(random, 1, 1'200);
    EXPECT_TRUE(test::follows(direct_convolution(in, bank, routing, frames),
                              by_definition(in, bank, routing, frames), 1e-15));
  }
}

TEST(Reference, SpoilsExactlyTheFramesThatTheSampleReaches) {
  const FilterBank bank({{1, 0, 0, 0}});
  const Routing routing(1, 1, {{.delay = 2}});
  const Signal out =
      direct_convolution({{1, 1, kInfinity, 1, 1, 1, 1, 1, 1, 1}}, bank, routing, 10);
  for (std::size_t n = 0; n < 10; ++n) {
    EXPECT_EQ(std::isnan(out[0][n]), n >= 4 && n <= 7) << "frame " << n;
  }
}

TEST(Reference, IsExactForLongSumsOfOneSign) {
  // Equal products add up their rounding errors in one running sum.
  const std::size_t taps = std::size_t{1} << 15;
  const FilterBank bank({std::vector<double>(taps, 0.1)});
  const Signal in{std::vector<double>(taps, 0.3)};
  const Signal out = direct_convolution(in, bank, Routing::rows(1, 1), taps);
  const double expected =
      static_cast<double>(static_cast<long double>(0.1) * 0.3 * static_cast<long double>(taps));
  EXPECT_NEAR(out[0].back() / expected, 1.0, 1e-14);
}

TEST(RelativeError, MeasuresTheDifference) {
  const std::vector<double> b{3, 4};
  EXPECT_EQ(relative_error(b, b), 0.0);
  EXPECT_DOUBLE_EQ(relative_error(std::vector<double>{3, 4.5}, b), 0.1);
  EXPECT_EQ(relative_error(std::vector<double>{0, 0}, std::vector<double>{0, 0}), 0.0);
  EXPECT_EQ(relative_error(std::vector<double>{0, 1}, std::vector<double>{0, 0}), kInfinity);
  EXPECT_EQ(relative_error(std::vector<double>{3}, b), kInfinity);
}

TEST(RelativeError, WantsNanExactlyWhereItBelongs) {
  const std::vector<double> b{3, kNan, 4};
  EXPECT_EQ(relative_error(b, b), 0.0);
  EXPECT_EQ(relative_error(std::vector<double>{3, 1, 4}, b), kInfinity);
  EXPECT_EQ(relative_error(std::vector<double>{kNan, kNan, 4}, b), kInfinity);
}

TEST(RelativeError, TakesTheWorstChannel) {
  const Signal b{{3, 4}, {0, 5}};
  EXPECT_DOUBLE_EQ(relative_error(Signal{{3, 4.5}, {0, 4}}, b), 0.2);
  EXPECT_EQ(relative_error(Signal{{3, 4}}, b), kInfinity);
}

}  // namespace
}  // namespace firbank
