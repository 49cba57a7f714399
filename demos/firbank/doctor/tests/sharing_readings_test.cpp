#include "demos/firbank/doctor/sharing_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(ProcessorTicks, AreOfAllProcessors) {
  SystemTree tree;
  EXPECT_FALSE(processor_ticks(tree.files()));
  tree.write("/proc/stat", "cpu  1 2 3 100 10 4 5 7 50 60\ncpu0 9 9 9 9 9 9 9 9 9 9\n");
  const auto ticks = processor_ticks(tree.files());
  ASSERT_TRUE(ticks);
  EXPECT_EQ(ticks->busy, 15u);  // guests' are part of users'
  EXPECT_EQ(ticks->stolen, 7u);
  EXPECT_EQ(ticks->idle, 110u);
  EXPECT_EQ(ticks->all(), 132u);
  for (const char* garbage : {"", "cpu", "cpu 1 2 3", "cpu 1 2 3 4 5 6 7 x", "cpu 1 2 3 4 5 6 7 -8",
                              "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 99999999999999999999"}) {
    tree.write("/proc/stat", garbage);
    EXPECT_FALSE(processor_ticks(tree.files())) << garbage;
  }
}

TEST(ProcessorTicks, DifferencesNeedEnoughOfThem) {
  const ProcessorTicks begin{100, 10, 1000};
  EXPECT_FALSE(ticks_between(begin, ProcessorTicks{140, 10, 1059}));
  const auto passed = ticks_between(begin, ProcessorTicks{150, 20, 1040});
  ASSERT_TRUE(passed);
  EXPECT_EQ(passed->busy, 50u);
  EXPECT_EQ(passed->stolen, 10u);
  EXPECT_EQ(passed->idle, 40u);
  EXPECT_FALSE(ticks_between(begin, ProcessorTicks{50, 10, 2000}));
  EXPECT_FALSE(ticks_between({}, begin));
  EXPECT_FALSE(ticks_between(begin, {}));
}

TEST(Others, AreWhatIsNeitherIdleNorOwn) {
  const auto tick_rate = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_NEAR(percent_of_others({50, 10, 40}, 0), 60, 1e-9);
  EXPECT_NEAR(percent_of_others({50, 10, 40}, 20 / tick_rate), 40, 1e-9);
  EXPECT_EQ(percent_of_others({50, 0, 50}, 60 / tick_rate), 0);
}

TEST(Hypervisor, CostsWhereThereIsOne) {
  SystemTree tree;
  EXPECT_EQ(hypervisor_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/cpuinfo", "flags : fpu sse2\n");
  EXPECT_EQ(hypervisor_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/cpuinfo", "flags : fpu hypervisor\n");
  EXPECT_EQ(hypervisor_reading(tree.files()).state, ReadingState::kCosts);
  tree.write("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  EXPECT_THAT(hypervisor_reading(tree.files()).text, HasSubstr("yes, QEMU"));
}

TEST(StolenTime, IsAShareOfWhatPassed) {
  EXPECT_EQ(stolen_time_reading({}).state, ReadingState::kUnknown);
  EXPECT_EQ(stolen_time_reading(ProcessorTicks{500, 0, 500}).state, ReadingState::kGood);
  const Reading little = stolen_time_reading(ProcessorTicks{500, 1, 2'832});
  EXPECT_EQ(little.state, ReadingState::kGood);
  EXPECT_THAT(little.text, HasSubstr("0.03%"));
  const Reading some = stolen_time_reading(ProcessorTicks{500, 123, 377});
  EXPECT_EQ(some.state, ReadingState::kCosts);
  EXPECT_THAT(some.text, HasSubstr("12.3%"));
}

TEST(Load, IsComparedWithTheProcessors) {
  SystemTree tree;
  EXPECT_EQ(load_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/loadavg", "1.00 0.50 0.25 1/80 42\n");
  EXPECT_EQ(load_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/sys/devices/system/cpu/online", "0-1\n");
  EXPECT_EQ(load_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/loadavg", "128.41 0.50 0.25 1/80 42\n");
  const Reading high = load_reading(tree.files());
  EXPECT_EQ(high.state, ReadingState::kCosts);
  EXPECT_THAT(high.text, HasSubstr("128 tasks"));
  EXPECT_THAT(high.text, HasSubstr("2 processors"));
  tree.write("/proc/loadavg", "many\n");
  EXPECT_EQ(load_reading(tree.files()).state, ReadingState::kUnknown);
}

TEST(Pressure, CostsFromAFewPercentOn) {
  SystemTree tree;
  EXPECT_EQ(pressure_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/pressure/cpu", "some avg10=4.34 avg60=2.83 avg300=3.08 total=5\n");
  EXPECT_EQ(pressure_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/pressure/cpu", "some avg10=99.51 avg60=2.83 avg300=3.08 total=5\n");
  EXPECT_EQ(pressure_reading(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(pressure_reading(tree.files()).text, HasSubstr("99.5%"));
  tree.write("/proc/pressure/cpu", "some avg10=\n");
  EXPECT_EQ(pressure_reading(tree.files()).state, ReadingState::kUnknown);
}

TEST(CgroupQuota, CostsAndCountsHowOftenItStopped) {
  SystemTree tree;
  EXPECT_EQ(cgroup_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/self/status", "Name: firbank\n");
  EXPECT_EQ(cgroup_reading(tree.files()).state, ReadingState::kAbsent);
  tree.write("/proc/self/cgroup", "0::/box\n");
  tree.write("/sys/fs/cgroup/box/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/sys/fs/cgroup/box/cpu.max", "150000 100000\n");
  const Reading limited = cgroup_reading(tree.files());
  EXPECT_EQ(limited.state, ReadingState::kCosts);
  EXPECT_THAT(limited.text, HasSubstr("1.5 processors"));
  EXPECT_THAT(limited.text, testing::Not(HasSubstr("so far")));
  tree.write("/sys/fs/cgroup/box/cpu.stat", "nr_periods 40\nnr_throttled 3\nthrottled_usec 9\n");
  EXPECT_THAT(cgroup_reading(tree.files()).text, HasSubstr("3 times so far"));
  tree.write("/sys/fs/cgroup/box/cpu.stat", "nr_throttled");
  EXPECT_EQ(cgroup_reading(tree.files()).state, ReadingState::kCosts);
}

TEST(Interrupts, AreMovedByIrqbalance) {
  SystemTree tree;
  EXPECT_EQ(interrupt_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/1/comm", "systemd\n");
  tree.write("/proc/self/comm", "irqbalance\n");
  EXPECT_EQ(interrupt_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/77/comm", "irqbalance\n");
  EXPECT_EQ(interrupt_reading(tree.files()).state, ReadingState::kCosts);
}

}  // namespace
}  // namespace firbank::program
