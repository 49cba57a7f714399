// What the plans of large cases have to read on a device, against the least that any kernels would:
// every partition, delay line and carried sum once.
#include "kernels/cuda/call_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/config.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/plan_bytes.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using cuda::CallBytes;

constexpr std::uint32_t kMultiprocessors = 132;
constexpr double kSpectrumBytes = 8;     // of a bin
constexpr double kMostOverFloor = 1.2;   // of what comes from memory
constexpr double kCacheBytes = 30e6;     // half of the level-2 cache of an H200
constexpr double kLevelBytesG1 = 125e6;  // 64 x 64 x 96,000 taps in levels of 128 to 8,192

class CallBytesTest : public test::DeviceFixture {
 protected:
  void SetUp() override {
    DeviceFixture::SetUp();
    configure("memory=140000000000");  // of which plans are told; nothing takes it
  }

  struct Planned {
    PartitionPlan plan;
    CallBytes bytes;
  };

  static Planned planned(const EngineConfig& config, const Routing& routing,
                         const std::vector<std::size_t>& taps) {
    std::vector<std::vector<double>> filters;
    filters.reserve(taps.size());
    for (const std::size_t count : taps) filters.emplace_back(count, 1.0);
    const FilterBank bank(std::move(filters));
    PartitionPlan plan = choose_plan(config, bank, routing, abilities_of(*make_backend("cuda")));
    const CallBytes bytes = test::bytes_of(plan, routing, taps, kMultiprocessors);
    return {std::move(plan), bytes};
  }

  /// What edges read of their inputs' newest spectra beyond once.
  static double repeated(const PartitionPlan& plan, std::size_t edges, std::size_t inputs) {
    return kSpectrumBytes * static_cast<double>(plan.levels.front().bins() * (edges - inputs));
  }

  /// What the kernels that render load in a call, after one that fills the delay line.
  double rendered(Engine& engine, const Signal& in) {
    const std::size_t call = engine.plan().call_frames;
    test::run_process(engine, test::cut(in, 0, call), {call});
    settle();
    control_->reset_counts();
    test::run_process(engine, test::cut(in, call, call), {call});
    settle();
    const test::FakeDeviceCounts counted = counts();
    double bytes = 0;
    for (const cuda::Kernel kernel : {cuda::Kernel::kRender, cuda::Kernel::kAccumulate}) {
      bytes += static_cast<double>(counted.bytes_loaded[static_cast<std::size_t>(kernel)]);
    }
    return bytes;
  }

  static EngineConfig live(std::size_t block_frames) {
    EngineConfig config;
    config.backend = "cuda";
    config.block_frames = block_frames;
    return config;
  }

  static EngineConfig offline() {
    EngineConfig config;
    config.backend = "cuda";
    config.goal = PlanGoal::kOffline;
    config.gpu_mode = GpuMode::kThroughput;
    config.depth_blocks = 2;
    return config;
  }
};

// 64 x 64 responses of 96,000 taps in blocks of 128: the floor is that of levels of 128, 512, 2,048
// and 8,192. Every output meets partition 0 by itself, in the kernel that transforms it back, and
// so reads the newest spectra of all inputs, 64 KiB, which the caches have from the first output
// on.
TEST_F(CallBytesTest, OfALargeMatrixAreNearTheFloor) {
  constexpr std::size_t kSide = 64;
  EngineConfig config = live(128);
  config.max_taps = 96'000;
  const Routing routing = Routing::matrix(kSide, kSide, kSide * kSide);
  const FilterBank bank(std::vector<std::vector<double>>(kSide * kSide, {1.0}));
  const PartitionPlan plan =
      choose_plan(config, bank, routing, abilities_of(*make_backend("cuda")));
  SCOPED_TRACE(plan.describe());
  const std::vector<std::size_t> taps(kSide * kSide, config.max_taps);
  const CallBytes bytes = test::bytes_of(plan, routing, taps, kMultiprocessors);
  EXPECT_LE(bytes.loaded, kMostOverFloor * kLevelBytesG1);
  EXPECT_LE(bytes.loaded - repeated(plan, kSide * kSide, kSide), kMostOverFloor * bytes.floor);
  EXPECT_LE(plan.worst_over_mean, 1.5);
  PartitionPlan compact = plan;
  compact.compact_spectra = true;
  EXPECT_LE(test::bytes_of(compact, routing, taps, kMultiprocessors).loaded, 0.75 * bytes.loaded);
}

// 10,000 channels with 1,024 taps each in blocks of 32. Partitions of a block alone would read
// 164 MB.
TEST_F(CallBytesTest, OfManyChannelsAreNearTheFloor) {
  const std::size_t rows = 10'000;
  const auto [plan, bytes] =
      planned(live(32), Routing::rows(rows, rows), std::vector<std::size_t>(rows, 1'024));
  SCOPED_TRACE(plan.describe());
  EXPECT_LE(bytes.loaded, kMostOverFloor * bytes.floor);
  EXPECT_LE(bytes.loaded, 164e6);
}

// One input and 10,000 filters of 4,096 taps in blocks of 256, whose spectra are 327.7 MB; levels
// need less. Every output meets partition 0 by itself, in the kernel that transforms it back, and
// so reads the newest spectrum of the input, 2 KiB, which the caches have from the first output on.
// With that the kernels load 1.27 times the floor; without, it is what comes from memory.
TEST_F(CallBytesTest, OfOneInputThroughManyFiltersAreNearTheFloor) {
  const std::size_t outputs = 10'000;
  const auto [plan, bytes] =
      planned(live(256), Routing::bank(1, outputs), std::vector<std::size_t>(outputs, 4'096));
  SCOPED_TRACE(plan.describe());
  EXPECT_LE(bytes.loaded - repeated(plan, outputs, 1), kMostOverFloor * bytes.floor);
  EXPECT_LE(bytes.loaded, 327.7e6);
}

// 1,000 channels, each through the same 64 filters of 1,000 taps, offline: one partition. Every
// output reads its filter's and its channel's spectrum by itself, in the kernel that transforms it
// back, which is 120 times what there is to read: 64 and 1,000 spectra. All of these together are
// less than the level-2 cache holds, so memory is read about once; but the cache has to give four
// times as many bytes as the outputs have, which are what memory has to take.
TEST_F(CallBytesTest, OfEveryFilterOnEveryChannelComeFromTheCache) {
  const std::size_t channels = 1'000;
  const std::size_t filters = 64;
  const auto [plan, bytes] = planned(offline(), Routing::bank(channels, filters),
                                     std::vector<std::size_t>(filters, 1'000));
  SCOPED_TRACE(plan.describe());
  const LevelPlan& level = plan.levels.front();
  ASSERT_EQ(plan.levels.size(), 1u);
  ASSERT_EQ(level.partitions, 1u);
  const double blocks =
      static_cast<double>(plan.call_frames) / static_cast<double>(level.block_frames);
  const double spectrum = kSpectrumBytes * static_cast<double>(level.bins());
  EXPECT_DOUBLE_EQ(bytes.floor, blocks * (filters + channels) * spectrum);
  EXPECT_LE(bytes.floor / blocks, kCacheBytes);
  const double output_bytes =
      sizeof(float) * static_cast<double>(plan.call_frames * channels * filters);
  EXPECT_LE(bytes.loaded, 4.1 * output_bytes);
}

// Rows with 200 to 20,000 taps of their own, offline; a tenth of 10,000, which costs a tenth.
TEST_F(CallBytesTest, OfRowsOfDifferentLengthsAreNearTheFloor) {
  const std::size_t rows = 1'000;
  std::vector<std::size_t> taps;
  for (std::size_t row = 0; row < rows; ++row) taps.push_back(200 + 19'800 * row / (rows - 1));
  const auto [plan, bytes] = planned(offline(), Routing::rows(rows, rows), taps);
  SCOPED_TRACE(plan.describe());
  EXPECT_LE(bytes.loaded, kMostOverFloor * bytes.floor);
}

// What the kernels load is what is said, also where there is nothing to carry from block to block;
// twiddles, which outputs without an input load as well, are not counted.
TEST_F(CallBytesTest, AreThoseThatTheKernelsLoadOfASinglePartition) {
  SCOPED_TRACE("seed 31");
  test::Random random(31);
  const std::size_t channels = 3;
  const std::vector<std::size_t> taps(8, 1'000);
  const Routing routing = Routing::bank(channels, taps.size());
  EngineConfig config = offline();
  config.gpu_mode = GpuMode::kWhole;
  config.fail_over = false;
  config.partition_frames = {1'024};
  const FilterBank bank = test::random_bank(random, taps);
  Engine engine(config, bank, routing);
  ASSERT_EQ(engine.plan().levels.front().partitions, 1u);
  Engine deaf(config, bank, Routing(channels, routing.outputs(), {}));
  const Signal in = test::random_signal(random, channels, 2 * engine.plan().call_frames);
  const CallBytes said = test::bytes_of(engine.plan(), routing, taps, 8);
  EXPECT_DOUBLE_EQ(rendered(engine, in) - rendered(deaf, in), said.loaded);
}

}  // namespace
}  // namespace firbank
