// The CUDA backend on the fake device: what each block asks of the device, and what happens when
// the device does not do it.
#include "kernels/cuda/cuda_backend.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "io/block_queue.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/plan_bytes.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using cuda::Kernel;
using test::FakeDeviceCounts;
using test::Random;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kBlock = 64;

class CudaBackendTest : public test::TidyDeviceFixture {
 protected:
  static EngineConfig config(std::size_t depth = 0) {
    EngineConfig config;
    config.block_frames = kBlock;
    config.max_frames = 1'024;
    config.backend = "cuda";
    config.fail_over = false;
    config.depth_blocks = depth;
    return config;
  }

  static std::uint64_t bytes_loaded(const FakeDeviceCounts& counts,
                                    std::initializer_list<Kernel> kernels) {
    std::uint64_t bytes = 0;
    for (const Kernel kernel : kernels) {
      bytes += counts.bytes_loaded[static_cast<std::size_t>(kernel)];
    }
    return bytes;
  }
};

template <class Run>
void expect_quiet_running(const FakeDeviceCounts& counts, Run launches) {
  EXPECT_EQ(counts.launches, launches);
  EXPECT_EQ(counts.allocations, 0u);
  EXPECT_EQ(counts.pinned_allocations, 0u);
  EXPECT_EQ(counts.frees, 0u);
  EXPECT_EQ(counts.pinned_frees, 0u);
  EXPECT_EQ(counts.graphs_made, 0u);
  EXPECT_EQ(counts.uploads, 0u);
  EXPECT_EQ(counts.runs, 0u);
  EXPECT_EQ(counts.waits, 0u);
}

TEST_F(CudaBackendTest, LaunchesOneGraphABlockAndAsksForNothingElse) {
  Random random(1);
  SCOPED_TRACE("seed 1");
  const FilterBank bank = test::random_bank(random, {700, 64});
  const Routing routing = test::random_routing(random, 3, 2, 2, 6, 100);
  Engine engine(config(), bank, routing);
  ASSERT_EQ(engine.plan().levels.front().block_frames % kBlock, 0u);
  const Signal in = test::random_signal(random, 3, 60 * kBlock);
  test::run_process(engine, test::cut(in, 0, 30 * kBlock), test::equal_calls(30 * kBlock, kBlock));
  control_->reset_counts();
  test::run_process(engine, test::cut(in, 30 * kBlock, 30 * kBlock),
                    test::equal_calls(30 * kBlock, kBlock));
  expect_quiet_running(counts(), 30u);
}

TEST_F(CudaBackendTest, LaunchesOneGraphABlockAtAnyDepthOfThePipeline) {
  for (const std::size_t depth : {0, 1, 3}) {
    SCOPED_TRACE(testing::Message() << "seed 2, depth " << depth);
    Random random(2);
    const FilterBank bank = test::random_bank(random, {500});
    Engine engine(config(depth), bank, Routing::rows(2, 1));
    EXPECT_EQ(engine.latency_frames(), depth * kBlock);
    const Signal in = test::random_signal(random, 2, 40 * kBlock);
    test::Pulled pulled;
    engine.start();
    control_->reset_counts();
    test::push_all(engine, in, test::equal_calls(40 * kBlock, kBlock), 0, kBlock, pulled);
    test::Patience patience;
    while (pulled.out[0].size() < (40 - depth) * kBlock && patience.wait()) {
      test::pull_once(engine, kBlock, pulled);
    }
    expect_quiet_running(counts(), 40u);
    test::pull_to_end(engine, kBlock, pulled);
    engine.stop();
    EXPECT_TRUE(test::follows(
        pulled.out,
        direct_convolution(in, bank, Routing::rows(2, 1), 40 * kBlock + engine.tail_frames()),
        1e-6));
  }
}

// A copy each way, the graph, and the word that an answer is home; samples of 16 bits in two bytes.
TEST_F(CudaBackendTest, CopiesEachBlockOnceEachWayForThroughput) {
  constexpr std::size_t kBlocks = 30;
  for (const bool narrow : {false, true}) {
    SCOPED_TRACE(testing::Message() << "seed 20, narrow " << narrow);
    Random random(20);
    const FilterBank bank = test::random_bank(random, {500, 64, 20, 1, 300, 65});
    EngineConfig wanted = config();
    wanted.gpu_mode = GpuMode::kThroughput;
    Engine engine(wanted, bank, Routing::matrix(3, 2, 6));
    Signal in = test::random_signal(random, 3, 2 * kBlocks * kBlock);
    if (narrow) test::round_to_16_bits(in);
    const auto calls = test::equal_calls(kBlocks * kBlock, kBlock);
    test::run_process(engine, test::cut(in, 0, kBlocks * kBlock), calls);
    control_->reset_counts();
    const Signal out =
        test::run_process(engine, test::cut(in, kBlocks * kBlock, kBlocks * kBlock), calls);
    expect_quiet_running(counts(), 2 * kBlocks);
    EXPECT_EQ(counts().copies, 2 * kBlocks);
    EXPECT_EQ(counts().bytes_copied_in, kBlocks * kBlock * 3 * (narrow ? 2 : 4));
    EXPECT_EQ(counts().bytes_copied_out, kBlocks * kBlock * 2 * 4);
    const Signal all = direct_convolution(in, bank, Routing::matrix(3, 2, 6), in[0].size());
    EXPECT_TRUE(test::follows(out, test::cut(all, kBlocks * kBlock, kBlocks * kBlock), 1e-6));
  }
}

// One sample that is none of 16 bits, and the bytes are four for a while; never is one lost.
TEST_F(CudaBackendTest, SendsWhatDoesNotFitInto16BitsAsItIs) {
  constexpr std::size_t kBlocks = 150;
  for (const GpuMode mode : {GpuMode::kWhole, GpuMode::kThroughput}) {
    SCOPED_TRACE(testing::Message() << "seed 21, throughput " << (mode == GpuMode::kThroughput));
    Random random(21);
    const FilterBank bank = test::random_bank(random, {200});
    EngineConfig wanted = config();
    wanted.gpu_mode = mode;
    wanted.partition_frames = {kBlock};
    Engine engine(wanted, bank, Routing::rows(1, 1));
    Signal in = test::random_signal(random, 1, kBlocks * kBlock);
    test::round_to_16_bits(in);
    in[0][40 * kBlock + 7] = 0.1;
    control_->reset_counts();
    const Signal out = test::run_process(engine, in, test::equal_calls(kBlocks * kBlock, kBlock));
    EXPECT_TRUE(test::follows(
        out, direct_convolution(in, bank, Routing::rows(1, 1), kBlocks * kBlock), 1e-6));
    if (mode == GpuMode::kWhole) continue;
    // After 64 blocks it is tried again; with the first block comes the silence before it.
    EXPECT_EQ(counts().bytes_copied_in, (1 + kBlocks - 64) * kBlock * 2 + 64 * kBlock * 4);
  }
}

/// One partition, and each output hears one input: `taps` in blocks that leave as many exact.
struct Fused {
  Fused(EngineConfig config, std::uint64_t seed, std::size_t longest)
      : random(seed), bank(make_bank(longest)), engine(std::move(config), bank, routing) {}

  FilterBank make_bank(std::size_t longest) {
    return test::random_bank(random, {longest, 1, longest / 2, longest - 1, longest});
  }

  Random random;
  // Input 2 is not heard, nor does output 5 hear anything.
  Routing routing = Routing(4, 6,
                            {{.input = 0, .filter = 0, .output = 0},
                             {.input = 3, .filter = 1, .output = 4, .gain = 0.5},
                             {.input = 0, .filter = 2, .output = 1, .gain = -2, .delay = 1},
                             {.input = 1, .filter = 3, .output = 3, .delay = 1},
                             {.input = 0, .filter = 4, .output = 2}});
  FilterBank bank;
  BasicEngine<float> engine;
};

// Live in calls of blocks, whole or not, and offline in long ones.
TEST_F(CudaBackendTest, ConvolvesInOneKernelAPiece) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    EngineConfig wanted = config();
    test::want_transforms(wanted);
    wanted.goal = seed % 3 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    if (wanted.goal == PlanGoal::kOffline) {
      wanted.max_frames = 0;
      wanted.expected_frames = 5'000;  // long transforms do not repay their memory
    }
    wanted.gpu_mode = seed % 2 == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    wanted.spectra = seed % 4 == 0 ? Spectra::kInt16 : Spectra::kFull;
    Fused fused(wanted, seed, wanted.goal == PlanGoal::kOffline ? 700 : 60);
    ASSERT_EQ(fused.engine.plan().levels.front().partitions, 1u);
    const std::size_t call = fused.engine.plan().call_frames;
    const std::size_t frames = 8 * std::max<std::size_t>(call, 100);
    Signal in = test::random_signal(fused.random, 4, frames);
    if (seed % 5 == 0) test::round_to_16_bits(in);
    const auto calls =
        seed % 2 == 0 ? test::random_calls(fused.random, frames, call, fused.engine.max_frames())
                      : test::equal_calls(frames, call);
    control_->reset_counts();
    const Signal out = test::run_process(fused.engine, in, calls);
    const Signal oracle = direct_convolution(in, fused.bank, fused.routing, frames);
    EXPECT_TRUE(test::follows(out, oracle, wanted.spectra == Spectra::kInt16 ? 3.16e-5 : 1e-6));
    settle();
    const FakeDeviceCounts counted = counts();
    const auto launched = [&](Kernel kernel) {
      return counted.kernels[static_cast<std::size_t>(kernel)];
    };
    EXPECT_EQ(launched(Kernel::kConvolve), launched(Kernel::kBegin));
    EXPECT_GE(launched(Kernel::kConvolve), calls.size());
    EXPECT_EQ(launched(Kernel::kForward) + launched(Kernel::kRender), 0u);
  }
}

TEST_F(CudaBackendTest, ConvolvesInOneKernelAPieceOfDoubles) {
  SCOPED_TRACE("seed 23");
  EngineConfig wanted = config();
  test::want_transforms(wanted);
  wanted.goal = PlanGoal::kOffline;
  wanted.max_frames = 0;
  Random random(23);
  const FilterBank bank = test::random_bank(random, {300, 20});
  const Routing routing = Routing::bank(2, 2);
  wanted.expected_frames = 5'000;
  BasicEngine<double> engine(wanted, bank, routing);
  ASSERT_LE(engine.plan().levels.front().transform_frames, 4'096u) << engine.plan().describe();
  const Signal in = test::random_signal(random, 2, 20'000);
  const auto calls = test::random_calls(random, 20'000, 3'000, engine.max_frames());
  EXPECT_TRUE(test::follows(test::run_process(engine, in, calls),
                            direct_convolution(in, bank, routing, 20'000), 1e-13));
  EXPECT_GT(counts().kernels[static_cast<std::size_t>(Kernel::kConvolve)], 0u);
}

// While one bank fades into another, the second one transforms the window again, which has come
// with the first one's samples.
TEST_F(CudaBackendTest, FadesFromOneBankIntoAnotherThatConvolvesByItself) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    EngineConfig wanted = config(seed % 2 == 0 ? 2 : 0);
    test::want_transforms(wanted);
    Fused fused(wanted, seed, 60);
    ASSERT_EQ(fused.engine.plan().levels.front().partitions, 1u);
    const FilterBank next = fused.make_bank(50);
    const std::size_t frames = 30 * kBlock;
    const std::size_t live = test::between(fused.random, 1, 15 * kBlock);
    const std::size_t fade = test::between(fused.random, 0, 10 * kBlock);
    const Signal in = test::random_signal(fused.random, 4, frames);
    fused.engine.swap(next, static_cast<std::int64_t>(live), fade);
    const auto calls = test::random_calls(fused.random, frames, kBlock, 3 * kBlock);
    const Signal out = test::run_process(fused.engine, in, calls);
    const Signal oracle =
        test::with_changes(direct_convolution(in, fused.bank, fused.routing, frames),
                           {{direct_convolution(in, next, fused.routing, frames),
                             static_cast<std::int64_t>(live), fade}});
    EXPECT_TRUE(test::follows(out, oracle, 1e-6));
  }
}

// Blocks longer than half a window, also where transforms pass through memory, and where outputs
// hear several inputs.
TEST_F(CudaBackendTest, AnswersAllFramesThatASinglePartitionLeavesExact) {
  struct Job {
    Routing routing;
    std::size_t taps;
    std::uint64_t expected_frames;
  };
  for (const Job& job : {Job{Routing::rows(2, 2), 5'000, 0}, Job{Routing::matrix(2, 2, 4), 70, 0},
                         Job{Routing::matrix(2, 2, 4), 700, 5'000}}) {
    SCOPED_TRACE(testing::Message() << "seed 24, " << job.taps << " taps");
    Random random(24);
    const FilterBank bank =
        test::random_bank(random, std::vector<std::size_t>(job.routing.edges().size(), job.taps));
    EngineConfig wanted = config();
    test::want_transforms(wanted);
    wanted.goal = PlanGoal::kOffline;
    wanted.max_frames = 0;
    wanted.expected_frames = job.expected_frames;
    Engine engine(wanted, bank, job.routing);
    const LevelPlan& level = engine.plan().levels.front();
    SCOPED_TRACE(engine.plan().describe());
    ASSERT_EQ(level.block_frames, level.transform_frames - job.taps + 1);
    const std::size_t frames = 2 * engine.plan().call_frames;
    const Signal in = test::random_signal(random, 2, frames);
    const auto calls = test::random_calls(random, frames, level.block_frames, engine.max_frames());
    EXPECT_TRUE(test::follows(test::run_process(engine, in, calls),
                              direct_convolution(in, bank, job.routing, frames), 1e-6));
  }
}

// What a plan says that it takes is what is allocated, in all modes.
TEST_F(CudaBackendTest, TakesTheMemoryThatThePlanSays) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig wanted = config(test::between(random, 0, 3));
    wanted.block_frames = 16U << test::between(random, 0, 5);
    wanted.max_frames = 0;
    wanted.ring_blocks = 8;
    wanted.spectra = test::between(random, 0, 2) == 0 ? Spectra::kInt16 : Spectra::kFull;
    wanted.gpu_mode = test::between(random, 0, 1) == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    if (test::between(random, 0, 3) == 0) wanted.goal = PlanGoal::kOffline;
    const std::size_t side = test::between(random, 1, 6);
    const std::size_t taps = test::between(random, 1, 20'000);
    const Routing routing = test::between(random, 0, 1) == 0 ? Routing::rows(side, side)
                                                             : Routing::matrix(side, 5, side * 5);
    const FilterBank bank =
        test::random_bank(random, std::vector<std::size_t>(routing.edges().size(), taps));
    const auto check = [&]<class Sample>(const BasicEngine<Sample>& engine) {
      test::FakeDeviceMemory memory{};
      control_->memory(&memory);
      const auto taken = static_cast<double>(memory.device_bytes);
      const auto planned = static_cast<double>(engine.plan().memory_samples * sizeof(Sample));
      EXPECT_LE(taken, 1.03 * planned + 2e5) << engine.plan().describe();
      EXPECT_GE(taken, 0.9 * planned - 1e5) << engine.plan().describe();
    };
    if (seed % 3 == 0 && wanted.spectra == Spectra::kFull) {
      check(BasicEngine<double>(wanted, bank, routing));
    } else {
      check(Engine(wanted, bank, routing));
    }
  }
}

// The device's own memory is a limit like one that is asked for.
TEST_F(CudaBackendTest, PlansWithinTheMemoryThatIsThere) {
  Random random(22);
  SCOPED_TRACE("seed 22");
  const FilterBank bank = test::random_bank(random, std::vector<std::size_t>(8, 5'000));
  const Routing routing = Routing::rows(8, 8);
  EngineConfig wanted = config(2);
  wanted.goal = PlanGoal::kOffline;
  wanted.max_frames = 0;
  wanted.gpu_mode = GpuMode::kThroughput;
  const auto bytes_of_plan = [&] {
    const Engine engine(wanted, bank, routing);
    return engine.plan().memory_samples * sizeof(float);
  };
  const std::size_t most = bytes_of_plan() * 9 / 10;
  wanted.memory_limit_bytes = most;
  EXPECT_LE(bytes_of_plan(), most);
  wanted.memory_limit_bytes = 0;
  configure("memory=" + std::to_string(most));
  EXPECT_LE(bytes_of_plan(), most);
}

TEST_F(CudaBackendTest, ReadsTheBytesThatItsLayoutSays) {
  Random random(3);
  SCOPED_TRACE("seed 3");
  constexpr std::size_t kInputs = 3;
  constexpr std::size_t kOutputs = 10;
  constexpr std::size_t kBlocks = 10;
  const FilterBank bank =
      test::random_bank(random, std::vector<std::size_t>(kInputs * kOutputs, 2'000));
  EngineConfig uniform = config();
  uniform.partition_frames = {2 * kBlock};
  Engine engine(uniform, bank, Routing::matrix(kInputs, kOutputs, kInputs * kOutputs));
  // Whole blocks, so that each is one piece.
  const std::size_t block = engine.plan().levels.front().block_frames;
  const std::size_t partitions = engine.plan().levels.front().partitions;
  const std::size_t bins = engine.plan().levels.front().bins();
  ASSERT_LE(block, engine.max_frames());
  ASSERT_GT(partitions, 2u);

  const Signal in = test::random_signal(random, kInputs, 2 * partitions * block);
  test::run_process(engine, in, test::equal_calls(2 * partitions * block, block));
  ASSERT_LE(kBlocks, 2 * partitions);
  settle();
  control_->reset_counts();
  test::run_process(engine, test::cut(in, 0, kBlocks * block),
                    test::equal_calls(kBlocks * block, block));
  settle();

  SpectralBankShape shape;
  shape.terms.resize(kOutputs);
  for (std::size_t output = 0; output < kOutputs; ++output) {
    for (std::size_t input = 0; input < kInputs; ++input) {
      shape.terms[output].push_back({input, shape.partitions.size()});
      shape.partitions.push_back({0, partitions});
    }
  }
  const cuda::BankLayout layout = cuda::bank_layout(shape);
  const std::uint32_t splits = cuda::accumulate_splits(layout, static_cast<std::uint32_t>(bins),
                                                       sizeof(cuda::Complex<float>), 8);
  const cuda::BlockBytes bytes =
      cuda::block_bytes(layout, cuda::LevelKind::kFirst, static_cast<std::uint32_t>(bins),
                        sizeof(cuda::Complex<float>), splits);
  const FakeDeviceCounts counted = counts();
  const std::uint64_t loaded =
      bytes_loaded(counted, {Kernel::kRender, Kernel::kAccumulate, Kernel::kReduce});
  EXPECT_GE(loaded, kBlocks * bytes.loaded);
  // Render reads twiddles, too.
  EXPECT_LE(static_cast<double>(loaded), 1.1 * static_cast<double>(kBlocks * bytes.loaded));
}

/// 3 x 5 filters of 9,000 taps, in levels of 64, 256 and 2,048.
struct ManyLevels {
  explicit ManyLevels(EngineConfig config, std::uint64_t seed)
      : random(seed),
        bank(test::random_bank(random, std::vector<std::size_t>(15, 9'000))),
        engine(with_levels(std::move(config)), bank, routing) {}

  static EngineConfig with_levels(EngineConfig config) {
    config.partition_frames = {kBlock, 4 * kBlock, 32 * kBlock};
    return config;
  }

  Random random;
  Routing routing = Routing::matrix(3, 5, 15);
  FilterBank bank;
  Engine engine;
};

TEST_F(CudaBackendTest, LaunchesOneGraphABlockOfAnyPlan) {
  SCOPED_TRACE("seed 15");
  ManyLevels many(config(), 15);
  ASSERT_EQ(many.engine.plan().levels.size(), 3u);
  constexpr std::size_t kBlocks = 256;
  const Signal in = test::random_signal(many.random, 3, 2 * kBlocks * kBlock);
  const auto calls = test::equal_calls(kBlocks * kBlock, kBlock);
  Signal out = test::run_process(many.engine, test::cut(in, 0, kBlocks * kBlock), calls);
  control_->reset_counts();
  const Signal rest =
      test::run_process(many.engine, test::cut(in, kBlocks * kBlock, kBlocks * kBlock), calls);
  expect_quiet_running(counts(), kBlocks);
  for (std::size_t output = 0; output < out.size(); ++output) {
    out[output].insert(out[output].end(), rest[output].begin(), rest[output].end());
  }
  EXPECT_TRUE(test::follows(
      out, direct_convolution(in, many.bank, many.routing, 2 * kBlocks * kBlock), 1e-6));
}

// The newest block's answer waits for what it needs, and all else is spread: every call reads about
// the same, and as much as the layouts say.
TEST_F(CudaBackendTest, ReadsAboutTheSameInEveryBlockOfAPlanOfManyLevels) {
  for (const Spectra spectra : {Spectra::kFull, Spectra::kInt16}) {
    SCOPED_TRACE(testing::Message() << "seed 16, compact " << (spectra == Spectra::kInt16));
    EngineConfig wanted = config();
    wanted.spectra = spectra;
    ManyLevels many(wanted, 16);
    constexpr std::size_t kCycle = 32;  // blocks
    constexpr std::size_t kWarmUp = 5 * kCycle;
    const Signal in = test::random_signal(many.random, 3, (kWarmUp + 2 * kCycle) * kBlock);
    test::run_process(many.engine, test::cut(in, 0, kWarmUp * kBlock),
                      test::equal_calls(kWarmUp * kBlock, kBlock));
    settle();
    std::vector<double> bytes;
    for (std::size_t block = 0; block < 2 * kCycle; ++block) {
      control_->reset_counts();
      test::run_process(many.engine, test::cut(in, (kWarmUp + block) * kBlock, kBlock), {kBlock});
      settle();
      bytes.push_back(static_cast<double>(test::all_bytes_loaded(counts())));
    }
    const double mean = std::accumulate(bytes.begin(), bytes.end(), 0.0) / (2 * kCycle);
    EXPECT_LE(*std::max_element(bytes.begin(), bytes.end()), 1.25 * mean);

    const cuda::CallBytes said =
        test::bytes_of(many.engine.plan(), many.routing, std::vector<std::size_t>(15, 9'000), 8);
    EXPECT_GE(mean, said.loaded);
    // Samples and twiddles come in addition.
    EXPECT_LE(mean, 1.25 * said.loaded);
  }
}

TEST_F(CudaBackendTest, ForgetsThePastOfLaterLevelsInAReset) {
  SCOPED_TRACE("seed 17");
  ManyLevels many(config(), 17);
  // From a reset on, the windows of a later level reach back into what was before.
  for (const std::size_t frames : {7'001, 3'000, 12'345}) {
    const Signal in = test::random_signal(many.random, 3, frames);
    EXPECT_TRUE(test::follows(
        test::run_process(many.engine, in, test::random_calls(many.random, frames, kBlock, 1'024)),
        direct_convolution(in, many.bank, many.routing, frames), 1e-6))
        << frames;
    many.engine.reset();
  }
}

// What a bank that is heard at once has missed is computed in a launch of its own.
TEST_F(CudaBackendTest, CatchesUpWithALaterLevelInOneGo) {
  SCOPED_TRACE("seed 18");
  ManyLevels many(config(), 18);
  const FilterBank next = test::random_bank(many.random, std::vector<std::size_t>(15, 9'000));
  constexpr std::size_t kBefore = 200 * kBlock + 17;
  constexpr std::size_t kFrames = kBefore + 200 * kBlock;
  const Signal in = test::random_signal(many.random, 3, kFrames);
  Signal out =
      test::run_process(many.engine, test::cut(in, 0, kBefore), test::equal_calls(kBefore, kBlock));
  many.engine.swap(next, kBefore);
  const Signal rest = test::run_process(many.engine, test::cut(in, kBefore, kFrames - kBefore),
                                        test::equal_calls(kFrames - kBefore, kBlock));
  const Signal old = direct_convolution(in, many.bank, many.routing, kBefore);
  const Signal fresh = direct_convolution(in, next, many.routing, kFrames);
  EXPECT_TRUE(test::follows(out, old, 1e-6));
  EXPECT_TRUE(test::follows(rest, test::cut(fresh, kBefore, kFrames - kBefore), 1e-6));
}

// Transforms too long for one thread block go through global memory in passes.
TEST_F(CudaBackendTest, FollowsTheOracleWithLongTransformsInALaterLevel) {
  for (const bool compact : {false, true}) {
    SCOPED_TRACE(testing::Message() << "seed 19, compact " << compact);
    Random random(19);
    EngineConfig wanted = config();
    wanted.block_frames = 256;
    wanted.partition_frames = {256, 8'192};
    wanted.spectra = compact ? Spectra::kInt16 : Spectra::kFull;
    const FilterBank bank = test::random_bank(random, {20'000, 30'000});
    const Routing routing = Routing::bank(1, 2);
    const Signal in = test::random_signal(random, 1, 40'000);
    const auto calls = test::random_calls(random, 40'000, 256, 1'024);
    const Signal oracle = direct_convolution(in, bank, routing, 40'000);
    Engine engine(wanted, bank, routing);
    ASSERT_EQ(engine.plan().levels.size(), 2u);
    EXPECT_TRUE(
        test::follows(test::run_process(engine, in, calls), oracle, compact ? 3.16e-5 : 1e-6));
    if (compact) continue;
    BasicEngine<double> precise(wanted, bank, routing);
    EXPECT_TRUE(test::follows(test::run_process(precise, in, calls), oracle, 1e-13));
  }
}

TEST_F(CudaBackendTest, NeedsASecondLaunchOnlyWhileTwoBanksAreHeard) {
  Random random(4);
  SCOPED_TRACE("seed 4");
  const FilterBank first = test::random_bank(random, {600});
  const FilterBank second = test::random_bank(random, {600});
  Engine engine(config(), first, Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 60 * kBlock);
  const auto launches = [&](std::size_t from, std::size_t blocks) {
    control_->reset_counts();
    test::run_process(engine, test::cut(in, from * kBlock, blocks * kBlock),
                      test::equal_calls(blocks * kBlock, kBlock));
    return counts().launches;
  };
  EXPECT_EQ(launches(0, 20), 20u);
  engine.swap(second, 30 * kBlock, 4 * kBlock);
  launches(20, 10);
  EXPECT_EQ(launches(30, 4), 8u);
  EXPECT_EQ(launches(34, 20), 20u);
}

// A flush that finds the tail complete makes a swap live, and nothing follows.
TEST_F(CudaBackendTest, LeavesNothingUnderWayForABankThatGoes) {
  Random random(14);
  SCOPED_TRACE("seed 14");
  const Routing rows = Routing::rows(1, 1);
  Engine engine(config(), test::random_bank(random, {300}), rows);
  const Signal in = test::random_signal(random, 1, 20 * kBlock);
  test::run_process(engine, in, test::equal_calls(20 * kBlock, kBlock));
  test::Planes<float> planes(1, kBlock);
  const auto flush = [&] {
    while (engine.flush(planes.from(0), kBlock) > 0) {
    }
  };
  flush();
  FilterBank last = test::random_bank(random, {300});
  for (int i = 0; i < 4; ++i) {
    last = test::random_bank(random, {300});
    engine.swap(last, 0);
    flush();
  }
  const std::uint64_t freed = counts().graphs_freed;
  EXPECT_THROW(engine.swap(test::random_bank(random, {5'000}), 0), Error);
  EXPECT_GT(counts().graphs_freed, freed) << "this should free the banks that have gone";
  engine.reset();
  EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(20 * kBlock, kBlock)),
                            direct_convolution(in, last, rows, 20 * kBlock), 1e-6));
}

TEST_F(CudaBackendTest, AnswersRightlyThoughLate) {
  configure("delay_us=3000");
  Random random(5);
  SCOPED_TRACE("seed 5");
  const FilterBank bank = test::random_bank(random, {300});
  Engine engine(config(), bank, Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 20 * kBlock);
  EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(20 * kBlock, kBlock)),
                            direct_convolution(in, bank, Routing::rows(1, 1), 20 * kBlock), 1e-6));
  EXPECT_EQ(engine.stats().lost_frames, 0);
  EXPECT_EQ(engine.failure(), "");
}

TEST_F(CudaBackendTest, IsSilentAndSaysSoOnceTheDeviceFails) {
  for (const auto& [failure, taps] : {std::pair{"fail_launch=11", 300},
                                      {"fail_work=11", 300},
                                      {"fail_launch=11", 50},
                                      {"fail_work=11", 50}}) {
    SCOPED_TRACE(testing::Message() << "seed 6, " << failure << ", " << taps << " taps");
    configure(failure);
    Random random(6);
    const FilterBank bank = test::random_bank(random, {static_cast<std::size_t>(taps)});
    Engine engine(config(), bank, Routing::rows(1, 1));
    const Signal in = test::random_signal(random, 1, 20 * kBlock);
    test::Planes<float> input(in);
    test::Planes<float> output(1, 20 * kBlock);
    for (std::size_t block = 0; block < 20; ++block) {
      const ProcessStatus status =
          engine.process(input.from(block * kBlock), output.from(block * kBlock), kBlock);
      EXPECT_EQ(status, block < 10 ? ProcessStatus::kOk : ProcessStatus::kBackendFailed) << block;
    }
    const Signal out = output.signal();
    const Signal oracle = direct_convolution(in, bank, Routing::rows(1, 1), 20 * kBlock);
    EXPECT_TRUE(
        test::follows(test::cut(out, 0, 10 * kBlock), test::cut(oracle, 0, 10 * kBlock), 1e-6));
    EXPECT_EQ(test::cut(out, 10 * kBlock, 10 * kBlock)[0], std::vector<double>(10 * kBlock));
    EXPECT_EQ(engine.stats().lost_frames, 10 * static_cast<std::int64_t>(kBlock));
    EXPECT_EQ(engine.stats().first_lost_frame, 10 * static_cast<std::int64_t>(kBlock));
    EXPECT_THAT(engine.failure(), AllOf(Not(testing::IsEmpty()), Not(HasSubstr("\n"))));
  }
}

TEST_F(CudaBackendTest, MarksTheBlocksThatThePipelineLoses) {
  configure("fail_work=11");
  Random random(7);
  SCOPED_TRACE("seed 7");
  Engine engine(config(2), test::random_bank(random, {300}), Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 20 * kBlock);
  test::Pulled pulled;
  engine.start();
  test::push_all(engine, in, test::equal_calls(20 * kBlock, kBlock), 0, kBlock, pulled);
  test::pull_to_end(engine, kBlock, pulled);
  engine.stop();
  ASSERT_GE(pulled.blocks.size(), 20u);
  for (const test::PulledBlock& block : pulled.blocks) {
    // Blocks that were under way when the failure became known may be lost with it.
    if (block.first_frame < 8 * static_cast<std::int64_t>(kBlock)) {
      EXPECT_FALSE(has(block.flags, BlockFlags::kLost)) << block.first_frame;
    }
    if (block.first_frame >= 10 * static_cast<std::int64_t>(kBlock)) {
      EXPECT_TRUE(has(block.flags, BlockFlags::kLost)) << block.first_frame;
    }
  }
}

TEST_F(CudaBackendTest, GivesUpADeviceThatHangs) {
  configure("hang=4");
  const auto begun = std::chrono::steady_clock::now();
  {
    CudaOptions options;
    options.patience = std::chrono::milliseconds(50);
    Random random(8);
    SCOPED_TRACE("seed 8");
    const FilterBank bank = test::random_bank(random, {300});
    const Routing routing = Routing::rows(1, 1);
    Convolver<float> convolver(std::make_shared<CudaBackend>(*device_plugin().api, options),
                               choose_plan(config(), bank, routing, {.shares = false}), config(),
                               bank, routing);
    test::Planes<float> planes(test::random_signal(random, 1, kBlock));
    for (int block = 1; block <= 6; ++block) {
      EXPECT_EQ(convolver.process(planes.from(0), planes.from(0), kBlock),
                block < 4 ? ProcessStatus::kOk : ProcessStatus::kBackendFailed)
          << block;
    }
    EXPECT_THAT(convolver.backend().failure(), HasSubstr("no answer"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST_F(CudaBackendTest, RefusesWhatTheDeviceHasNoMemoryFor) {
  Random random(9);
  const FilterBank bank = test::random_bank(random, {20'000});
  configure("memory=100000");
  try {
    Engine engine(config(), bank, Routing::rows(1, 1));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("bytes of device memory"), Not(HasSubstr("\n"))));
  }
}

TEST_F(CudaBackendTest, KeepsTheOldBankWhenThereIsNoMemoryForANewOne) {
  Random random(10);
  SCOPED_TRACE("seed 10");
  const FilterBank bank = test::random_bank(random, {2'000});
  Engine engine(config(), bank, Routing::rows(1, 1));
  test::FakeDeviceMemory memory{};
  control_->memory(&memory);
  configure(("memory=" + std::to_string(memory.device_bytes + 1'000)).c_str());
  EXPECT_THROW(engine.swap(test::random_bank(random, {2'000}), 0), Error);
  const Signal in = test::random_signal(random, 1, 3'000);
  EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(3'000, kBlock)),
                            direct_convolution(in, bank, Routing::rows(1, 1), 3'000), 1e-6));
}

TEST_F(CudaBackendTest, SaysInOneLineWhyItCannotRunAndLeavesAutoToTheCpu) {
  Random random(11);
  const FilterBank bank = test::random_bank(random, {10});
  for (const auto& [settings, reason] : {std::pair{"driver=none", "driver"},
                                         {"driver=old", "driver"},
                                         {"devices=0", "no GPU"},
                                         {"kernels=none", "no kernels"},
                                         {"memory=1000", "memory"}}) {
    SCOPED_TRACE(settings);
    configure(settings);
    for (const char* name : {"cuda", "cuda:0"}) {
      EngineConfig wanted = config();
      wanted.backend = name;
      try {
        Engine engine(wanted, bank, Routing::rows(1, 1));
        ADD_FAILURE() << "accepted";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
        EXPECT_THAT(error.what(), AllOf(HasSubstr(reason), Not(HasSubstr("\n"))));
      }
    }
    EngineConfig anything = config();
    anything.backend = "auto";
    EXPECT_THAT(Engine(anything, bank, Routing::rows(1, 1)).backend(), HasSubstr("cpu"));
  }
}

TEST_F(CudaBackendTest, ChoosesTheDeviceThatItsNameSays) {
  configure("devices=2");
  Random random(12);
  const FilterBank bank = test::random_bank(random, {10});
  for (const char* name : {"cuda", "cuda:0", "cuda:1"}) {
    EngineConfig wanted = config();
    wanted.backend = name;
    Engine engine(wanted, bank, Routing::rows(1, 1));
    EXPECT_EQ(engine.backend(), std::string(name) == "cuda:1" ? "cuda:1" : "cuda:0");
    EXPECT_EQ(engine.threads(), 1u);
  }
  for (const char* name : {"cuda:2", "cuda:", "cuda:-1", "cuda:x"}) {
    EngineConfig wanted = config();
    wanted.backend = name;
    EXPECT_THROW(Engine(wanted, bank, Routing::rows(1, 1)), Error) << name;
  }
}

TEST_F(CudaBackendTest, GivesRingsMemoryThatTheDeviceReaches) {
  const auto backend = make_backend("cuda");
  ASSERT_NE(backend, nullptr);
  BlockQueue queue(2, 64, 4, backend->memory());
  Block* block = queue.try_acquire();
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(control_->memory_at(block->planes[1] + 63), test::FakeMemory::kPinned);
}

}  // namespace
}  // namespace firbank
