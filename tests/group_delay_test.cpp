// Group delay, against the phase of the frequency response.
#include "engine/group_delay.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

using test::Random;

/// The definition: -d(phase)/d(omega), as Re(F{k h} / F{h}).
double delay_at(const std::vector<double>& taps, double omega) {
  std::complex<double> response = 0;
  std::complex<double> ramped = 0;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    const auto turn = std::polar(1.0, -omega * static_cast<double>(k));
    response += taps[k] * turn;
    ramped += static_cast<double>(k) * taps[k] * turn;
  }
  return (ramped / response).real();
}

TEST(GroupDelay, IsTheMiddleOfSymmetricTaps) {
  Random random(5);
  for (std::uint64_t turn = 0; turn < 100; ++turn) {
    std::vector<double> taps = test::random_taps(random, test::between(random, 1, 60));
    const std::size_t size = taps.size();
    const double sign = turn % 2 == 0 ? 1 : -1;
    for (std::size_t k = 0; k < size; ++k) taps[size - 1 - k] = sign * taps[k];
    if (sign < 0 && size % 2 == 1) taps[size / 2] = 0;
    if (size == 1 && sign < 0) continue;
    const std::size_t before = test::between(random, 0, 9);
    std::vector<double> shifted(before, 0.0);
    shifted.insert(shifted.end(), taps.begin(), taps.end());
    shifted.resize(shifted.size() + test::between(random, 0, 9));
    const GroupDelay delay = group_delay(shifted);
    EXPECT_TRUE(delay.is_constant) << "seed 5, turn " << turn;
    EXPECT_NEAR(delay.frames, static_cast<double>(before) + static_cast<double>(size - 1) / 2,
                1e-12);
    EXPECT_NEAR(delay.frames, delay_at(shifted, 0.7), 1e-6) << "seed 5, turn " << turn;
  }
}

TEST(GroupDelay, OfOthersIsTheMeanWeightedByPower) {
  Random random(6);
  for (std::uint64_t turn = 0; turn < 20; ++turn) {
    const std::vector<double> taps = test::random_taps(random, test::between(random, 2, 50));
    double moment = 0;
    double power = 0;
    constexpr int kPoints = 4'096;
    for (int k = 0; k < kPoints; ++k) {
      const double omega = 2 * std::numbers::pi * k / kPoints;
      std::complex<double> response = 0;
      for (std::size_t n = 0; n < taps.size(); ++n) {
        response += taps[n] * std::polar(1.0, -omega * static_cast<double>(n));
      }
      moment += std::norm(response) * delay_at(taps, omega);
      power += std::norm(response);
    }
    const GroupDelay delay = group_delay(taps);
    EXPECT_FALSE(delay.is_constant) << "seed 6, turn " << turn;
    EXPECT_NEAR(delay.frames, moment / power, 1e-6) << "seed 6, turn " << turn;
  }
  EXPECT_EQ(group_delay(std::vector<double>{0, 0}).frames, 0);
  EXPECT_EQ(group_delay(std::vector<double>{0, 3e-200}).frames, 1);
}

TEST(GroupDelay, OfAnOutputCountsItsEdges) {
  const FilterBank bank({{1, 2, 1}, {1, 0, 0, 0, 1}, {1, 0.5}});
  const Routing routing(2, 5,
                        {{.input = 0, .filter = 0, .output = 0, .delay = 10},
                         {.input = 0, .filter = 0, .output = 1, .delay = 1},
                         {.input = 1, .filter = 1, .output = 1},
                         {.input = 0, .filter = 0, .output = 2},
                         {.input = 1, .filter = 1, .output = 2, .gain = 3},
                         {.input = 0, .filter = 2, .output = 3}});
  EXPECT_EQ(group_delay(bank, routing, 0).frames, 11);
  EXPECT_TRUE(group_delay(bank, routing, 0).is_constant);
  EXPECT_EQ(group_delay(bank, routing, 1).frames, 2) << "1 + 1, and 2";
  EXPECT_TRUE(group_delay(bank, routing, 1).is_constant);
  const GroupDelay mixed = group_delay(bank, routing, 2);
  EXPECT_FALSE(mixed.is_constant);
  EXPECT_NEAR(mixed.frames, (6 * 1 + 9 * 2 * 2) / (6 + 9 * 2.0), 1e-12);
  EXPECT_NEAR(group_delay(bank, routing, 3).frames, 0.2, 1e-12);
  EXPECT_EQ(group_delay(bank, routing, 4).frames, 0);
}

// A symmetric and an antisymmetric filter of one input are one filter, which is neither; and what
// an output hears nothing of does not count.
TEST(GroupDelay, OfAnOutputIsThatOfWhatItHears) {
  const FilterBank bank({{0.5, 0, 0.5}, {0.5, 0, -0.5}, {0, 0}, {0, 0, 1}});
  const Routing routing(2, 3,
                        {{.input = 0, .filter = 0, .output = 0},
                         {.input = 0, .filter = 1, .output = 0},
                         {.input = 0, .filter = 2, .output = 1},
                         {.input = 1, .filter = 3, .output = 1, .delay = 5},
                         {.input = 0, .filter = 0, .output = 2, .delay = 7},
                         {.input = 0, .filter = 0, .output = 2, .gain = -1, .delay = 9}});
  EXPECT_EQ(group_delay(bank, routing, 0).frames, 0) << "{1, 0, 0}";
  EXPECT_TRUE(group_delay(bank, routing, 0).is_constant);
  EXPECT_EQ(group_delay(bank, routing, 1).frames, 7);
  EXPECT_TRUE(group_delay(bank, routing, 1).is_constant);
  EXPECT_EQ(group_delay(bank, routing, 2).frames, 9) << "{1, 0, 0, 0, -1} / 2 behind 7";
  EXPECT_TRUE(group_delay(bank, routing, 2).is_constant);
}

// What lies outside of the core has at most a thousandth of a response's energy, at both ends half.
TEST(CoreTaps, HoldAllButAThousandthOfEveryResponse) {
  using Core = std::pair<std::size_t, std::size_t>;
  const auto core = [](const std::vector<double>& taps, std::size_t delay = 0) {
    const IndexRange range = core_taps(FilterBank({taps}), Routing(1, 1, {{.delay = delay}}));
    return Core(range.first, range.last);
  };
  EXPECT_EQ(core({1}), Core(0, 1));
  EXPECT_EQ(core({0, 0, 3, 0}), Core(2, 3));
  EXPECT_EQ(core({0.01, 1, 0.01}), Core(1, 2));
  EXPECT_EQ(core({0.03, 1, 0.02}), Core(0, 2)) << "0.0009 and 0.0004 of the energy";
  EXPECT_EQ(core({1, 1, 1}, 7), Core(7, 10));
  EXPECT_EQ(core({0, 0}), Core(0, 0));

  const FilterBank bank({{0, 0, 1}, {1, 1, 1, 1}, {0, 0, 0}});
  const IndexRange all = core_taps(bank, Routing(2, 2,
                                                 {{.filter = 0},
                                                  {.input = 1, .filter = 1, .delay = 9},
                                                  {.filter = 1, .output = 1, .gain = 0},
                                                  {.filter = 2, .output = 1}}));
  EXPECT_EQ(all.first, 2u);
  EXPECT_EQ(all.last, 13u);
}

}  // namespace
}  // namespace firbank
