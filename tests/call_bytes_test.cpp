// What the plans of large cases have to read on a device, against the least that any kernels would:
// every partition, delay line and carried sum once.
#include "kernels/cuda/call_bytes.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/config.hpp"
#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/plugin_loader.hpp"
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

  /// What the kernels that render load in a call, after one that fills rings and delay line.
  double rendered(Engine& engine, const Signal& in) {
    const std::size_t call = engine.plan().call_frames;
    test::run_process(engine, test::cut(in, 0, call), {call});
    settle();
    control_->reset_counts();
    test::run_process(engine, test::cut(in, call, call), {call});
    settle();
    const test::FakeDeviceCounts counted = counts();
    double bytes = 0;
    for (const cuda::Kernel kernel :
         {cuda::Kernel::kRender, cuda::Kernel::kAccumulate, cuda::Kernel::kConvolve,
          cuda::Kernel::kDirect, cuda::Kernel::kDirectRows, cuda::Kernel::kDirectReduce}) {
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

// The same where samples go by copies: direct form, whose floor is 83 MB. What the kernels load is
// what is said.
TEST_F(CallBytesTest, OfManyChannelsInDirectFormAreNearTheFloor) {
  SCOPED_TRACE("seed 32");
  test::Random random(32);
  const std::size_t rows = 10'000;
  const std::vector<std::size_t> taps(rows, 1'024);
  const FilterBank bank = test::random_bank(random, taps);
  const Routing routing = Routing::rows(rows, rows);
  EngineConfig config = live(32);
  config.gpu_mode = GpuMode::kThroughput;
  CudaOptions options;
  options.patience = std::chrono::minutes(10);  // the fake device takes seconds
  const auto backend = std::make_shared<CudaBackend>(*device_plugin().api, options);
  const PartitionPlan plan = choose_plan(config, bank, routing, abilities_of(*backend));
  SCOPED_TRACE(plan.describe());
  ASSERT_EQ(plan.kind, PlanKind::kDirect);
  const CallBytes said = test::bytes_of(plan, routing, taps, 8);
  EXPECT_EQ(said.floor, 4.0 * rows * (1'024 + 1'023 + 32));
  EXPECT_LE(said.loaded, kMostOverFloor * said.floor);

  // Blocks of 64 frames have their taps read once as well.
  PartitionPlan longer = plan;
  longer.call_frames = longer.piece_frames = 64;
  const CallBytes of_longer = test::bytes_of(longer, routing, taps, kMultiprocessors);
  EXPECT_LE(of_longer.loaded, kMostOverFloor * of_longer.floor);

  Convolver<float> convolver(backend, plan, config, bank, routing);
  test::Planes<float> planes(rows, 32);
  control_->reset_counts();
  convolver.process(planes.from(0), planes.from(0), 32);
  settle();
  const test::FakeDeviceCounts counted = counts();
  const auto sums = static_cast<std::size_t>(cuda::Kernel::kDirectRows);
  EXPECT_EQ(counted.bytes_loaded[sums], said.loaded);
  EXPECT_EQ(counted.kernels[sums], 1u);
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

// 1,000 channels, each through the same 64 filters of 1,000 taps, offline: one partition, in one
// kernel. Every window is read once, and every filter's spectrum once for each channel, all but the
// first time from the level-2 cache: the 64 of them are 1 MB. It has to give about as many bytes as
// the outputs have, which are what memory has to take.
TEST_F(CallBytesTest, OfEveryFilterOnEveryChannelAreTheFloor) {
  const std::size_t channels = 1'000;
  const std::size_t filters = 64;
  const auto [plan, bytes] = planned(offline(), Routing::bank(channels, filters),
                                     std::vector<std::size_t>(filters, 1'000));
  SCOPED_TRACE(plan.describe());
  const LevelPlan& level = plan.levels.front();
  ASSERT_EQ(plan.levels.size(), 1u);
  ASSERT_EQ(level.partitions, 1u);
  EXPECT_EQ(level.block_frames, level.transform_frames - 1'000 + 1);
  const double blocks =
      static_cast<double>(plan.call_frames) / static_cast<double>(level.block_frames);
  const double spectrum = kSpectrumBytes * static_cast<double>(level.bins());
  EXPECT_DOUBLE_EQ(bytes.floor, blocks * (filters + channels) * spectrum);
  EXPECT_DOUBLE_EQ(bytes.loaded - bytes.cached, bytes.floor);
  EXPECT_LE(filters * spectrum, kCacheBytes / 10);
  const double output_bytes =
      sizeof(float) * static_cast<double>(plan.call_frames * channels * filters);
  EXPECT_LE(bytes.cached, 1.4 * output_bytes);
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

/// A row of 32 bytes of twiddles for each thread and pass of a transform.
constexpr double twiddle_bytes(double threads, double passes) {
  return 32 * threads * passes;
}

// What the kernels load is what is said, also where there is nothing to carry from block to block;
// with the twiddles of every inverse.
TEST_F(CallBytesTest, AreThoseThatTheKernelsLoadOfASinglePartition) {
  SCOPED_TRACE("seed 31");
  test::Random random(31);
  const std::size_t inputs = 3;
  const std::size_t outputs = 8;
  const std::vector<std::size_t> taps(inputs * outputs, 1'000);
  const Routing routing = Routing::matrix(inputs, outputs, taps.size());
  EngineConfig config = offline();
  config.gpu_mode = GpuMode::kWhole;
  config.fail_over = false;
  config.partition_frames = {1'024};
  const FilterBank bank = test::random_bank(random, taps);
  Engine engine(config, bank, routing);
  ASSERT_EQ(engine.plan().levels.front().partitions, 1u);
  const Signal in = test::random_signal(random, inputs, 2 * engine.plan().call_frames);
  const CallBytes said = test::bytes_of(engine.plan(), routing, taps, 8);
  const double blocks = static_cast<double>(engine.plan().call_frames) / 1'024;
  EXPECT_DOUBLE_EQ(rendered(engine, in), said.loaded + blocks * outputs * twiddle_bytes(128, 4));
}

// The same of one kernel, on a device so small that an input has two items.
TEST_F(CallBytesTest, AreThoseThatOneKernelLoads) {
  SCOPED_TRACE("seed 32");
  configure("multiprocessors=1");
  test::Random random(32);
  const std::size_t channels = 2;
  const std::vector<std::size_t> taps(32, 1'000);
  const Routing routing = Routing::bank(channels, taps.size());
  for (const Spectra spectra : {Spectra::kFull, Spectra::kInt16}) {
    EngineConfig config = offline();
    config.gpu_mode = GpuMode::kWhole;
    config.fail_over = false;
    config.spectra = spectra;
    config.partition_frames = {4'096};
    Engine engine(config, test::random_bank(random, taps), routing);
    const PartitionPlan& plan = engine.plan();
    const LevelPlan& level = plan.levels.front();
    SCOPED_TRACE(plan.describe());
    ASSERT_EQ(level.transform_frames, 8'192u);
    const Signal in = test::random_signal(random, channels, 2 * plan.call_frames);
    const CallBytes said = test::bytes_of(plan, routing, taps, 1);
    const double loaded = rendered(engine, in);
    const double pieces =
        static_cast<double>(plan.call_frames) / static_cast<double>(level.block_frames);
    const double transforms = 2 * channels + channels * taps.size();
    EXPECT_DOUBLE_EQ(loaded, said.loaded + pieces * transforms * twiddle_bytes(512, 4));
    // Every channel is transformed twice.
    const double floor_spectra = channels + (spectra == Spectra::kFull ? 1 : 9.0 / 16) * 32;
    EXPECT_DOUBLE_EQ((said.loaded - said.cached) / said.floor,
                     (floor_spectra + channels) / floor_spectra);
    EXPECT_LE(said.loaded - said.cached, kMostOverFloor * said.floor);
  }
}

// Outputs that share inputs, delays, and more steps than one thread block should take.
TEST_F(CallBytesTest, AreThoseThatTheKernelsLoadOfAMatrixInDirectForm) {
  SCOPED_TRACE("seed 33");
  test::Random random(33);
  const std::vector<std::size_t> taps(6 * 10, 1'000);
  const Routing routing = test::random_routing(random, 6, 10, taps.size(), 60, 50);
  EngineConfig config = live(64);
  test::want_direct_form(config);
  config.fail_over = false;
  Engine engine(config, test::random_bank(random, taps), routing);
  ASSERT_EQ(engine.plan().kind, PlanKind::kDirect) << engine.plan().describe();
  const Signal in = test::random_signal(random, 6, 2 * 64);
  EXPECT_DOUBLE_EQ(rendered(engine, in), test::bytes_of(engine.plan(), routing, taps, 8).loaded);
}

}  // namespace
}  // namespace firbank
