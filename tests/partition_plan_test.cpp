#include "engine/partition_plan.hpp"

#include <bit>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::AllOf;
using testing::HasSubstr;

FilterBank bank_of(const std::vector<std::size_t>& lengths) {
  Random random(1);
  return test::random_bank(random, lengths);
}

PartitionPlan plan_for(std::size_t block_frames, std::size_t taps) {
  EngineConfig config;
  config.block_frames = block_frames;
  return PartitionPlan::choose(config, bank_of({taps}), Routing::rows(1, 1));
}

std::string refusal(const std::function<void(EngineConfig&)>& change) {
  EngineConfig config;
  change(config);
  try {
    PartitionPlan::choose(config, bank_of({10, 20}), Routing::rows(2, 2));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

TEST(PartitionPlan, CoversEveryTapAndDelay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const FilterBank bank = bank_of({1, test::between(random, 1, seed % 2 == 0 ? 200 : 60'000)});
    const Routing routing = test::random_routing(random, 2, 2, 2, 4, 5'000);
    EngineConfig config;
    config.block_frames = test::between(random, 1, seed % 3 == 0 ? 65'536 : 512);
    config.max_taps = seed % 4 == 0 ? bank.longest() + test::between(random, 0, 10'000) : 0;
    config.goal = seed % 5 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    const PartitionPlan plan = PartitionPlan::choose(config, bank, routing);
    EXPECT_EQ(plan.max_taps, config.max_taps == 0 ? bank.longest() : config.max_taps);
    EXPECT_EQ(plan.max_response, plan.max_taps + routing.max_delay());
    EXPECT_EQ(plan.latency_frames, 0u);
    EXPECT_GE(plan.call_frames, 1u);
    EXPECT_GT(plan.flops_per_frame, 0);
    EXPECT_GT(plan.memory_samples, 0u);
    if (config.goal == PlanGoal::kLive) {
      EXPECT_EQ(plan.call_frames, config.block_frames);
    }
    if (plan.kind == PlanKind::kDirect) {
      EXPECT_EQ(plan.partitions, 0u);
      EXPECT_EQ(plan.partition_frames, 0u);
      EXPECT_EQ(plan.forward_transforms, 0u);
      continue;
    }
    EXPECT_TRUE(std::has_single_bit(plan.transform_frames)) << plan.transform_frames;
    EXPECT_GE(plan.transform_frames, 2 * plan.partition_frames);
    EXPECT_GE(plan.partitions * plan.partition_frames, plan.max_response);
    EXPECT_LT((plan.partitions - 1) * plan.partition_frames, plan.max_response);
    EXPECT_GE(plan.forward_transforms, routing.inputs());
    EXPECT_GE(plan.inverse_transforms, routing.outputs());
  }
}

TEST(PartitionPlan, UsesTheDirectFormForVeryShortFilters) {
  for (const std::size_t block : {1, 16, 256, 4'096}) {
    EXPECT_EQ(plan_for(block, 1).kind, PlanKind::kDirect) << block;
    EXPECT_EQ(plan_for(block, 4).kind, PlanKind::kDirect) << block;
  }
}

TEST(PartitionPlan, UsesTransformsForLongFilters) {
  for (const std::size_t block : {64, 256, 1'024}) {
    const PartitionPlan plan = plan_for(block, 48'000);
    EXPECT_EQ(plan.kind, PlanKind::kUniform);
    EXPECT_GE(plan.partition_frames, block);
    EXPECT_LE(plan.partition_frames, 16 * block) << "calls are transformed over and over";
    EXPECT_LT(plan.flops_per_frame, 2.0 * 48'000 / 4) << "hardly cheaper than the direct form";
  }
}

// The promise behind a flat cost: calls of the nominal size are cut into the same pieces.
TEST(PartitionPlan, CutsEveryCallOfTheNominalSizeAlike) {
  for (std::size_t call = 1; call <= 32'768; call += 1 + call / 37) {
    for (const std::size_t taps : {1'500, 48'000}) {
      SCOPED_TRACE(testing::Message() << "calls of " << call << " frames, " << taps << " taps");
      const PartitionPlan plan = plan_for(call, taps);
      if (plan.kind == PlanKind::kDirect) continue;
      const std::size_t block = plan.partition_frames;
      EXPECT_TRUE(block % call == 0 || call % block == 0) << block;
      EXPECT_GE(4 * block, plan.transform_frames) << "less than half of the transform is used";
    }
  }
}

TEST(PartitionPlan, CutsCallsBeyondTheLargestTransformAsItCan) {
  EXPECT_EQ(plan_for(65'536, 48'000).partition_frames, 32'768u);
  EXPECT_EQ(plan_for(65'534, 48'000).partition_frames, 32'767u);
  EXPECT_EQ(plan_for(65'521, 48'000).partition_frames, 32'768u);  // a prime
}

TEST(PartitionPlan, NeverAsksForMoreThanTheNextSmallerBlockWould) {
  // What a frame costs falls as calls grow.
  double before = plan_for(16, 20'000).flops_per_frame;
  for (std::size_t block = 32; block <= 8'192; block *= 2) {
    const double now = plan_for(block, 20'000).flops_per_frame;
    EXPECT_LE(now, before) << block;
    before = now;
  }
}

TEST(PartitionPlan, IsCheaperOfflineThanLive) {
  EngineConfig config;
  config.block_frames = 64;
  const FilterBank bank = bank_of({48'000});
  const double live = PartitionPlan::choose(config, bank, Routing::rows(1, 1)).flops_per_frame;
  config.goal = PlanGoal::kOffline;
  const PartitionPlan offline = PartitionPlan::choose(config, bank, Routing::rows(1, 1));
  EXPECT_LT(offline.flops_per_frame, live / 4);
  EXPECT_GT(offline.call_frames, 1'024u);
}

TEST(PartitionPlan, DescribesItselfInOneLine) {
  const PartitionPlan plan = plan_for(256, 48'000);
  EXPECT_EQ(plan.describe(),
            fmt::format("uniform: {} partitions of {} taps, transforms of {}", plan.partitions,
                        plan.partition_frames, plan.transform_frames));
  EXPECT_THAT(plan_for(256, 2).describe(), HasSubstr("direct"));
}

TEST(PartitionPlan, RefusesWhatIsOutOfRange) {
  EXPECT_THAT(refusal([](EngineConfig& c) { c.block_frames = 0; }),
              AllOf(HasSubstr("block_frames"), HasSubstr("0"), HasSubstr("65536")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.block_frames = 65'537; }),
              AllOf(HasSubstr("block_frames"), HasSubstr("65537"), HasSubstr("65536")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_frames = 255; }),
              AllOf(HasSubstr("max_frames"), HasSubstr("255"), HasSubstr("256")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_frames = std::size_t{1} << 40; }),
              HasSubstr("max_frames"));
  EXPECT_THAT(
      refusal([](EngineConfig& c) { c.max_taps = 19; }),
      AllOf(HasSubstr("filter 1"), HasSubstr("20 taps"), HasSubstr("max_taps"), HasSubstr("19")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_taps = ~std::size_t{0}; }),
              HasSubstr("max_taps"));
}

// Neither the sum of the two nor a rounding up of it may wrap.
TEST(PartitionPlan, RefusesTapsAndDelaysNearTheEndOfTheirType) {
  constexpr std::size_t kMost = ~std::size_t{0};
  for (const std::size_t less : {0, 1, 10, 4'096, 65'536}) {
    for (const std::size_t delay : {std::size_t{0}, std::size_t{1}, less, less + 1, kMost - less}) {
      SCOPED_TRACE(testing::Message() << "SIZE_MAX - " << less << ", delay " << delay);
      const Routing routing(1, 1, {{.delay = delay}});
      EngineConfig config;
      config.max_taps = kMost - less;
      EXPECT_THROW(PartitionPlan::choose(config, bank_of({10}), routing), Error);
      if (delay != kMost - less) continue;
      for (const std::size_t taps : {std::size_t{0}, std::size_t{20}, less + 20}) {
        config.max_taps = taps;
        EXPECT_THROW(PartitionPlan::choose(config, bank_of({10}), routing), Error) << taps;
      }
    }
  }
}

TEST(PartitionPlan, IsMadeForFiltersAsLongAsDeclared) {
  for (const std::size_t block : {16, 64, 256, 1'024}) {
    for (const std::size_t taps : {300, 2'000, 48'000}) {
      SCOPED_TRACE(testing::Message() << "block " << block << ", max_taps " << taps);
      EngineConfig config;
      config.block_frames = block;
      config.max_taps = taps;
      const PartitionPlan declared =
          PartitionPlan::choose(config, bank_of({10, 1}), Routing::rows(2, 2));
      const PartitionPlan present =
          PartitionPlan::choose(config, bank_of({taps, taps}), Routing::rows(2, 2));
      EXPECT_EQ(declared.describe(), present.describe());
      EXPECT_EQ(declared.call_frames, present.call_frames);
    }
  }
}

}  // namespace
}  // namespace firbank
