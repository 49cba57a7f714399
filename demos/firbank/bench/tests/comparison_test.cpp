// Bootstrap intervals and what is decided by them.
#include "demos/firbank/bench/compare/comparison.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

/// Rounds of two contestants, the second one slower by `ratio`: both wander together, as on a
/// machine whose load changes, and each has noise of its own, with far values now and then.
struct Rounds {
  std::vector<double> a;
  std::vector<double> b;
};

Rounds make_rounds(std::size_t count, double ratio, double noise, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Rounds rounds;
  double load = 0;
  const auto one = [&] {
    const double outlier = uniform(random) < 0.05 ? uniform(random) : 0;
    return 1'000 * std::exp(load + noise * normal(random) + outlier);
  };
  for (std::size_t n = 0; n < count; ++n) {
    load = 0.9 * load + 0.1 * normal(random);
    rounds.a.push_back(one());
    rounds.b.push_back(ratio * one());
  }
  return rounds;
}

TEST(PairedRatio, HoldsTheTruthAsOftenAsItSays) {
  // 400 trials at 90 %: 360 expected, standard deviation 6; a bootstrap of few rounds is a little
  // too sure of itself.
  constexpr std::size_t kTrials = 400;
  std::size_t held = 0;
  for (std::size_t trial = 0; trial < kTrials; ++trial) {
    const Rounds rounds = make_rounds(40, 1.2, 0.03, 100 + trial);
    const RatioInterval interval =
        paired_ratio(rounds.a, rounds.b, {.confidence = 0.9, .draws = 500, .seed = trial});
    EXPECT_LE(interval.low, interval.ratio);
    EXPECT_GE(interval.high, interval.ratio);
    held += interval.low <= 1.2 && interval.high >= 1.2 ? 1 : 0;
  }
  EXPECT_GE(held, 330u);
  EXPECT_LE(held, 385u);
}

TEST(PairedRatio, SeesFivePercentAndDoesNotCryWolf) {
  const ComparisonRule rule;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Rounds slower = make_rounds(50, 1.05, 0.02, seed);
    EXPECT_EQ(decide(paired_ratio(slower.a, slower.b, {}), rule), ComparisonVerdict::kSlower)
        << seed;
    EXPECT_EQ(decide(paired_ratio(slower.b, slower.a, {}), rule), ComparisonVerdict::kFaster)
        << seed;
    const Rounds same = make_rounds(50, 1, 0.02, seed);
    EXPECT_EQ(decide(paired_ratio(same.a, same.b, {}), rule), ComparisonVerdict::kNoDifferenceShown)
        << seed;
  }
}

TEST(PairedRatio, IsTheSameWheneverItIsAsked) {
  const Rounds rounds = make_rounds(20, 1.1, 0.1, 3);
  const RatioInterval first = paired_ratio(rounds.a, rounds.b, {});
  const RatioInterval second = paired_ratio(rounds.a, rounds.b, {});
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
}

TEST(PairedRatio, OneRoundHasNoWidth) {
  const std::vector<double> a = {2};
  const std::vector<double> b = {3};
  const RatioInterval interval = paired_ratio(a, b, {});
  EXPECT_NEAR(interval.ratio, 1.5, 1e-12);
  EXPECT_NEAR(interval.low, 1.5, 1e-12);
  EXPECT_NEAR(interval.high, 1.5, 1e-12);
}

TEST(UnpairedRatio, ComparesMedians) {
  const std::vector<double> a = {90, 100, 110, 1'000};
  const std::vector<double> b = {200, 210, 220};
  const RatioInterval interval = unpaired_ratio(a, b, {});
  EXPECT_NEAR(interval.ratio, 210.0 / 105, 1e-12);
  EXPECT_LE(interval.low, 200.0 / 110);
  EXPECT_GE(interval.high, 2.2);
}

TEST(Decision, NeedsTheIntervalAndTheSize) {
  ComparisonRule rule;
  EXPECT_EQ(decide({1.05, 1.02, 1.08}, rule), ComparisonVerdict::kSlower);
  EXPECT_EQ(decide({1.05, 0.99, 1.11}, rule), ComparisonVerdict::kNoDifferenceShown);
  EXPECT_EQ(decide({1.005, 1.004, 1.006}, rule), ComparisonVerdict::kNoDifferenceShown);
  EXPECT_EQ(decide({0.9, 0.85, 0.95}, rule), ComparisonVerdict::kFaster);
  rule.less_is_better = false;
  EXPECT_EQ(decide({0.9, 0.85, 0.95}, rule), ComparisonVerdict::kSlower);
  EXPECT_EQ(decide({1.05, 1.02, 1.08}, rule), ComparisonVerdict::kFaster);
}

TEST(Interleave, TurnsRoundInEveryOtherRound) {
  std::vector<std::size_t> order;
  const auto rounds = interleave(3, 2, [&](std::size_t contestant, double& value) {
    order.push_back(contestant);
    value = static_cast<double>(10 * contestant);
    return true;
  });
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 2, 1, 0));
  EXPECT_THAT(rounds, testing::ElementsAre(testing::ElementsAre(0, 10, 20),
                                           testing::ElementsAre(0, 10, 20)));
}

TEST(Interleave, KeepsWholeRoundsOnly) {
  std::size_t runs = 0;
  const auto rounds =
      interleave(2, 5, [&](std::size_t, double& value) { return value = 1, ++runs < 4; });
  EXPECT_EQ(rounds.size(), 1u);
}

}  // namespace
}  // namespace firbank::program
