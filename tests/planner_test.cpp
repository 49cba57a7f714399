#include "engine/planner.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/plan_memory.hpp"
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
  return choose_plan(config, bank_of({taps}), Routing::rows(1, 1));
}

std::string refusal(const std::function<void(EngineConfig&)>& change) {
  EngineConfig config;
  change(config);
  try {
    choose_plan(config, bank_of({10, 20}), Routing::rows(2, 2));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

/// Every tap belongs to one level, and every answer is there when it is due.
void expect_legal(const PartitionPlan& plan) {
  ASSERT_FALSE(plan.levels.empty());
  const std::size_t first = plan.levels.front().block_frames;
  const std::size_t slice = std::min(plan.call_frames, first);
  std::size_t next_tap = 0;
  for (std::size_t k = 0; k < plan.levels.size(); ++k) {
    SCOPED_TRACE(testing::Message() << plan.describe() << ", level " << k);
    const LevelPlan& level = plan.levels[k];
    EXPECT_TRUE(std::has_single_bit(level.transform_frames)) << level.transform_frames;
    EXPECT_EQ(level.first_tap, next_tap);
    next_tap = level.end_tap();
    EXPECT_LT(level.end_tap() - level.partition_taps, plan.max_response) << "an empty partition";
    EXPECT_LE(level.block_frames + level.partition_taps - 1, level.transform_frames);
    if (level.partitions > 1) {
      EXPECT_EQ(level.partition_taps, level.partition_blocks * level.block_frames);
    }
    if (k > 0) {
      EXPECT_EQ(level.partition_blocks, 1u);
    }
    if (level.block_frames > level.bins()) {
      EXPECT_EQ(level.partitions, 1u);
      EXPECT_EQ(plan.levels.size(), 1u);
    }
    if (k == 0) continue;
    EXPECT_EQ(level.block_frames % first, 0u);
    EXPECT_EQ(level.first_tap % first, 0u);
    EXPECT_GE(level.first_tap + slice, 2 * level.block_frames) << "too late to be spread";
  }
  EXPECT_GE(next_tap, plan.max_response);
}

TEST(Planner, CoversEveryTapAndDelay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const FilterBank bank = bank_of({1, test::between(random, 1, seed % 2 == 0 ? 200 : 60'000)});
    const Routing routing = test::random_routing(random, 2, 2, 2, 4, 5'000);
    EngineConfig config;
    config.block_frames = test::between(random, 1, seed % 3 == 0 ? 65'536 : 512);
    config.max_taps = seed % 4 == 0 ? bank.longest() + test::between(random, 0, 10'000) : 0;
    config.goal = seed % 5 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    const PartitionPlan plan = choose_plan(config, bank, routing);
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
      EXPECT_TRUE(plan.levels.empty());
      continue;
    }
    expect_legal(plan);
  }
}

TEST(Planner, UsesTheDirectFormForVeryShortFilters) {
  for (const std::size_t block : {1, 16, 256, 4'096}) {
    EXPECT_EQ(plan_for(block, 1).kind, PlanKind::kDirect) << block;
    EXPECT_EQ(plan_for(block, 4).kind, PlanKind::kDirect) << block;
  }
}

TEST(Planner, UsesTransformsForLongFilters) {
  for (const std::size_t block : {64, 256, 1'024}) {
    const PartitionPlan plan = plan_for(block, 48'000);
    EXPECT_EQ(plan.kind, PlanKind::kPartitioned);
    EXPECT_GE(plan.levels.front().block_frames, block);
    EXPECT_LE(plan.levels.front().block_frames, 16 * block)
        << "calls are transformed over and over";
    EXPECT_LT(plan.flops_per_frame, 2.0 * 48'000 / 4) << "hardly cheaper than the direct form";
  }
}

// The promise behind a flat cost: calls of the nominal size are cut into the same pieces.
TEST(Planner, CutsEveryCallOfTheNominalSizeAlike) {
  for (std::size_t call = 1; call <= 32'768; call += 1 + call / 37) {
    for (const std::size_t taps : {1'500, 48'000}) {
      SCOPED_TRACE(testing::Message() << "calls of " << call << " frames, " << taps << " taps");
      const PartitionPlan plan = plan_for(call, taps);
      if (plan.kind == PlanKind::kDirect) continue;
      const std::size_t block = plan.levels.front().block_frames;
      EXPECT_TRUE(block % call == 0 || call % block == 0) << block;
      for (const LevelPlan& level : plan.levels) {
        EXPECT_GE(2 * (level.block_frames + level.partition_taps), level.transform_frames)
            << "less than half of the transform is used";
      }
    }
  }
}

TEST(Planner, CutsCallsBeyondTheLargestTransformAsItCan) {
  EXPECT_EQ(65'536 % plan_for(65'536, 48'000).levels.front().block_frames, 0u);
  EXPECT_EQ(plan_for(65'534, 48'000).levels.front().block_frames, 32'767u);
  EXPECT_EQ(plan_for(65'521, 48'000).levels.front().block_frames, 32'768u);  // a prime
}

TEST(Planner, NeverAsksForMoreThanTheNextSmallerBlockWould) {
  // What a frame costs falls as calls grow.
  double before = plan_for(16, 20'000).flops_per_frame;
  for (std::size_t block = 32; block <= 8'192; block *= 2) {
    const double now = plan_for(block, 20'000).flops_per_frame;
    EXPECT_LE(now, before) << block;
    before = now;
  }
}

TEST(Planner, IsCheaperOfflineThanLive) {
  EngineConfig config;
  config.block_frames = 64;
  const FilterBank bank = bank_of({48'000});
  const double live = choose_plan(config, bank, Routing::rows(1, 1)).flops_per_frame;
  config.goal = PlanGoal::kOffline;
  const PartitionPlan offline = choose_plan(config, bank, Routing::rows(1, 1));
  EXPECT_LT(offline.flops_per_frame, live / 3);
  EXPECT_GT(offline.call_frames, 1'024u);
}

TEST(Planner, GivesShortFilesPlansThatRepayTheirConstruction) {
  std::vector<std::size_t> lengths;
  for (std::size_t taps = 100; taps < 10'000; taps += 100) lengths.push_back(taps);
  const FilterBank bank = bank_of(lengths);
  EngineConfig config;
  const auto plan_of = [&](std::uint64_t frames) {
    config.expected_frames = frames;
    return choose_plan(config, bank, Routing::bank(1, lengths.size()));
  };
  config.goal = PlanGoal::kOffline;
  const PartitionPlan endless = plan_of(0);
  EXPECT_EQ(plan_of(std::uint64_t{1} << 40).describe(), endless.describe());
  EXPECT_EQ(plan_of(std::numeric_limits<std::uint64_t>::max()).describe(), endless.describe());
  const PartitionPlan brief = plan_of(50'000);
  EXPECT_LT(brief.levels.front().transform_frames, endless.levels.front().transform_frames);
  EXPECT_LT(brief.memory_samples, endless.memory_samples / 2);
  EXPECT_GT(brief.ns_per_frame, endless.ns_per_frame);  // all is counted
  EXPECT_EQ(plan_of(1).levels.size(), 1u);
  config.goal = PlanGoal::kLive;
  EXPECT_EQ(plan_of(50'000).ns_per_frame, plan_of(0).ns_per_frame);
}

TEST(Planner, CountsTheTailInDirectFormToo) {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  config.expected_frames = 200;
  const auto plans = cheapest_plans(config, bank_of({1'000}), Routing::rows(1, 1));
  ASSERT_EQ(plans.size(), 2u);
  for (const PartitionPlan& plan : plans) {
    if (plan.kind != PlanKind::kDirect) continue;
    const double products = 1'000 * (200 + 999) * CostModel{}.direct_product_ns;
    EXPECT_GE(plan.ns_per_frame * 200, products);
    EXPECT_LE(plan.ns_per_frame * 200, 2 * products);
  }
}

TEST(Planner, DescribesItselfInOneLine) {
  EngineConfig config;
  config.block_frames = 64;
  config.partition_frames = {64};
  const auto described = [&config](std::size_t taps) {
    return choose_plan(config, bank_of({taps}), Routing::rows(1, 1)).describe();
  };
  EXPECT_EQ(described(64), "uniform: 1 partition of 64 taps, transforms of 128");
  EXPECT_EQ(described(20'000), "uniform: 313 partitions of 64 taps, transforms of 128");
  config.partition_frames = {64, 512, 4'096};
  EXPECT_EQ(described(20'000), "non-uniform: 15 partitions of 64 taps, 14 of 512, 3 of 4096");
  EXPECT_THAT(plan_for(256, 2).describe(), HasSubstr("direct"));
}

// Garcia's optimum and the tables of later authors agree in shape: a long filter at a small block
// wants a few sizes, some factors of two apart.
TEST(Planner, UsesLongerPartitionsForLaterTaps) {
  for (const std::size_t block : {64, 256, 1'024}) {
    const PartitionPlan plan = plan_for(block, 480'000);
    SCOPED_TRACE(plan.describe());
    EXPECT_GE(plan.levels.size(), 2u);
    EXPECT_GE(plan.levels.back().block_frames, 8'192u);
    EXPECT_LE(plan.worst_over_mean, 1.5);
    EngineConfig config;
    config.block_frames = block;
    config.partition_frames = {block};
    const PartitionPlan uniform = choose_plan(config, bank_of({480'000}), Routing::rows(1, 1));
    EXPECT_EQ(uniform.levels.size(), 1u);
    EXPECT_LT(plan.ns_per_frame, uniform.ns_per_frame / 2);
    EXPECT_LT(plan.flops_per_frame, uniform.flops_per_frame / 2);
  }
}

// However much cheaper the mean would be.
TEST(Planner, ChoosesNoPlanWhoseCallsDifferMuch) {
  std::size_t sliced = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const std::size_t channels = test::between(random, 1, 4);
    const FilterBank bank = bank_of({test::between(random, 5'000, 60'000)});
    EngineConfig config;
    config.block_frames = std::size_t{1} << test::between(random, 3, 8);
    const PartitionPlan plan = choose_plan(config, bank, Routing::rows(channels, 1));
    if (plan.levels.size() == 1) continue;
    ++sliced;
    EXPECT_LE(plan.worst_over_mean, 1.75) << "seed " << seed << ", " << plan.describe();
  }
  EXPECT_GT(sliced, 50u);
}

TEST(Planner, ComparesTheCheapestPlanOfEachNumberOfLevels) {
  EngineConfig config;
  config.block_frames = 64;
  const auto plans = cheapest_plans(config, bank_of({60'000}), Routing::rows(1, 1));
  ASSERT_GE(plans.size(), 3u);
  std::vector<bool> seen(6);
  for (std::size_t k = 0; k < plans.size(); ++k) {
    SCOPED_TRACE(plans[k].describe());
    EXPECT_FALSE(seen.at(plans[k].levels.size()));
    seen.at(plans[k].levels.size()) = true;
    expect_legal(plans[k]);
    if (k > 0) {
      EXPECT_GE(plans[k].ns_per_frame, plans[k - 1].ns_per_frame);
    }
  }
  EXPECT_TRUE(seen[1]);
  // No list of sizes gives a cheaper plan of as many, unless its calls differ more.
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    config.partition_frames = test::random_partition_frames(random, 256);
    const PartitionPlan other = choose_plan(config, bank_of({60'000}), Routing::rows(1, 1));
    const auto same_levels = std::find_if(plans.begin(), plans.end(), [&](const auto& plan) {
      return plan.levels.size() == other.levels.size();
    });
    if (same_levels == plans.end() || other.worst_over_mean > 1.5) continue;
    EXPECT_GE(other.ns_per_frame, same_levels->ns_per_frame) << other.describe();
  }
}

TEST(Planner, TakesTheSizesThatItIsGiven) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig config;
    config.partition_frames = test::random_partition_frames(random, 2'000);
    config.block_frames = test::between(random, 1, 3'000);
    const FilterBank bank = bank_of({test::between(random, 1, 40'000), 7});
    const PartitionPlan plan = choose_plan(config, bank, Routing::rows(2, 2));
    EXPECT_EQ(plan.kind, PlanKind::kPartitioned);
    expect_legal(plan);
    for (std::size_t k = 0; k < plan.levels.size(); ++k) {
      EXPECT_EQ(plan.levels[k].block_frames, config.partition_frames[k]);
    }
  }
}

TEST(Planner, RefusesWhatIsOutOfRange) {
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
  for (const double ns : {0.0, -1.0, 1e-310, std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(refusal([ns](EngineConfig& c) { c.costs.emplace().product_ns[2] = ns; }),
                HasSubstr("costs.product_ns is"));
    EXPECT_THAT(refusal([ns](EngineConfig& c) { c.costs.emplace().transform_ns[5] = ns; }),
                HasSubstr("costs.transform_ns is"));
  }
  EXPECT_THAT(refusal([](EngineConfig& c) { c.partition_frames = {0}; }),
              AllOf(HasSubstr("partition_frames is 0"), HasSubstr("1 to 32768")));
  EXPECT_THAT(refusal([](EngineConfig& c) {
                c.partition_frames = {8, 12};
              }),
              AllOf(HasSubstr("partition_frames is 12"), HasSubstr("multiples")));
  EXPECT_THAT(refusal([](EngineConfig& c) {
                c.partition_frames = {64, 512, 700};
              }),
              AllOf(HasSubstr("partition_frames is 700"), HasSubstr("multiples")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.partition_frames = {1, 2, 4, 8, 16, 32}; }),
              AllOf(HasSubstr("partition_frames is 6"), HasSubstr("0 to 5")));
}

// Neither the sum of the two nor a rounding up of it may wrap.
TEST(Planner, RefusesTapsAndDelaysNearTheEndOfTheirType) {
  constexpr std::size_t kMost = ~std::size_t{0};
  for (const std::size_t less : {0, 1, 10, 4'096, 65'536}) {
    for (const std::size_t delay : {std::size_t{0}, std::size_t{1}, less, less + 1, kMost - less}) {
      SCOPED_TRACE(testing::Message() << "SIZE_MAX - " << less << ", delay " << delay);
      const Routing routing(1, 1, {{.delay = delay}});
      EngineConfig config;
      config.max_taps = kMost - less;
      EXPECT_THROW(choose_plan(config, bank_of({10}), routing), Error);
      if (delay != kMost - less) continue;
      for (const std::size_t taps : {std::size_t{0}, std::size_t{20}, less + 20}) {
        config.max_taps = taps;
        EXPECT_THROW(choose_plan(config, bank_of({10}), routing), Error) << taps;
      }
    }
  }
}

TEST(Planner, IsMadeForFiltersAsLongAsDeclared) {
  for (const std::size_t block : {16, 64, 256, 1'024}) {
    for (const std::size_t taps : {300, 2'000, 48'000}) {
      SCOPED_TRACE(testing::Message() << "block " << block << ", max_taps " << taps);
      EngineConfig config;
      config.block_frames = block;
      config.max_taps = taps;
      const PartitionPlan declared = choose_plan(config, bank_of({10, 1}), Routing::rows(2, 2));
      const PartitionPlan present = choose_plan(config, bank_of({taps, taps}), Routing::rows(2, 2));
      EXPECT_EQ(declared.describe(), present.describe());
      EXPECT_EQ(declared.call_frames, present.call_frames);
    }
  }
}

PlanAbilities device() {
  return {.shares = false, .costs = device_costs()};
}

/// Where nothing is summed in direct form.
PlanAbilities transforming_device() {
  PlanAbilities abilities = device();
  abilities.costs.direct_product_ns = 1e6;
  return abilities;
}

// Offline a device's only partition has all taps, and blocks of all frames that it leaves exact.
TEST(Planner, MakesTheMostOfADevicesTransformsOffline) {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  for (const std::size_t taps : {1, 200, 1'000, 3'000}) {
    const FilterBank bank = bank_of(std::vector<std::size_t>(4, taps));
    const PartitionPlan plan =
        choose_plan(config, bank, Routing::bank(3, 4), transforming_device());
    SCOPED_TRACE(plan.describe());
    expect_legal(plan);
    ASSERT_EQ(plan.levels.size(), 1u);
    const LevelPlan& level = plan.levels.front();
    EXPECT_EQ(level.partitions, 1u);
    EXPECT_EQ(level.partition_taps, taps);
    EXPECT_EQ(level.block_frames, level.transform_frames - taps + 1);
    EXPECT_GE(level.transform_frames, 2'048u) << "a launch for few frames";
    EXPECT_EQ(plan.call_frames % level.block_frames, 0u);
  }
}

// One kernel serves transforms of 8,192 float samples, or of 4,096 double ones, where outputs hear
// one input each; where they hear several, longer ones soon cost less.
TEST(Planner, PrefersTransformsThatADeviceDoesInOneKernel) {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  const auto transform_of = [&](const Routing& routing, std::size_t taps,
                                std::size_t sample_bytes) {
    const FilterBank bank = bank_of(std::vector<std::size_t>(64, taps));
    PlanAbilities abilities = transforming_device();
    abilities.sample_bytes = sample_bytes;
    return choose_plan(config, bank, routing, abilities).levels.front().transform_frames;
  };
  const Routing many = Routing::bank(100, 64);
  EXPECT_EQ(transform_of(many, 5'000, sizeof(float)), 8'192u);
  EXPECT_GT(transform_of(Routing::matrix(8, 8, 64), 5'000, sizeof(float)), 8'192u);
  EXPECT_EQ(transform_of(many, 1'000, sizeof(double)), 4'096u);
  EXPECT_GT(transform_of(many, 3'500, sizeof(double)), 4'096u);
}

// Live an answer waits for a transform each way: it is no longer than the call needs.
TEST(Planner, KeepsADevicesTransformsShortLive) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 8, 2'000);
    const FilterBank bank = bank_of({test::between(random, 1, seed % 2 == 0 ? 500 : 20'000)});
    const PartitionPlan plan =
        choose_plan(config, bank, Routing::rows(2, 1), transforming_device());
    expect_legal(plan);
    EXPECT_LE(plan.levels.front().transform_frames, 2 * std::bit_ceil(config.block_frames));
  }
  // Two partitions of 300 taps, or one of 512 with the same transforms.
  EngineConfig config;
  config.block_frames = 300;
  const PartitionPlan plan =
      choose_plan(config, bank_of({512}), Routing::rows(1, 1), transforming_device());
  EXPECT_EQ(plan.levels.front().partitions, 1u) << plan.describe();
  EXPECT_EQ(plan.levels.front().transform_frames, 1'024u);
}

// The slots of 10,000 rows of long transforms are 25 GB of pinned memory, and nearly as fast with
// shorter ones.
TEST(Planner, PinsNoMoreThanAHostCanSpare) {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  config.gpu_mode = GpuMode::kThroughput;
  config.depth_blocks = 2;
  const std::size_t rows = 10'000;
  const FilterBank bank = bank_of({20'000});
  const PartitionPlan plan = choose_plan(config, bank, Routing::rows(rows, 1), device());
  const double staged = staged_samples(plan, config, rows, rows) * sizeof(float);
  EXPECT_LT(staged, 8e9 * 1.1) << plan.describe();
  EXPECT_GT(staged, 1e8) << plan.describe();
}

/// The least limit that is not refused, by what the refusal says.
TEST(Planner, StaysWithinAMemoryLimitAndNamesTheLeastThatDoes) {
  struct Case {
    PlanGoal goal;
    std::size_t taps;
    Routing routing;
  };
  for (const Case& one : {Case{PlanGoal::kLive, 100'000, Routing::rows(2, 2)},
                          Case{PlanGoal::kLive, 300, Routing::bank(1, 50)},
                          Case{PlanGoal::kOffline, 5'000, Routing::rows(4, 4)}}) {
    SCOPED_TRACE(testing::Message() << one.taps << " taps");
    std::size_t filters = 0;
    for (const Edge& edge : one.routing.edges()) filters = std::max(filters, edge.filter + 1);
    const FilterBank bank = bank_of(std::vector<std::size_t>(filters, one.taps));
    EngineConfig config;
    config.goal = one.goal;
    const std::size_t free = choose_plan(config, bank, one.routing).memory_samples * sizeof(float);
    config.memory_limit_bytes = 1;
    std::string refused;
    try {
      choose_plan(config, bank, one.routing);
    } catch (const Error& error) {
      refused = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    }
    ASSERT_THAT(refused, AllOf(HasSubstr("memory_limit_bytes is 1;"), HasSubstr("at least ")));
    const std::uint64_t least = std::stoull(refused.substr(refused.rfind(' ') + 1));
    EXPECT_LE(least, free);
    for (const std::uint64_t limit : {least, (least + free) / 2, std::uint64_t{free}}) {
      config.memory_limit_bytes = limit;
      const PartitionPlan plan = choose_plan(config, bank, one.routing);
      EXPECT_LE(plan.memory_samples * sizeof(float), limit);
    }
    EXPECT_EQ(choose_plan(config, bank, one.routing).memory_samples * sizeof(float), free);
    config.memory_limit_bytes = least - 1;
    EXPECT_THROW(choose_plan(config, bank, one.routing), Error);
    // Of double samples twice as much.
    config.memory_limit_bytes = least;
    EXPECT_THROW(choose_plan(config, bank, one.routing, {.sample_bytes = sizeof(double)}), Error);
  }
}

/// What a device of which nothing is said computes in direct form: rows of `taps`.
bool is_direct_on_device(GpuMode mode, PlanGoal goal, std::size_t rows, std::size_t taps,
                         std::size_t block_frames) {
  EngineConfig config;
  config.gpu_mode = mode;
  config.goal = goal;
  config.block_frames = block_frames;
  const FilterBank bank = bank_of(std::vector<std::size_t>(rows, taps));
  const PlanAbilities device{.shares = false, .costs = device_costs()};
  const PartitionPlan plan = choose_plan(config, bank, Routing::rows(rows, rows), device);
  return plan.kind == PlanKind::kDirect;
}

// Where samples go by copies the direct form is chosen by what a block costs: half of what uniform
// partitions read, up to blocks of which the products themselves take longer.
TEST(Planner, GivesADeviceTheDirectFormWhereABlockCostsLessSo) {
  const auto is_direct = [](std::size_t taps, std::size_t block_frames) {
    return is_direct_on_device(GpuMode::kThroughput, PlanGoal::kLive, 4'096, taps, block_frames);
  };
  EXPECT_TRUE(is_direct(1'024, 32));
  EXPECT_TRUE(is_direct(1'024, 64));
  EXPECT_FALSE(is_direct(1'024, 128));
  EXPECT_FALSE(is_direct(1'025, 32));  // more than are looked at
  EXPECT_TRUE(is_direct_on_device(GpuMode::kWhole, PlanGoal::kOffline, 100, 4, 64));
  EXPECT_FALSE(is_direct_on_device(GpuMode::kWhole, PlanGoal::kOffline, 100, 1'024, 64));
}

// Its answer waits for all products, that of transforms for partition 0 alone.
TEST(Planner, LetsNoAnswerOfADeviceWaitForTheDirectForm) {
  const auto is_direct = [](std::size_t taps, std::size_t block_frames) {
    return is_direct_on_device(GpuMode::kWhole, PlanGoal::kLive, 4'096, taps, block_frames);
  };
  EXPECT_FALSE(is_direct(1'024, 32));
  EXPECT_FALSE(is_direct(1'024, 64));
  EXPECT_TRUE(is_direct(32, 32));
  EXPECT_TRUE(is_direct(1, 128));
  // Nor does the tail of the hybrid mode take it, which is not waited for and begins late.
  EXPECT_FALSE(is_direct_on_device(GpuMode::kHybrid, PlanGoal::kLive, 4'096, 32, 32));
}

TEST(Planner, RefusesPrescribedSizesBeyondTheMemoryLimit) {
  EXPECT_EQ(refusal([](EngineConfig& config) {
              config.partition_frames = {64};
              config.memory_limit_bytes = 1'000'000;
            }),
            "accepted");
  EXPECT_THAT(refusal([](EngineConfig& config) {
                config.partition_frames = {64};
                config.memory_limit_bytes = 100;
              }),
              HasSubstr("memory_limit_bytes is 100;"));
}

}  // namespace
}  // namespace firbank
