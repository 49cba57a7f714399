#include "engine/call_times.hpp"

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

constexpr std::int64_t kBlock = 1'000'000;  // ns
constexpr auto kLasts = static_cast<double>(kBlock);

/// Calls that a device makes, one block after the other.
class Calls {
 public:
  /// A call that comes `late` after its time and takes `takes`. True when it was too long.
  bool call(std::int64_t late = 0, std::int64_t takes = kBlock / 10) {
    const std::int64_t begin = now + late;
    times.begin(begin, kLasts);
    blame = times.blame();
    const bool is_long = times.end(begin + takes);
    now += kBlock;
    return is_long;
  }
  void calls(int count) {
    for (int i = 0; i < count; ++i) call();
  }

  std::int64_t now = 5'000'000'000;
  CallTimes times;
  LiveBlame blame;
};

TEST(CallTimes, LayNothingToCallsInTime) {
  Calls stream;
  test::Random random(1);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(stream.call(static_cast<std::int64_t>(test::between(random, 0, 400'000)),
                             static_cast<std::int64_t>(test::between(random, 0, 999'999))));
    EXPECT_EQ(stream.blame.stage, LiveStage::kCard);
    EXPECT_EQ(stream.blame.excess_ns, 0);
  }
}

TEST(CallTimes, LayToTheWaitWhatCameLate) {
  Calls stream;
  stream.calls(100);
  stream.call(2'500'000);
  EXPECT_EQ(stream.blame.stage, LiveStage::kWait);
  EXPECT_NEAR(static_cast<double>(stream.blame.excess_ns), 2.5e6, 0.3e6);
  // The device may tell of it some calls later; a long time after it is another story.
  stream.now += 2'500'000;
  stream.calls(3);
  EXPECT_EQ(stream.blame.stage, LiveStage::kWait);
  stream.calls(10);
  EXPECT_EQ(stream.blame.stage, LiveStage::kCard);
}

TEST(CallTimes, LayToTheComputingWhatTookTooLong) {
  Calls stream;
  stream.calls(100);
  EXPECT_TRUE(stream.call(0, 3'000'000));
  // The next call comes late for that reason alone.
  stream.call(2'100'000);
  EXPECT_EQ(stream.blame.stage, LiveStage::kCompute);
  EXPECT_EQ(stream.blame.excess_ns, 2'000'000);
}

TEST(CallTimes, LayToTheNewestOfTwo) {
  Calls stream;
  stream.calls(100);
  EXPECT_TRUE(stream.call(0, 1'500'000));
  stream.call(4'000'000);
  EXPECT_EQ(stream.blame.stage, LiveStage::kWait);
  EXPECT_NEAR(static_cast<double>(stream.blame.excess_ns), 3.5e6, 0.3e6);
}

TEST(CallTimes, KnowDevicesThatBringSeveralBlocksAtOnce) {
  Calls stream;
  for (int period = 0; period < 200; ++period) {
    for (int block = 0; block < 8; ++block) {
      stream.call(-block * kBlock, kBlock / 20);
      EXPECT_EQ(stream.blame.stage, LiveStage::kCard) << "period " << period << ", " << block;
    }
  }
}

TEST(CallTimes, FollowAClockOfItsOwnPace) {
  for (const std::int64_t drift_ns : {-1'000, 1'000}) {  // 1,000 ppm
    Calls stream;
    for (int i = 0; i < 20'000; ++i) {
      stream.call();
      EXPECT_EQ(stream.blame.stage, LiveStage::kCard) << i;
      stream.now += drift_ns;
    }
    stream.call(1'000'000);
    EXPECT_EQ(stream.blame.stage, LiveStage::kWait);
  }
}

TEST(CallTimes, BeginAnewAfterAGap) {
  Calls stream;
  stream.calls(10);
  stream.times.restart();
  stream.call(60'000'000'000);
  EXPECT_EQ(stream.blame.stage, LiveStage::kCard);
}

}  // namespace
}  // namespace firbank
