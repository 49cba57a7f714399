#include "demos/firbank/bench/latency/paced_loop.hpp"

#include <gtest/gtest.h>

#include "demos/firbank/bench/machine/clock.hpp"

namespace firbank::program {
namespace {

bool never() {
  return false;
}

/// Sleeps in one block of so many, and notes where the time went.
class Sleeper final : public PacedWork {
 public:
  Sleeper(std::int64_t sleep_ns, std::size_t every) : sleep_ns_(sleep_ns), every_(every) {}

  void work(BlockTimes& times) noexcept override {
    const std::int64_t begin = now_ns();
    if (++worked_ % every_ == 0) sleep_until_ns(begin + sleep_ns_);
    times[BlockStage::kCompute] = static_cast<std::uint64_t>(now_ns() - begin);
  }

 private:
  std::int64_t sleep_ns_;
  std::size_t every_;
  std::size_t worked_ = 0;
};

TEST(PacedLoop, BlocksAreDueOnAnAbsoluteTimeline) {
  EmptyWork work;
  std::vector<BlockTimes> times;
  times.reserve(50);
  const std::int64_t begin = now_ns();
  EXPECT_EQ(PacedLoop({1e6, 0}).run(work, 10, 50, times, never), PacedLoop::End::kDone);
  EXPECT_GE(now_ns() - begin, 60'000'000);
  ASSERT_EQ(times.size(), 50u);
  for (std::size_t n = 1; n < times.size(); ++n) {
    EXPECT_EQ(times[n].due_ns - times[0].due_ns, static_cast<std::int64_t>(n) * 1'000'000);
  }
}

TEST(PacedLoop, BlocksBehindALateOneWaitForIt) {
  // Every 10th block takes five periods: those that become due meanwhile wait, each one period
  // less.
  Sleeper work(5'000'000, 10);
  std::vector<BlockTimes> times;
  times.reserve(40);
  PacedLoop({1e6, 0}).run(work, 0, 40, times, never);
  ASSERT_EQ(times.size(), 40u);
  for (std::size_t late = 9; late + 4 < times.size(); late += 10) {
    EXPECT_GE(times[late].end_to_end_ns(), 5'000'000u);
    EXPECT_GE(times[late].yields, 1);
    for (std::size_t behind = 1; behind <= 4; ++behind) {
      EXPECT_FALSE(times[late + behind].slept);
      EXPECT_GE(times[late + behind][BlockStage::kWait], (5 - behind) * 1'000'000);
    }
  }
}

TEST(PacedLoop, GivesUpWhenItFallsBehind) {
  Sleeper work(20'000'000, 1);
  std::vector<BlockTimes> times;
  times.reserve(1'000);
  EXPECT_EQ(PacedLoop({1e6, 0}).run(work, 0, 1'000, times, never), PacedLoop::End::kOverloaded);
  EXPECT_LT(times.size(), 90u);
}

TEST(PacedLoop, AStallIsNoOverload) {
  // One block of 1.2 s; those behind it catch up.
  Sleeper work(1'200'000'000, 50);
  std::vector<BlockTimes> times;
  times.reserve(99);
  EXPECT_EQ(PacedLoop({5e6, 0}).run(work, 0, 99, times, never), PacedLoop::End::kDone);
  EXPECT_EQ(times.size(), 99u);
  EXPECT_GE(times[49].end_to_end_ns(), 1'200'000'000u);
}

TEST(PacedLoop, KeepsNoMoreThanThereIsRoomFor) {
  EmptyWork work;
  std::vector<BlockTimes> times;
  times.reserve(5);
  const std::size_t room = times.capacity();
  PacedLoop({1e5, 0}).run(work, 0, room + 20, times, never);
  EXPECT_EQ(times.size(), room);
}

}  // namespace
}  // namespace firbank::program
