#include "demos/firbank/bench/latency/stream_work.hpp"

#include <gtest/gtest.h>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/bench/noise_filters.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kBlock = 64;

BlockTimes worked(StreamWork<float>& work, std::int64_t number = 0) {
  BlockTimes times;
  times.number = number;
  work.work(times);
  return times;
}

TEST(StreamWork, DrivesTheEngineABlockAtATime) {
  for (const Drive drive : {Drive::kProcess, Drive::kPipeline}) {
    EngineConfig config;
    config.block_frames = kBlock;
    config.backend = "cpu";
    Engine engine(config, noise_filters(3, 500), Routing::rows(3, 3));
    StreamWork<float> work(engine, kBlock, drive, {});
    work.fill();
    const std::int64_t filled = engine.stats().frames;
    EXPECT_GE(filled, 500);
    for (int n = 0; n < 100; ++n) {
      const BlockTimes times = worked(work);
      EXPECT_GT(times[BlockStage::kCompute], 0u);
      EXPECT_EQ(times[BlockStage::kToDevice], 0u);
      EXPECT_EQ(times[BlockStage::kFromDevice], 0u);
    }
    EXPECT_EQ(engine.stats().frames, filled + 100 * std::int64_t{kBlock});
    EXPECT_EQ(engine.stats().gaps, 0u);
    EXPECT_TRUE(work.is_whole());
  }
}

TEST(StreamWork, KeepsBlocksUnderWay) {
  EngineConfig config;
  config.block_frames = kBlock;
  config.depth_blocks = 3;
  config.backend = "cpu";
  Engine engine(config, noise_filters(2, 300), Routing::rows(2, 2));
  StreamWork<float> work(engine, kBlock, Drive::kPipeline, {});
  work.fill();
  for (int n = 0; n < 50; ++n) worked(work);
  EXPECT_TRUE(work.is_whole());
}

TEST(StreamWork, SleepsInEveryNthCountedBlock) {
  EngineConfig config;
  config.block_frames = kBlock;
  Engine engine(config, noise_filters(1, 50), Routing::rows(1, 1));
  Injected injected;
  injected.sleep_ns = 2'000'000;
  injected.sleep_every = 5;
  StreamWork<float> work(engine, kBlock, Drive::kProcess, injected);
  work.fill();  // of these none is counted
  for (std::int64_t n = 0; n < 20; ++n) {
    const std::int64_t begin_ns = now_ns();
    const BlockTimes times = worked(work, n);
    const bool asleep = n % 5 == 4;
    EXPECT_LE(times.work_ns(), static_cast<std::uint64_t>(now_ns() - begin_ns));
    if (asleep) {
      EXPECT_GE(times[BlockStage::kCompute], 2'000'000u) << n;
    }
  }
}

TEST(StreamWork, ComputesLongerByItsShare) {
  EngineConfig config;
  config.block_frames = kBlock;
  Engine engine(config, noise_filters(1, 200'000), Routing::rows(1, 1));
  const auto least = [&](double busy_share) {
    Injected injected;
    injected.busy_share = busy_share;
    StreamWork<float> work(engine, kBlock, Drive::kProcess, injected);
    work.fill();
    std::uint64_t least_ns = UINT64_MAX;
    for (int n = 0; n < 2'000; ++n) {
      least_ns = std::min(least_ns, worked(work)[BlockStage::kCompute]);
    }
    return static_cast<double>(least_ns);
  };
  const double plain = least(0);
  EXPECT_GE(least(4), 3 * plain);
}

}  // namespace
}  // namespace firbank::program
