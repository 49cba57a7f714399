#include "demos/firbank/doctor/processor_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kProcessors = "/sys/devices/system/cpu/";
constexpr const char* kGarbage[] = {"", "\n", "nonsense", "-", "\xff\xfe\x01", "1 2 3"};

TEST(Governor, CostsUnlessItIsPerformance) {
  SystemTree tree;
  EXPECT_EQ(governor_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write(kProcessors + "cpu0/online", "1\n");
  EXPECT_EQ(governor_reading(tree.files()).state, ReadingState::kAbsent);
  tree.write(kProcessors + "cpufreq/policy0/scaling_governor", "schedutil\n");
  tree.write(kProcessors + "cpufreq/policy0/scaling_driver", "acpi-cpufreq\n");
  const Reading slow = governor_reading(tree.files());
  EXPECT_EQ(slow.state, ReadingState::kCosts);
  EXPECT_THAT(slow.text, HasSubstr("schedutil, of acpi-cpufreq"));
  EXPECT_THAT(slow.advice, HasSubstr("cpupower frequency-set -g performance"));
  tree.write(kProcessors + "cpufreq/policy0/scaling_governor", "performance\n");
  EXPECT_EQ(governor_reading(tree.files()).state, ReadingState::kGood);
  tree.write(kProcessors + "cpufreq/policy1/scaling_governor", "powersave\n");
  EXPECT_EQ(governor_reading(tree.files()).state, ReadingState::kCosts);
  // A processor that chooses for itself is asked by its preference.
  tree.write(kProcessors + "cpufreq/policy0/energy_performance_preference", "performance\n");
  EXPECT_EQ(governor_reading(tree.files()).state, ReadingState::kGood);
}

void write_state(SystemTree& tree, int number, const char* name, const char* exit_us) {
  const std::string folder = kProcessors + "cpu0/cpuidle/state" + std::to_string(number);
  tree.write(folder + "/name", name);
  tree.write(folder + "/latency", exit_us);
}

TEST(IdleStates, TheDeepestThatIsAllowedCounts) {
  SystemTree tree;
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kUnknown);
  tree.write(kProcessors + "cpu0/online", "1\n");
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kAbsent);
  write_state(tree, 0, "POLL\n", "0\n");
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kGood);
  write_state(tree, 1, "C1E\n", "10\n");
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kGood);
  write_state(tree, 2, "C6\n", "133\n");
  const Reading deep = idle_reading(tree.files(), "");
  EXPECT_EQ(deep.state, ReadingState::kCosts);
  EXPECT_THAT(deep.text, HasSubstr("C6, 133 us"));
  EXPECT_THAT(deep.advice, HasSubstr(R"(printf '\0\0\0\0' >&9)"));
  EXPECT_THAT(deep.advice, Not(HasSubstr("udev")));
  EXPECT_THAT(idle_reading(tree.files(), "Permission denied").advice, HasSubstr("udevadm"));
  tree.write(kProcessors + "cpu0/cpuidle/state2/disable", "1\n");
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kGood);
}

TEST(IdleStates, GarbageIsNoState) {
  for (const char* garbage : kGarbage) {
    SystemTree tree;
    write_state(tree, 0, "C6\n", garbage);
    EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kAbsent) << garbage;
  }
  SystemTree tree;
  write_state(tree, 0, "C6\n", "-7\n");
  EXPECT_EQ(idle_reading(tree.files(), "").state, ReadingState::kAbsent);
}

TEST(Siblings, CostWhereTheyAreOn) {
  SystemTree tree;
  EXPECT_EQ(sibling_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write(kProcessors + "smt/active", "1\n");
  EXPECT_EQ(sibling_reading(tree.files()).state, ReadingState::kCosts);
  tree.write(kProcessors + "smt/active", "0\n");
  tree.write(kProcessors + "smt/control", "off\n");
  EXPECT_EQ(sibling_reading(tree.files()).state, ReadingState::kGood);
  tree.write(kProcessors + "smt/control", "notsupported\n");
  EXPECT_EQ(sibling_reading(tree.files()).state, ReadingState::kAbsent);
  for (const char* garbage : kGarbage) {
    tree.write(kProcessors + "smt/active", garbage);
    EXPECT_EQ(sibling_reading(tree.files()).state, ReadingState::kUnknown) << garbage;
  }
}

TEST(Isolation, NamesTheProcessors) {
  SystemTree tree;
  EXPECT_EQ(isolation_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write(kProcessors + "isolated", "\n");
  EXPECT_EQ(isolation_reading(tree.files()).state, ReadingState::kAbsent);
  tree.write(kProcessors + "isolated", "2-3\n");
  EXPECT_EQ(isolation_reading(tree.files()).state, ReadingState::kGood);
  EXPECT_THAT(isolation_reading(tree.files()).text, HasSubstr("taskset -c 3"));
  tree.write(kProcessors + "isolated", "nonsense\n");
  EXPECT_EQ(isolation_reading(tree.files()).state, ReadingState::kUnknown);
}

TEST(Preemption, IsByTheKernelsBuildAndMode) {
  SystemTree tree;
  const char* const version = "/proc/sys/kernel/version";
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write(version, "#1 SMP PREEMPT_RT Debian 6.1\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kGood);
  tree.write(version, "#1 SMP Debian 6.1\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kCosts);
  tree.write(version, "#1 SMP PREEMPT Debian 6.1\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kGood);
  tree.write(version, "#1 SMP PREEMPT_DYNAMIC Debian 6.1\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/cmdline", "quiet preempt=voluntary\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kCosts);
  tree.write("/sys/kernel/debug/sched/preempt", "none voluntary (full) lazy\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/sys/kernel/debug/sched/preempt", "(none) voluntary full\n");
  EXPECT_EQ(preemption_reading(tree.files()).state, ReadingState::kCosts);
}

TEST(TimerSlack, CostsFromAFewMicrosecondsOn) {
  SystemTree tree;
  const char* const slack = "/proc/self/timerslack_ns";
  EXPECT_EQ(timer_slack_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write(slack, "50000\n");
  EXPECT_EQ(timer_slack_reading(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(timer_slack_reading(tree.files()).text, HasSubstr("50 us"));
  tree.write(slack, "1\n");
  EXPECT_EQ(timer_slack_reading(tree.files()).state, ReadingState::kGood);
  for (const char* garbage : kGarbage) {
    tree.write(slack, garbage);
    EXPECT_EQ(timer_slack_reading(tree.files()).state, ReadingState::kUnknown) << garbage;
  }
}

TEST(Clock, CostsWhereItIsASystemCall) {
  SystemTree tree;
  ClockFacts clock;
  clock.read_ns = 21.4;
  EXPECT_EQ(clock_reading(tree.files(), clock).state, ReadingState::kGood);
  EXPECT_EQ(clock_reading(tree.files(), clock).text, "of unknown source, 21 ns a reading");
  clock.read_ns = 812;
  EXPECT_THAT(clock_reading(tree.files(), clock).advice, Not(HasSubstr("echo tsc")));
  const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
  tree.write(folder + "current_clocksource", "hpet\n");
  tree.write(folder + "available_clocksource", "tsc hpet acpi_pm\n");
  const Reading slow = clock_reading(tree.files(), clock);
  EXPECT_EQ(slow.state, ReadingState::kCosts);
  EXPECT_EQ(slow.text, "hpet, 812 ns a reading");
  EXPECT_THAT(slow.advice, HasSubstr("echo tsc"));
}

}  // namespace
}  // namespace firbank::program
