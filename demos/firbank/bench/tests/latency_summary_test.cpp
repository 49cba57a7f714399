#include "demos/firbank/bench/latency/latency_summary.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

constexpr double kDeadlineNs = 1e6;

/// A block that came in time: woken after 20 us, 100 us of work.
BlockTimes good_block(std::int64_t number) {
  BlockTimes block;
  block.number = number;
  block.due_ns = number * 1'000'000;
  block.slept = true;
  block[BlockStage::kWait] = 20'000;
  block[BlockStage::kIngest] = 5'000;
  block[BlockStage::kCompute] = 90'000;
  block[BlockStage::kPublish] = 5'000;
  block.cpu_ns = 100'000;
  return block;
}

std::vector<BlockTimes> good_blocks(std::int64_t count) {
  std::vector<BlockTimes> blocks;
  for (std::int64_t n = 0; n < count; ++n) blocks.push_back(good_block(n));
  return blocks;
}

TEST(LatencySummary, GivesAMissToWhatTookMostOfItsTime) {
  std::vector<BlockTimes> blocks = good_blocks(6);
  blocks[1][BlockStage::kCompute] = 950'000;  // busy all the time
  blocks[1].cpu_ns = 960'000;
  blocks[2].slept = false;  // behind it
  blocks[2][BlockStage::kWait] = 900'001;
  blocks[3][BlockStage::kWait] = 1'500'000;  // begun late
  blocks[4][BlockStage::kCompute] = 3'000'000;
  blocks[4].yields = 1;                         // asleep
  blocks[5][BlockStage::kCompute] = 2'000'000;  // taken away
  blocks[5].interruptions = 1;
  const LatencySummary summary = summarise(blocks, kDeadlineNs);
  std::vector<std::pair<std::int64_t, MissCause>> misses;
  for (const DeadlineMiss& miss : summary.misses) misses.emplace_back(miss.block, miss.cause);
  EXPECT_THAT(misses, testing::ElementsAre(testing::Pair(2, MissCause::kBehind),
                                           testing::Pair(3, MissCause::kWokenLate),
                                           testing::Pair(4, MissCause::kYielding),
                                           testing::Pair(5, MissCause::kInterrupted)));
  blocks[1][BlockStage::kWait] = 50'000;
  EXPECT_EQ(summarise(blocks, kDeadlineNs).misses.front().cause, MissCause::kComputing);
  EXPECT_EQ(summary.misses[1].end_to_end_ns, 1'600'000u);
}

TEST(LatencySummary, ABlockBehindALateOneMayBeLateByItself) {
  std::vector<BlockTimes> blocks = good_blocks(1);
  blocks[0].slept = false;
  blocks[0][BlockStage::kWait] = 5'000'000;
  blocks[0][BlockStage::kCompute] = 3'000'000;
  blocks[0].yields = 1;
  EXPECT_EQ(summarise(blocks, kDeadlineNs).misses.front().cause, MissCause::kYielding);
  blocks[0][BlockStage::kCompute] = 900'000;
  EXPECT_EQ(summarise(blocks, kDeadlineNs).misses.front().cause, MissCause::kBehind);
}

TEST(LatencySummary, ABlockThatIsDoneWhenTheNextIsDueIsLate) {
  std::vector<BlockTimes> blocks = good_blocks(2);
  blocks[0][BlockStage::kWait] = 1'000'000 - 100'000 - 1;
  blocks[1][BlockStage::kWait] = 1'000'000 - 100'000;
  const LatencySummary summary = summarise(blocks, kDeadlineNs);
  ASSERT_EQ(summary.misses.size(), 1u);
  EXPECT_EQ(summary.misses[0].block, 1);
}

TEST(LatencySummary, AddsTheStagesUp) {
  std::vector<BlockTimes> blocks = good_blocks(30);
  blocks[7].slept = false;
  const LatencySummary summary = summarise(blocks, kDeadlineNs);
  EXPECT_EQ(summary.blocks, 30u);
  EXPECT_EQ(summary.wake_up.count(), 29u);
  EXPECT_EQ(summary.work.histogram().max_ns(), 100'000u);
  EXPECT_EQ(summary.end_to_end.histogram().max_ns(), 120'000u);
  const auto compute = summary.stages[static_cast<std::size_t>(BlockStage::kCompute)];
  EXPECT_EQ(compute.at(kQuantiles[0]), 90'000u);
}

TEST(LatencySummary, GivesNoQuantileOfTooFewBlocks) {
  for (const NamedQuantile& quantile : kQuantiles) {
    EXPECT_NEAR(static_cast<double>(quantile.least) * (1 - quantile.fraction), 10, 1e-6);
    DurationSummary times;
    for (std::uint64_t n = 0; n + 1 < quantile.least; ++n) times.record(1'000);
    EXPECT_EQ(times.at(quantile), std::nullopt) << quantile.name;
    times.record(1'000);
    EXPECT_EQ(times.at(quantile), 1'000u) << quantile.name;
  }
}

TEST(LatencySummary, TheSeriesKeepsEveryPeak) {
  std::vector<BlockTimes> blocks = good_blocks(12'345);
  blocks[8'765][BlockStage::kCompute] = 7'000'000;
  const LatencySummary summary = summarise(blocks, kDeadlineNs);
  EXPECT_LE(summary.series.size(), kSeriesPoints);
  EXPECT_GE(summary.series.size(), kSeriesPoints / 2);
  std::uint64_t most = 0;
  for (const SeriesPoint& point : summary.series) {
    EXPECT_EQ(point.p50_ns, 120'000u);
    most = std::max(most, point.max_ns);
  }
  EXPECT_EQ(most, 7'030'000u);
  EXPECT_TRUE(summarise({}, kDeadlineNs).series.empty());
}

TEST(LatencySummary, SegmentsAreExact) {
  LatencyRun run;
  run.engine = good_blocks(300);
  for (std::size_t n = 100; n < 200; ++n) run.engine[n].cpu_ns = 300'000;
  run.engine[250][BlockStage::kWait] = 5'000'000;
  run.empty = good_blocks(100);
  run.segments = {{false, 0, 100}, {true, 0, 100}, {false, 100, 100}, {false, 200, 100}};
  const std::vector<SegmentSummary> segments = summarise_segments(run, kDeadlineNs);
  ASSERT_EQ(segments.size(), 4u);
  EXPECT_TRUE(segments[1].empty);
  EXPECT_EQ(segments[2].processor_p50_ns, 300'000u);
  EXPECT_EQ(segments[2].begin_ns, 100'000'000);
  EXPECT_EQ(segments[3].misses, 1u);
  EXPECT_EQ(segments[3].max_ns, 5'100'000u);
  EXPECT_EQ(segments[3].p50_ns, 120'000u);
}

/// A run of `segments` in turn; the empty loop's blocks take `empty_ns[segment]` end to end.
Verdict verdict_of(const std::vector<std::uint64_t>& empty_ns) {
  constexpr std::size_t kBlocks = 500;
  LatencyRun run;
  for (const std::uint64_t ns : empty_ns) {
    run.segments.push_back({false, run.engine.size(), kBlocks});
    run.segments.push_back({true, run.empty.size(), kBlocks});
    for (std::size_t n = 0; n < kBlocks; ++n) {
      run.engine.push_back(good_block(0));
      BlockTimes nothing;
      nothing.slept = true;
      nothing[BlockStage::kWait] = ns;
      run.empty.push_back(nothing);
    }
  }
  const LatencySummary engine = summarise(run.engine, kDeadlineNs);
  const LatencySummary empty = summarise(run.empty, kDeadlineNs);
  return judge(run, engine, &empty, summarise_segments(run, kDeadlineNs), kDeadlineNs);
}

TEST(Verdict, AQuietMachineIsGoodForJudging) {
  const Verdict verdict = verdict_of(std::vector<std::uint64_t>(8, 30'000));
  EXPECT_TRUE(verdict.usable);
  EXPECT_THAT(verdict.reasons, testing::IsEmpty());
}

TEST(Verdict, AMachineThatIsLateByItselfIsNot) {
  const Verdict verdict = verdict_of(std::vector<std::uint64_t>(8, 300'000));
  EXPECT_FALSE(verdict.usable);
  EXPECT_THAT(verdict.reasons, testing::ElementsAre(testing::HasSubstr("too noisy to judge")));
}

TEST(Verdict, NorOneThatChangesMeanwhile) {
  const Verdict verdict =
      verdict_of({20'000, 20'000, 20'000, 20'000, 60'000, 60'000, 60'000, 60'000});
  EXPECT_FALSE(verdict.usable);
  EXPECT_THAT(verdict.reasons, testing::ElementsAre(testing::HasSubstr("by a factor of 3.0")));
}

TEST(Verdict, TellsWhatTheMachineMissed) {
  LatencyRun run;
  run.engine = good_blocks(2'000);
  run.empty = good_blocks(2'000);
  run.empty[77][BlockStage::kWait] = 4'000'000;
  run.segments = {{false, 0, 2'000}, {true, 0, 2'000}};
  const LatencySummary all = summarise(run.engine, kDeadlineNs);
  const LatencySummary nothing = summarise(run.empty, kDeadlineNs);
  const Verdict verdict =
      judge(run, all, &nothing, summarise_segments(run, kDeadlineNs), kDeadlineNs);
  EXPECT_TRUE(verdict.usable);
  EXPECT_THAT(verdict.reasons, testing::ElementsAre(testing::HasSubstr("missed 1 deadline")));
}

TEST(Verdict, NothingIsSaidOfAStreamThatIsNotSustained) {
  LatencyRun run;
  run.engine = good_blocks(2'000);
  run.overloaded = true;
  const LatencySummary all = summarise(run.engine, kDeadlineNs);
  const Verdict verdict = judge(run, all, nullptr, {}, kDeadlineNs);
  EXPECT_FALSE(verdict.usable);
  EXPECT_THAT(verdict.reasons.front(), testing::HasSubstr("does not sustain"));
}

}  // namespace
}  // namespace firbank::program
