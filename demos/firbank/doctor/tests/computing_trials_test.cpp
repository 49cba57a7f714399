#include "demos/firbank/doctor/computing_trials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

TrialRules brief() {
  TrialRules rules;
  rules.repeats = 3;
  rules.repeat_ns = 20'000'000;
  return rules;
}

void expect_figures(const std::optional<Trial>& trial) {
  ASSERT_TRUE(trial);
  EXPECT_GE(trial->count, 3u);
  EXPECT_GT(trial->median.as_it_is_us, 0);
  EXPECT_GT(trial->median.changed_us, 0);
}

TEST(ComputingTrials, MeasureBothSides) {
  expect_figures(try_locked_memory(brief()));
  expect_figures(try_subnormals(brief()));
}

TEST(ComputingTrials, PagesThatAreThereAreTouchedSooner) {
  if (!program_json()["sanitizer"].is_null()) GTEST_SKIP() << "sanitizers ignore mlockall";
  // A fault takes longer than a write by far, on whatever machine: the factor is tens.
  const auto trial = try_locked_memory(brief());
  ASSERT_TRUE(trial);
  EXPECT_LT(trial->median.changed_us, trial->median.as_it_is_us);
}

TEST(ComputingTrials, HugePagesNeedAKernelThatGivesThem) {
  const SystemTree tells_nothing;
  EXPECT_FALSE(try_huge_pages(brief(), tells_nothing.files()));
  SystemTree has_given_none;
  has_given_none.write("/proc/self/smaps_rollup", "AnonHugePages:         0 kB\n");
  EXPECT_FALSE(try_huge_pages(brief(), has_given_none.files()));
}

TEST(ComputingTrials, AreNoneWhenTheyAreStopped) {
  TrialRules rules = brief();
  rules.stopped = [] { return true; };
  EXPECT_FALSE(try_locked_memory(rules));
  EXPECT_FALSE(try_huge_pages(rules, SystemFiles()));
  EXPECT_FALSE(try_subnormals(rules));
}

}  // namespace
}  // namespace firbank::program
