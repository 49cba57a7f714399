// Plans in direct form on the fake device: what each block asks of it, and what becomes of swaps,
// resets and a device that fails.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using cuda::Kernel;
using test::between;
using test::Random;
using testing::HasSubstr;

constexpr std::size_t kBlock = 32;

class CudaDirectPlanTest : public test::TidyDeviceFixture {
 protected:
  static EngineConfig config(std::size_t depth = 0) {
    EngineConfig config;
    config.block_frames = kBlock;
    config.max_frames = 1'024;
    config.backend = "cuda";
    config.fail_over = false;
    config.depth_blocks = depth;
    test::want_direct_form(config);
    return config;
  }

  std::uint64_t runs_of(Kernel kernel) const {
    return counts().kernels[static_cast<std::size_t>(kernel)];
  }
};

TEST_F(CudaDirectPlanTest, LaunchesOneGraphABlockAndAsksForNothingElse) {
  SCOPED_TRACE("seed 1");
  Random random(1);
  const FilterBank bank = test::random_bank(random, {700, 64});
  const Routing routing = test::random_routing(random, 3, 2, 2, 6, 100);
  Engine engine(config(), bank, routing);
  ASSERT_EQ(engine.plan().kind, PlanKind::kDirect);
  const Signal in = test::random_signal(random, 3, 60 * kBlock);
  const auto calls = test::equal_calls(30 * kBlock, kBlock);
  test::run_process(engine, test::cut(in, 0, 30 * kBlock), calls);
  settle();
  control_->reset_counts();
  const Signal out = test::run_process(engine, test::cut(in, 30 * kBlock, 30 * kBlock), calls);
  settle();
  const test::FakeDeviceCounts counted = counts();
  EXPECT_EQ(counted.launches, 30u);
  EXPECT_EQ(counted.allocations + counted.pinned_allocations, 0u);
  EXPECT_EQ(counted.frees + counted.pinned_frees, 0u);
  EXPECT_EQ(counted.graphs_made + counted.uploads + counted.runs + counted.waits, 0u);
  EXPECT_EQ(runs_of(Kernel::kTakeSamples), 30u);
  EXPECT_EQ(runs_of(Kernel::kDirect) + runs_of(Kernel::kDirectRows), 30u);
  EXPECT_EQ(runs_of(Kernel::kForward), 0u);
  EXPECT_TRUE(test::follows(
      out, test::cut(direct_convolution(in, bank, routing, 60 * kBlock), 30 * kBlock, 30 * kBlock),
      1e-6));
}

// Shorter calls than the plan's, and longer ones, which are cut into pieces.
TEST_F(CudaDirectPlanTest, TakesCallsOfAnyLength) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig wanted = config();
    wanted.block_frames = between(random, 1, 100);
    wanted.gpu_mode = seed % 2 == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    const FilterBank bank = test::random_bank(random, {between(random, 1, 1'000), 1, 40});
    const Routing routing = test::random_routing(random, 3, 4, 3, 9, 200);
    Engine engine(wanted, bank, routing);
    ASSERT_EQ(engine.plan().kind, PlanKind::kDirect);
    const Signal in = test::random_signal(random, 3, 4'000);
    const auto calls = test::random_calls(random, 4'000, wanted.block_frames, 1'024);
    EXPECT_TRUE(test::follows(test::run_process(engine, in, calls),
                              direct_convolution(in, bank, routing, 4'000), 1e-6));
    BasicEngine<double> precise(wanted, bank, routing);
    EXPECT_TRUE(test::follows(test::run_process(precise, in, calls),
                              direct_convolution(in, bank, routing, 4'000), 1e-13));
  }
}

TEST_F(CudaDirectPlanTest, CopiesEachBlockOnceEachWayForThroughput) {
  constexpr std::size_t kBlocks = 30;
  for (const bool narrow : {false, true}) {
    SCOPED_TRACE(testing::Message() << "seed 20, narrow " << narrow);
    Random random(20);
    const FilterBank bank = test::random_bank(random, {500, 64, 20, 1, 300, 65});
    EngineConfig wanted = config(2);
    wanted.gpu_mode = GpuMode::kThroughput;
    Engine engine(wanted, bank, Routing::matrix(3, 2, 6));
    ASSERT_EQ(engine.plan().kind, PlanKind::kDirect);
    Signal in = test::random_signal(random, 3, kBlocks * kBlock);
    if (narrow) test::round_to_16_bits(in);
    test::Pulled pulled;
    engine.start();
    control_->reset_counts();
    test::push_all(engine, in, test::equal_calls(kBlocks * kBlock, kBlock), 0, kBlock, pulled);
    test::Patience patience;
    while (pulled.out[0].size() < (kBlocks - 2) * kBlock && patience.wait()) {
      test::pull_once(engine, kBlock, pulled);
    }
    EXPECT_EQ(counts().launches, 2 * kBlocks);  // and the word that an answer is home
    EXPECT_EQ(counts().copies, 2 * kBlocks);
    EXPECT_EQ(counts().bytes_copied_in, kBlocks * kBlock * 3 * (narrow ? 2 : 4));
    EXPECT_EQ(counts().bytes_copied_out, kBlocks * kBlock * 2 * 4);
    test::pull_to_end(engine, kBlock, pulled);
    engine.stop();
    EXPECT_TRUE(test::follows(pulled.out,
                              direct_convolution(in, bank, Routing::matrix(3, 2, 6),
                                                 kBlocks * kBlock + engine.tail_frames()),
                              1e-6));
  }
}

// Two banks are heard while one fades into the other; neither has anything to catch up with.
TEST_F(CudaDirectPlanTest, NeedsASecondLaunchOnlyWhileTwoBanksAreHeard) {
  SCOPED_TRACE("seed 4");
  Random random(4);
  const FilterBank first = test::random_bank(random, {600, 30});
  const FilterBank second = test::random_bank(random, {80, 600});
  const Routing routing = Routing::rows(2, 2);
  Engine engine(config(), first, routing);
  const Signal in = test::random_signal(random, 2, 60 * kBlock);
  Signal out(2);
  const auto launches = [&](std::size_t from, std::size_t blocks) {
    control_->reset_counts();
    const Signal part = test::run_process(engine, test::cut(in, from * kBlock, blocks * kBlock),
                                          test::equal_calls(blocks * kBlock, kBlock));
    for (std::size_t k = 0; k < 2; ++k) out[k].insert(out[k].end(), part[k].begin(), part[k].end());
    return counts().launches;
  };
  EXPECT_EQ(launches(0, 20), 20u);
  engine.swap(second, 30 * kBlock, 4 * kBlock);
  EXPECT_EQ(launches(20, 10), 10u);
  EXPECT_EQ(launches(30, 4), 8u);
  EXPECT_EQ(launches(34, 26), 26u);
  const Signal before = direct_convolution(in, first, routing, 60 * kBlock);
  const Signal after = direct_convolution(in, second, routing, 60 * kBlock);
  EXPECT_TRUE(
      test::follows(out, test::with_changes(before, {{after, 30 * kBlock, 4 * kBlock}}), 1e-6));
}

TEST_F(CudaDirectPlanTest, ForgetsThePastInAReset) {
  SCOPED_TRACE("seed 6");
  Random random(6);
  const FilterBank bank = test::random_bank(random, {900});
  const Routing routing(1, 2, {{.input = 0, .output = 0}, {.input = 0, .output = 1, .delay = 99}});
  Engine engine(config(), bank, routing);
  for (const std::size_t frames : {701, 33, 2'000}) {
    const Signal in = test::random_signal(random, 1, frames);
    const auto calls = test::random_calls(random, frames, kBlock, 300);
    EXPECT_TRUE(test::follows(test::run_process(engine, in, calls),
                              direct_convolution(in, bank, routing, frames), 1e-6));
    engine.reset();
  }
}

// What a plan says that it takes is what is allocated, in all modes, on the largest device that it
// reckons with: a smaller one has fewer shares of sums.
TEST_F(CudaDirectPlanTest, TakesTheMemoryThatThePlanSays) {
  configure("multiprocessors=256");
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig wanted = config(between(random, 0, 3));
    wanted.block_frames = between(random, 1, 600);
    wanted.max_frames = 0;
    wanted.ring_blocks = 8;
    wanted.gpu_mode = between(random, 0, 1) == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    if (between(random, 0, 3) == 0) wanted.goal = PlanGoal::kOffline;
    const std::size_t side = between(random, 1, 40);
    const std::size_t taps = between(random, 1, 1'024);
    const Routing routing = between(random, 0, 1) == 0 ? Routing::rows(side * 20, side * 20)
                                                       : Routing::matrix(side, 15, side * 15);
    const FilterBank bank =
        test::random_bank(random, std::vector<std::size_t>(routing.edges().size(), taps));
    const Engine engine(wanted, bank, routing);
    ASSERT_EQ(engine.plan().kind, PlanKind::kDirect);
    test::FakeDeviceMemory memory{};
    control_->memory(&memory);
    const auto taken = static_cast<double>(memory.device_bytes);
    const auto planned = static_cast<double>(engine.plan().memory_samples * sizeof(float));
    EXPECT_LE(taken, 1.03 * planned + 2e5);
    EXPECT_GE(taken, 0.9 * planned - 1e5);
  }
}

TEST_F(CudaDirectPlanTest, KeepsToAMemoryLimit) {
  SCOPED_TRACE("seed 9");
  Random random(9);
  const std::size_t rows = 100;
  const FilterBank bank = test::random_bank(random, std::vector<std::size_t>(rows, 1'000));
  EngineConfig wanted = config();
  const PartitionPlan plan =
      choose_plan(wanted, bank, Routing::rows(rows, rows), abilities_of(*make_backend("cuda")));
  ASSERT_EQ(plan.kind, PlanKind::kDirect);
  // Transforms take twice as much: below the direct form there is nothing.
  wanted.memory_limit_bytes = plan.memory_samples * sizeof(float);
  Engine(wanted, bank, Routing::rows(rows, rows));
  --wanted.memory_limit_bytes;
  EXPECT_THAT([&] { Engine(wanted, bank, Routing::rows(rows, rows)); },
              testing::ThrowsMessage<Error>(
                  HasSubstr(std::to_string(plan.memory_samples * sizeof(float)))));
}

TEST_F(CudaDirectPlanTest, SaysThatAFilterInUseCannotBeReplaced) {
  SCOPED_TRACE("seed 7");
  Random random(7);
  const FilterBank bank = test::random_bank(random, {90});
  Engine engine(config(), bank, Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 10 * kBlock);
  EXPECT_THAT([&] { engine.update(0, test::random_taps(random, 90)); },
              testing::Throws<std::exception>(
                  testing::Property(&std::exception::what, HasSubstr("swap the bank"))));
  EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(10 * kBlock, kBlock)),
                            direct_convolution(in, bank, Routing::rows(1, 1), 10 * kBlock), 1e-6));
}

TEST_F(CudaDirectPlanTest, IsSilentAndSaysSoOnceTheDeviceFails) {
  for (const char* failure : {"fail_launch=11", "fail_work=11"}) {
    SCOPED_TRACE(failure);
    configure(failure);
    Random random(8);
    const FilterBank bank = test::random_bank(random, {200});
    Engine engine(config(), bank, Routing::rows(1, 1));
    test::Planes<float> planes(test::random_signal(random, 1, kBlock));
    for (int block = 1; block <= 15; ++block) {
      const ProcessStatus status = engine.process(planes.from(0), planes.from(0), kBlock);
      EXPECT_EQ(status, block < 11 ? ProcessStatus::kOk : ProcessStatus::kBackendFailed) << block;
    }
    EXPECT_EQ(engine.stats().lost_frames, std::int64_t{5 * kBlock});
    EXPECT_NE(engine.failure(), "");
  }
}

}  // namespace
}  // namespace firbank
