#include "demos/firbank/doctor/trial.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using testing::ElementsAre;

/// A repeat for each value, which is its median.
std::vector<std::vector<double>> repeats(const std::vector<double>& medians) {
  std::vector<std::vector<double>> all;
  for (const double median : medians) all.push_back({median - 0.5, median, median + 0.5});
  return all;
}

bool shown(const std::vector<double>& as_it_is, const std::vector<double>& changed) {
  return judge_trial({}, repeats(as_it_is), repeats(changed)).shown();
}

TEST(Trial, FiguresAreMediansOfRepeats) {
  const Trial trial = judge_trial({"work", "a", "b"}, repeats({50, 54, 52, 90, 48, 50}),
                                  repeats({10, 12, 14, 11, 13, 10}));
  EXPECT_EQ(trial.median.as_it_is_us, 50);
  EXPECT_EQ(trial.median.as_it_is_spread_us, 3);  // of 48 to 54: the highest repeat is left out
  EXPECT_EQ(trial.median.changed_us, 11);
  EXPECT_EQ(trial.median.saved_us(), 39);
  EXPECT_EQ(trial.count, 18u);
  EXPECT_FALSE(trial.p99);
  EXPECT_TRUE(trial.shown());
  EXPECT_TRUE(trial.is_worth_it());
}

TEST(Trial, OneRepeatThatWasDisturbedDecidesNothing) {
  EXPECT_TRUE(shown({50, 51, 52, 53, 54, 55}, {10, 11, 12, 13, 14, 500}));
  EXPECT_TRUE(shown({10, 11, 12, 13, 14, 500}, {50, 51, 52, 53, 54, 55}));
  EXPECT_FALSE(shown({50, 51, 52, 53, 54, 55}, {10, 11, 12, 13, 60, 61}));
}

TEST(Trial, WhatLiesWithinTheRepeatsSpreadIsNotShown) {
  EXPECT_FALSE(shown({10, 20, 30, 10, 20, 30}, {11, 19, 29, 9, 21, 31}));
  EXPECT_FALSE(shown({10, 10, 10, 10, 10, 10}, {10, 10, 10, 10, 10, 10}));
  // Too few repeats show nothing, however far they are apart.
  EXPECT_FALSE(shown({10, 11}, {500, 501}));
  EXPECT_FALSE(shown({10}, {500}));
}

TEST(Trial, ChanceShowsADifferenceOnceIn66Times) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  std::exponential_distribution<double> lateness(0.1);  // with a tail, as lateness has
  const auto six = [&] {
    std::vector<double> medians;
    for (int n = 0; n < 6; ++n) medians.push_back(10 + lateness(random));
    return medians;
  };
  constexpr int kTrials = 20'000;
  int times = 0;
  for (int n = 0; n < kTrials; ++n) times += shown(six(), six());
  // 14 of the 924 orders of six and six; five standard deviations of such a count.
  EXPECT_NEAR(times, kTrials * 14.0 / 924, 90) << "seed " << kSeed;
}

TEST(Trial, SmallOrAdverseDifferencesAreWorthNothing) {
  const auto worth = [](double as_it_is, double changed) {
    const std::vector<double> a(6, as_it_is), b(6, changed);
    const Trial trial = judge_trial({}, repeats(a), repeats(b));
    EXPECT_TRUE(trial.shown()) << as_it_is << " and " << changed;
    return trial.is_worth_it();
  };
  EXPECT_TRUE(worth(50, 10));
  EXPECT_FALSE(worth(10, 50));
  EXPECT_FALSE(worth(100, 95));    // not a tenth
  EXPECT_FALSE(worth(2.0, 1.25));  // not a microsecond
}

TEST(Trial, TheTailNeedsManyValues) {
  std::vector<double> values;
  for (int n = 0; n < 199; ++n) values.push_back(n < 190 ? 5 : 100 + n);
  EXPECT_FALSE(judge_trial({}, {values, values, values}, {values, values, values}).p99);
  values.push_back(1000);
  const Trial trial = judge_trial({}, {values, values, values}, {values, values, values});
  ASSERT_TRUE(trial.p99);
  EXPECT_EQ(trial.p99->as_it_is_us, 100 + 197);  // the 198th of 200
  EXPECT_EQ(&trial.telling(), &*trial.p99);
}

TEST(Trial, TheMedianTellsWhereItAloneShowsADifference) {
  std::vector<std::vector<double>> low, high;
  for (int n = 0; n < 6; ++n) {
    low.emplace_back(200, 5.0);
    high.emplace_back(200, 50.0);
    // The tails of both sides are alike.
    for (int k = 0; k < 5; ++k) low.back().push_back(100 + n), high.back().push_back(100 + n);
  }
  const Trial trial = judge_trial({}, high, low);
  ASSERT_TRUE(trial.p99);
  EXPECT_FALSE(trial.p99->shown);
  EXPECT_EQ(&trial.telling(), &trial.median);
  EXPECT_TRUE(trial.is_worth_it());
}

TEST(Trial, SidesTakeTurnsAndTurnsAreSwapped) {
  std::string order;
  std::size_t told = 0;
  TrialRules rules;
  rules.repeats = 3;
  rules.repeat_was_made = [&] { ++told; };
  const auto noting = [&](char side) {
    return [&order, side](std::vector<double>& values) {
      order += side;
      values.push_back(1);
    };
  };
  EXPECT_TRUE(run_trial({}, noting('a'), noting('b'), rules));
  EXPECT_EQ(order, "abbaab");
  EXPECT_EQ(told, 6u);
}

TEST(Trial, IsNoneWhenItIsStoppedOrMeasuresNothing) {
  int made = 0;
  TrialRules rules;
  rules.stopped = [&] { return made >= 4; };
  const Repeat counts = [&](std::vector<double>& values) { values.push_back(++made); };
  EXPECT_FALSE(run_trial({}, counts, counts, rules));
  EXPECT_EQ(made, 4);
  rules.stopped = nullptr;
  EXPECT_FALSE(run_trial(
      {}, counts, [](std::vector<double>&) {}, rules));
  rules.repeats = 0;
  EXPECT_FALSE(run_trial({}, counts, counts, rules));
}

TEST(Rounded, HasNoMoreDigitsThanTheSpreadLeaves) {
  EXPECT_EQ(rounded(63.42, 3.1), "63");
  EXPECT_EQ(rounded(63.42, 31), "60");
  EXPECT_EQ(rounded(63.42, 0.2), "63.4");
  EXPECT_EQ(rounded(63.42, 0), "63.4");
  EXPECT_EQ(rounded(5.126, 0.08), "5.13");
  EXPECT_EQ(rounded(0.4849, 0.1), "0.5");
  EXPECT_EQ(rounded(4321, 1), "4320");
  EXPECT_EQ(rounded(42, 5000), "40");
  EXPECT_EQ(rounded(9.96, 0.1), "10.0");
  EXPECT_EQ(rounded(-12.34, 1), "-12");
  EXPECT_EQ(rounded(0, 1), "0");
}

}  // namespace
}  // namespace firbank::program
