#include "demos/firbank/doctor/rights_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

constexpr const char* kLimits =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max locked memory         8388608              8388608              bytes     \n"
    "Max realtime priority     0                    0                    \n";
constexpr const char* kWideLimits =
    "Max locked memory         unlimited            unlimited            bytes     \n"
    "Max realtime priority     95                   95                   \n";
constexpr const char* kNoCapability = "Name:\tfirbank\nCapEff:\t0000000000000000\n";
constexpr const char* kAllCapabilities = "Name:\tfirbank\nCapEff:\t000001ffffffffff\n";
const Grant kGranted{"SCHED_FIFO, priority 70", true, ""};
const Grant kRefused{"SCHED_FIFO, priority 70", false, "no right to it"};

TEST(RealTimeRight, IsWhatWasGranted) {
  SystemTree tree;
  tree.write("/proc/self/limits", kLimits);
  tree.write("/proc/self/status", kNoCapability);
  const Reading refused = real_time_right(tree.files(), kRefused);
  EXPECT_EQ(refused.state, ReadingState::kCosts);
  EXPECT_THAT(refused.text, HasSubstr("RLIMIT_RTPRIO is 0"));
  EXPECT_THAT(refused.advice, HasSubstr("rtprio 95"));
  EXPECT_THAT(refused.advice, HasSubstr("Costs: "));
  EXPECT_EQ(real_time_right(tree.files(), kGranted).state, ReadingState::kGood);

  // A group of the kernel's may refuse what the limits allow.
  tree.write("/proc/self/limits", kWideLimits);
  EXPECT_EQ(real_time_right(tree.files(), kRefused).state, ReadingState::kCosts);
  EXPECT_THAT(real_time_right(tree.files(), kGranted).text, HasSubstr("RLIMIT_RTPRIO 95"));
}

TEST(RealTimeRight, IsGuessedByLimitsWhereItWasNotTried) {
  SystemTree tree;
  EXPECT_EQ(real_time_right(tree.files(), {}).state, ReadingState::kUnknown);
  tree.write("/proc/self/limits", kLimits);
  EXPECT_EQ(real_time_right(tree.files(), {}).state, ReadingState::kCosts);
  tree.write("/proc/self/status", kAllCapabilities);
  EXPECT_THAT(real_time_right(tree.files(), {}).text, HasSubstr("CAP_SYS_NICE"));
  tree.write("/proc/self/status", kNoCapability);
  tree.write("/proc/self/limits", kWideLimits);
  EXPECT_EQ(real_time_right(tree.files(), {}).state, ReadingState::kGood);
  for (const char* garbage : {"", "Max realtime priority", "Max realtime priority  many\n"}) {
    tree.write("/proc/self/limits", garbage);
    EXPECT_EQ(real_time_right(tree.files(), {}).state, ReadingState::kUnknown) << garbage;
  }
}

TEST(MemoryLockRight, NeedsRoomForAllOfIt) {
  SystemTree tree;
  EXPECT_EQ(memory_lock_right(tree.files(), {}).state, ReadingState::kUnknown);
  tree.write("/proc/self/limits", kLimits);
  tree.write("/proc/self/status", kNoCapability);
  const Reading narrow = memory_lock_right(tree.files(), kGranted);
  EXPECT_EQ(narrow.state, ReadingState::kCosts);
  EXPECT_THAT(narrow.text, HasSubstr("8.0 MiB"));
  EXPECT_THAT(narrow.advice, HasSubstr("memlock unlimited"));
  const Reading refused = memory_lock_right(tree.files(), kRefused);
  EXPECT_EQ(refused.state, ReadingState::kCosts);
  EXPECT_THAT(refused.text, HasSubstr("refused"));
  tree.write("/proc/self/status", kAllCapabilities);
  EXPECT_EQ(memory_lock_right(tree.files(), kGranted).state, ReadingState::kGood);
  tree.write("/proc/self/status", kNoCapability);
  tree.write("/proc/self/limits", kWideLimits);
  EXPECT_EQ(memory_lock_right(tree.files(), kGranted).state, ReadingState::kGood);
  tree.write("/proc/self/status", "CapEff: garbage\n");
  tree.write("/proc/self/limits", "garbage");
  EXPECT_EQ(memory_lock_right(tree.files(), {}).state, ReadingState::kUnknown);
}

TEST(RealTimeShare, IsOfThePeriod) {
  SystemTree tree;
  const char* const runtime = "/proc/sys/kernel/sched_rt_runtime_us";
  const char* const period = "/proc/sys/kernel/sched_rt_period_us";
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kUnknown);
  tree.write(runtime, "-1\n");
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kGood);
  tree.write(runtime, "950000\n");
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kUnknown);
  tree.write(period, "1000000\n");
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kGood);
  EXPECT_THAT(real_time_share(tree.files()).text, HasSubstr("950 ms of each 1 s"));
  tree.write(runtime, "500000\n");
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(real_time_share(tree.files()).advice, HasSubstr("sched_rt_runtime_us=950000"));
  for (const char* garbage : {"", "much", "2000000"}) {
    tree.write(runtime, garbage);
    EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kUnknown) << garbage;
  }
  tree.write(runtime, "950000\n");
  tree.write(period, "0\n");
  EXPECT_EQ(real_time_share(tree.files()).state, ReadingState::kUnknown);
}

}  // namespace
}  // namespace firbank::program
