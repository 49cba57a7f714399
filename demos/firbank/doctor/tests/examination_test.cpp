#include "demos/firbank/doctor/examination.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::ElementsAre;

/// One that shows that the change makes `as_it_is_us` `changed_us`.
Trial invented(double as_it_is_us, double changed_us, bool shown = true) {
  Trial trial;
  trial.count = 6;
  trial.median = {0.5, as_it_is_us, changed_us, 0, 0, shown};
  return trial;
}

Reading with_trial(const char* name, ReadingState state, std::optional<Trial> trial) {
  Reading reading(name, name);
  reading.state = state;
  reading.trial = std::move(trial);
  return reading;
}

ReadingState decided(ReadingState state, std::optional<Trial> trial) {
  Reading reading = with_trial("any", state, std::move(trial));
  let_trial_decide(reading);
  return reading.state;
}

TEST(Trials, DecideWhatReadingsCannot) {
  EXPECT_EQ(decided(ReadingState::kGood, invented(50, 10)), ReadingState::kCosts);
  EXPECT_EQ(decided(ReadingState::kCosts, invented(50, 10)), ReadingState::kCosts);
  EXPECT_EQ(decided(ReadingState::kUnknown, invented(50, 10)), ReadingState::kCosts);
  EXPECT_EQ(decided(ReadingState::kCosts, invented(50, 10, false)), ReadingState::kGood);
  EXPECT_EQ(decided(ReadingState::kCosts, invented(10, 50)), ReadingState::kGood);
  EXPECT_EQ(decided(ReadingState::kAbsent, invented(10, 50)), ReadingState::kAbsent);
  EXPECT_EQ(decided(ReadingState::kCosts, {}), ReadingState::kCosts);
}

TEST(Readings, TheDearestComesFirstAndTheGoodLast) {
  std::vector<Reading> readings = {
      with_trial("good", ReadingState::kGood, invented(900, 1)),
      with_trial("absent", ReadingState::kAbsent, {}),
      with_trial("unknown", ReadingState::kUnknown, {}),
      with_trial("cheap", ReadingState::kCosts, invented(20, 10)),
      with_trial("untried", ReadingState::kCosts, {}),
      with_trial("not shown", ReadingState::kCosts, invented(500, 10, false)),
      with_trial("dear", ReadingState::kCosts, invented(90, 10))};
  sort_readings(readings);
  std::vector<std::string> names;
  for (const Reading& one : readings) names.push_back(one.name);
  EXPECT_THAT(names,
              ElementsAre("dear", "cheap", "untried", "not shown", "unknown", "absent", "good"));
}

ExaminationPlan brief(const SystemFiles& files) {
  ExaminationPlan plan{.files = files, .rules = {}, .progress = {}};
  plan.rules.repeats = 3;
  plan.rules.repeat_ns = 5'000'000;
  return plan;
}

TEST(Examination, OfAMachineThatTellsNothingHasEveryReading) {
  const SystemTree tree;
  ExaminationPlan plan = brief(tree.files());
  std::size_t last = 0;
  plan.progress = [&](std::size_t done, std::size_t all) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, all);
    EXPECT_EQ(all, 7u * 6);
    last = done;
  };
  const Examination examination = examine(plan);
  EXPECT_EQ(last, 42u);
  std::set<std::string> names;
  for (const Reading& one : examination.readings) {
    names.insert(one.name);
    EXPECT_NE(one.text, "") << one.name;
    EXPECT_NE(one.title, "") << one.name;
    EXPECT_TRUE(one.state != ReadingState::kCosts || !one.advice.empty()) << one.name;
  }
  EXPECT_EQ(names.size(), examination.readings.size());
  EXPECT_EQ(names.size(), 24u);
  EXPECT_TRUE(examination.usable);
  EXPECT_THAT(examination.reasons, ElementsAre("what other programs did meanwhile is not known"));
}

TEST(Examination, ThatIsStoppedStillReadsAndSaysSo) {
  ExaminationPlan plan = brief(SystemFiles());
  plan.rules.stopped = [] { return true; };
  const Examination examination = examine(plan);
  EXPECT_FALSE(examination.usable);
  EXPECT_THAT(examination.reasons, testing::Contains("stopped before all trials were made"));
  EXPECT_EQ(examination.readings.size(), 24u);
  for (const Reading& one : examination.readings) EXPECT_FALSE(one.trial) << one.name;
}

}  // namespace
}  // namespace firbank::program
