// What is missing from a stream, what comes again, and where.
#include "io/continuity.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace firbank {
namespace {

class ContinuityTest : public testing::Test {
 protected:
  /// The gap that a packet is found to have before it.
  std::int64_t gap(std::uint64_t sequence, std::int64_t first_frame, std::size_t frames,
                   BlockFlags flags = BlockFlags::kNone) {
    Packet packet;
    packet.sequence = sequence;
    packet.first_frame = first_frame;
    packet.frames = frames;
    packet.flags = flags;
    continuity_.take(packet, stats_);
    return packet.gap_before;
  }

  Packet taken(std::int64_t first_frame, std::size_t frames) {
    Packet packet;
    packet.sequence = sequence_++;
    packet.first_frame = first_frame;
    packet.frames = frames;
    continuity_.take(packet, stats_);
    return packet;
  }

  void expect(const LossCount& loss, std::uint64_t count, std::int64_t frames,
              std::int64_t first) const {
    EXPECT_EQ(loss.count, count);
    EXPECT_EQ(loss.frames, frames);
    EXPECT_EQ(loss.first_frame, first);
  }

  std::uint64_t sequence_ = 0;  // of taken()
  Continuity continuity_;
  PacketStats stats_;
};

TEST_F(ContinuityTest, HasNothingToSayOfAWholeStream) {
  for (std::uint64_t n = 0; n < 10; ++n) {
    EXPECT_EQ(gap(n, 1'000 + static_cast<std::int64_t>(n) * 32, 32), 0);
  }
  expect(stats_.gaps, 0, 0, -1);
  expect(stats_.backward, 0, 0, -1);
  EXPECT_EQ(stats_.lost_packets, 0u);
  EXPECT_EQ(stats_.packets, 10u);
  EXPECT_EQ(stats_.frames, 320);
}

TEST_F(ContinuityTest, TellsLossOnTheWayFromLossBefore) {
  gap(0, 0, 32);
  EXPECT_EQ(gap(1, 42, 32), 10) << "the sender itself had none";
  EXPECT_EQ(stats_.lost_packets, 0u);
  EXPECT_EQ(gap(4, 138, 32), 64) << "two packets on the way";
  EXPECT_EQ(stats_.lost_packets, 2u);
  expect(stats_.gaps, 2, 74, 32);
}

TEST_F(ContinuityTest, CountsWhatComesAgainAndFindsNoGapAfterIt) {
  gap(0, 0, 32);
  gap(2, 64, 32);
  EXPECT_EQ(gap(1, 32, 32), 0) << "too late";
  EXPECT_EQ(gap(3, 96, 32), 0);
  EXPECT_EQ(gap(4, 112, 32), 0) << "half of it again";
  EXPECT_EQ(gap(5, 144, 32), 0);
  expect(stats_.gaps, 1, 32, 32);
  expect(stats_.backward, 2, 48, 32);
}

TEST_F(ContinuityTest, BeginsAnewWithAResetAndWithAnotherStream) {
  continuity_.begin(7);
  gap(0, 1'000, 32);
  EXPECT_EQ(gap(1, 0, 32, BlockFlags::kReset), 0);
  EXPECT_EQ(gap(2, 40, 32), 8);
  continuity_.begin(8);
  EXPECT_EQ(gap(0, 5'000, 32), 0);
  continuity_.begin(0);
  EXPECT_EQ(gap(0, 9'000, 32), 0);
  continuity_.begin(0);
  EXPECT_EQ(gap(0, 10, 32), 0) << "0 is no stream's id";
  expect(stats_.gaps, 1, 8, 32);
  expect(stats_.backward, 0, 0, -1);
}

TEST_F(ContinuityTest, GoesOnWithAStreamThatComesBack) {
  continuity_.begin(7);
  gap(0, 0, 32);
  continuity_.begin(7);
  EXPECT_EQ(gap(3, 96, 32), 64);
  expect(stats_.gaps, 1, 64, 32);
  EXPECT_EQ(stats_.lost_packets, 2u);
}

TEST_F(ContinuityTest, BeginsAnewWhenNothingButOldFramesHasComeForLong) {
  continuity_.begin(7, 100);
  taken(0, 50);
  EXPECT_EQ(taken(1'000'000, 50).gap_before, 999'950) << "an index that is wrong";
  EXPECT_FALSE(has(taken(50, 50).flags, BlockFlags::kReset));
  EXPECT_FALSE(has(taken(100, 50).flags, BlockFlags::kReset)) << "100 frames may come again";
  EXPECT_TRUE(has(taken(150, 50).flags, BlockFlags::kReset));
  EXPECT_EQ(taken(210, 50).gap_before, 10) << "gaps are seen again";
  EXPECT_EQ(stats_.restarts, 1u);
  expect(stats_.backward, 2, 100, 50);
}

TEST_F(ContinuityTest, DoesNotBeginAnewWhileSomethingNewComes) {
  continuity_.begin(7, 100);
  taken(1'000, 50);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(has(taken(0, 50).flags, BlockFlags::kReset));
    EXPECT_FALSE(has(taken(1'050 + i * 50, 50).flags, BlockFlags::kReset));
  }
  EXPECT_EQ(stats_.restarts, 0u);
  EXPECT_EQ(stats_.gaps.count, 0u);
}

TEST_F(ContinuityTest, BeginsAnewWhereAConnectionMadeAnewBeginsBehind) {
  continuity_.begin(7, 1'000);
  taken(5'000, 50);
  continuity_.begin(7, 1'000);
  EXPECT_TRUE(has(taken(0, 50).flags, BlockFlags::kReset));
  EXPECT_FALSE(has(taken(50, 50).flags, BlockFlags::kReset));
  EXPECT_EQ(stats_.restarts, 1u);
  expect(stats_.backward, 0, 0, -1);
}

TEST_F(ContinuityTest, TakesTheSameIdForAnotherStreamOnceTheFirstHasEnded) {
  continuity_.begin(7);
  gap(0, 5'000, 32, BlockFlags::kEndOfStream);
  continuity_.begin(7);
  EXPECT_EQ(gap(0, 6'000, 32), 0);
  continuity_.begin(7);
  EXPECT_EQ(gap(1, 6'040, 32), 8) << "this one broke off";
  EXPECT_EQ(stats_.restarts, 0u);
}

TEST_F(ContinuityTest, SurvivesTheEndsOfTheNumbers) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  gap(0, kLeast, 32);
  EXPECT_EQ(gap(kLast, kMost - 32, 32), kMost);
  EXPECT_EQ(gap(0, kLeast, 32), 0);
  EXPECT_EQ(gap(kLast, kLeast, 32, BlockFlags::kReset), 0);
  EXPECT_EQ(gap(kLast, kMost - 32, 32), kMost);
  EXPECT_EQ(stats_.gaps.count, 2u);
  EXPECT_EQ(stats_.gaps.frames, kMost) << "as many as can be counted";
  EXPECT_EQ(stats_.backward.count, 1u);
}

}  // namespace
}  // namespace firbank
