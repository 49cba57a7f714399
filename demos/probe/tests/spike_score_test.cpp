#include "demos/probe/spike_score.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace firbank::probe {
namespace {

constexpr ScoreRules kRules{
    .tolerance_frames = 15, .neighbours = 1, .skip_frames = 100, .loss_margin_frames = 10};

TEST(SpikeScore, CountsWhatMatches) {
  const std::vector<Mark> spikes = {{50, 1}, {200, 3}, {300, 3}, {400, 3}, {500, 3}};
  // Skipped; near in time and place; too late; too far; on the spot, twice.
  const std::vector<Mark> events = {{50, 1}, {215, 4}, {316, 3}, {400, 5}, {500, 3}, {501, 2}};
  const Score result = score(spikes, events, {}, kRules);
  EXPECT_EQ(result.events, 5u);
  EXPECT_EQ(result.true_events, 3u);
  EXPECT_EQ(result.spikes, 4u);
  EXPECT_EQ(result.found_spikes, 2u);
  EXPECT_DOUBLE_EQ(result.precision(), 0.6);
  EXPECT_DOUBLE_EQ(result.recall(), 0.5);
}

TEST(SpikeScore, AsksForNoSpikeThatWasLost) {
  const std::vector<Mark> spikes = {{189, 0}, {190, 0}, {250, 0}, {309, 0}, {310, 0}};
  const std::vector<LostFrames> losses = {{120, 20}, {200, 100}, {900, 5}};
  const Score result = score(spikes, {}, losses, kRules);
  EXPECT_EQ(result.spikes, 2u);  // 189 and 310
  EXPECT_EQ(result.recall(), 0);
  // An event there is right all the same.
  EXPECT_EQ(score(spikes, {{250, 0}}, losses, kRules).true_events, 1u);
}

TEST(SpikeScore, NothingFoundIsNothingRight) {
  EXPECT_EQ(score({}, {}, {}, kRules).precision(), 0);
  EXPECT_EQ(score({}, {}, {}, kRules).recall(), 0);
}

}  // namespace
}  // namespace firbank::probe
