// Partitions that are several blocks long: chosen where they spare products, and the same answers
// with any calls, threads, backend and banks.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/cost_model.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;

/// Costs with which few long partitions are often cheaper than many short ones (products), than one
/// with a longer transform, and than the direct form.
CostModel long_partition_costs() {
  CostModel costs;
  for (double& ns : costs.product_ns) ns *= 40;
  for (double& ns : costs.transform_ns) ns *= 10;
  costs.direct_product_ns *= 100'000;
  costs.slice_ns = 1e6;
  return costs;
}

/// A block, and up to twice as many taps as the transform for a few blocks has room for.
void choose_sizes(EngineConfig& config, Random& random) {
  config.block_frames = test::between(random, 5, 160);
  const std::size_t blocks = test::between(random, 2, 7);
  config.max_taps =
      config.block_frames * blocks + test::between(random, 1, config.block_frames * blocks);
  config.costs = long_partition_costs();
}

/// The plans that the cases below would have.
TEST(LongPartitions, AreWholeBlocksAndFitTheirTransform) {
  std::size_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    EngineConfig config;
    choose_sizes(config, random);
    const PartitionPlan plan = choose_plan(config, test::random_bank(random, {config.max_taps}),
                                           Routing::rows(3, 1), PlanAbilities{});
    if (plan.levels.empty() || plan.levels.front().partition_blocks == 1) continue;
    ++seen;
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << plan.describe());
    const LevelPlan& level = plan.levels.front();
    EXPECT_EQ(plan.levels.size(), 1u);
    EXPECT_GE(level.partitions, 2u);
    EXPECT_FALSE(level.pairs);
    EXPECT_EQ(level.partition_taps, level.partition_blocks * level.block_frames);
    EXPECT_LE(level.partition_taps + level.block_frames - 1, level.transform_frames);
    EXPECT_EQ(level.blocks_met(), (level.partitions - 1) * level.partition_blocks + 1);
    // With a block less in each they would be more.
    EXPECT_GT(config.max_taps, level.partitions * (level.partition_taps - level.block_frames));
  }
  EXPECT_GE(seen, 100u);
}

template <class Sample>
class LongPartitionsCalls : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(LongPartitionsCalls, SampleTypes);

TYPED_TEST(LongPartitionsCalls, FollowDirectConvolutionInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 800 : 120;
  std::size_t long_ones = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    choose_sizes(config, random);
    config.threads = test::between(random, 1, 3);
    config.spectra = Spectra::kFull;
    test::use_backend(config, backends[seed % backends.size()]);
    const std::size_t inputs = test::between(random, 2, 6);
    const std::size_t filters = inputs;
    const Routing routing = Routing::rows(inputs, filters);
    const auto any_bank = [&] {
      std::vector<std::size_t> lengths(filters);
      for (auto& length : lengths) length = test::between(random, 1, config.max_taps);
      lengths.front() = config.max_taps;
      return test::random_bank(random, lengths);
    };
    FilterBank bank = any_bank();
    BasicEngine<TypeParam> engine(config, bank, routing);
    const std::vector<LevelPlan>& levels = engine.plan().levels;
    if (!levels.empty() && levels.front().partition_blocks > 1) ++long_ones;

    // The second stream comes after a reset, with the filters that the first one left.
    for (int stream = 0; stream < 2; ++stream) {
      SCOPED_TRACE(testing::Message()
                   << "seed " << seed << ", stream " << stream << ", backend " << config.backend
                   << ", " << config.threads << " threads, block " << config.block_frames << ", "
                   << engine.plan().describe());
      const std::size_t frames = test::between(random, 1, 6'000);
      Signal in = test::random_signal(random, inputs, frames);
      if (test::between(random, 0, 3) == 0) {
        in[test::between(random, 0, inputs - 1)][test::between(random, 0, frames - 1)] =
            std::numeric_limits<double>::infinity();
      }
      FilterBank next = bank;
      std::size_t at = 0;
      std::size_t fade = 0;
      if (test::between(random, 0, 1) == 0) {
        at = test::between(random, 0, frames - 1);
        fade = test::between(random, 0, std::min<std::size_t>(frames - at - 1, 2'000));
        next = any_bank();
        engine.swap(next, engine.position() + static_cast<std::int64_t>(at), fade);
      }
      const std::vector<std::size_t> calls =
          test::random_calls(random, frames, config.block_frames, engine.max_frames());
      const Signal heard = test::run_process(engine, in, calls);
      const Signal out = test::joined(heard, test::run_flush(engine, engine.max_frames()));
      const std::size_t length = frames + engine.tail_frames();
      const Signal oracle = test::with_changes(
          direct_convolution(in, bank, routing, length),
          {{direct_convolution(in, next, routing, length), static_cast<std::int64_t>(at), fade}});
      EXPECT_TRUE(test::follows(out, oracle, test::kErrorLimit<TypeParam>));
      engine.reset();
      bank = next;
    }
  }
  if (backends.front().starts_with("cpu")) {
    EXPECT_GE(long_ones, seeds / 4) << "of " << seeds;
  }
}

TEST(LongPartitions, ArePartOfAWideProbe) {
  EngineConfig config;
  config.block_frames = 300;
  Random random(1);
  const FilterBank bank = test::random_bank(random, {1'024});
  const PartitionPlan plan = choose_plan(config, bank, Routing::rows(4'096, 1), PlanAbilities{});
  ASSERT_EQ(plan.levels.size(), 1u);
  EXPECT_EQ(plan.levels.front().partitions, 2u) << plan.describe();
  EXPECT_EQ(plan.levels.front().partition_taps, 600u);
  EXPECT_EQ(plan.levels.front().transform_frames, 1'024u);
}

}  // namespace
}  // namespace firbank
