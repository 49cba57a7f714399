#include "demos/firbank/doctor/wake_up_trials.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>

#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/doctor/latency_request.hpp"

namespace firbank::program {
namespace {

TrialRules brief() {
  TrialRules rules;
  rules.repeats = 3;
  rules.repeat_ns = 20'000'000;
  return rules;
}

void expect_wake_ups(const std::optional<Trial>& trial) {
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->count, 3u * 18);  // a tenth of 20 is left out of each repeat
  EXPECT_GE(trial->median.as_it_is_us, 0);
  EXPECT_GE(trial->median.changed_us, 0);
}

TEST(WakeUpTrials, MeasureBothSidesAndLeaveTheThreadAsItWas) {
  const int slack_ns = prctl(PR_GET_TIMERSLACK);
  expect_wake_ups(try_timer_slack(brief()));
  expect_wake_ups(try_spinning(brief()));
  EXPECT_EQ(prctl(PR_GET_TIMERSLACK), slack_ns);
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(WakeUpTrials, AreMadeWhereTheyArePermitted) {
  const bool real_time = is_permitted({.priority = 70, .lock_memory = false, .processor = {}});
  const auto trial = try_real_time(brief());
  EXPECT_EQ(trial.has_value(), real_time);
  if (trial) expect_wake_ups(trial);
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);

  const LatencyRequest request;
  EXPECT_EQ(request.granted(), request.why_not().empty());
  EXPECT_EQ(try_shallow_idle(brief()).has_value(), request.granted());
}

TEST(WakeUpTrials, AreNoneWhenTheyAreStopped) {
  TrialRules rules = brief();
  int asked = 0;
  rules.stopped = [&] { return ++asked > 30; };
  EXPECT_FALSE(try_spinning(rules));
  EXPECT_FALSE(try_timer_slack(rules));
}

}  // namespace
}  // namespace firbank::program
