#include "engine/tuning.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/filter_bank.hpp"
#include "engine/planner.hpp"
#include "engine/routing.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

std::vector<double> all_values(const CostModel& costs) {
  std::vector<double> values(costs.transform_ns.begin(), costs.transform_ns.end());
  values.insert(values.end(), costs.product_ns.begin(), costs.product_ns.end());
  values.insert(values.end(), {costs.edge_ns, costs.sum_ns, costs.slice_ns, costs.add_ns,
                               costs.direct_product_ns, costs.direct_frame_ns});
  return values;
}

template <class Sample>
class Tuning : public testing::Test {};
using Samples = testing::Types<float, double>;
TYPED_TEST_SUITE(Tuning, Samples);

TYPED_TEST(Tuning, MeasuresWhatAPlanCanBeChosenBy) {
  for (const BackendInfo& info : list_backends()) {
    if (!info.available || !info.name.starts_with("cpu")) continue;
    SCOPED_TRACE(info.name);
    std::vector<double> told;
    const CostModel costs = measure_costs<TypeParam>(*make_backend(info.name),
                                                     [&](double done) { told.push_back(done); });
    for (const double value : all_values(costs)) {
      EXPECT_TRUE(std::isfinite(value));
      EXPECT_GT(value, 0);
      EXPECT_LT(value, 1e9);
    }
    EXPECT_TRUE(std::is_sorted(costs.transform_ns.begin(), costs.transform_ns.end()));
    EXPECT_TRUE(std::is_sorted(costs.product_ns.begin(), costs.product_ns.end()));
    // 4096 times as many samples, at more operations each; and a product is no transform.
    EXPECT_GT(costs.transform_ns.back(), 100 * costs.transform_ns.front());
    EXPECT_LT(costs.product_ns.front(), costs.transform_ns.front());

    ASSERT_FALSE(told.empty());
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    EXPECT_GT(told.front(), 0);
    EXPECT_DOUBLE_EQ(told.back(), 1);

    const FilterBank bank({{1.0}});
    for (const std::size_t taps : {10, 2'000, 480'000}) {
      EngineConfig config;
      config.block_frames = 64;
      config.max_taps = taps;
      config.costs = costs;
      const PartitionPlan plan = choose_plan(config, bank, Routing::rows(1, 1));
      EXPECT_GT(plan.ns_per_frame, 0);
      if (plan.kind == PlanKind::kPartitioned) {
        EXPECT_GE(plan.levels.back().end_tap(), taps) << plan.describe();
      }
    }
  }
}

// The same work without vectors takes many times as long, and 4,096 points more than 64.
TEST(TuningOfBackends, TellsThemApart) {
  const CostModel scalar = measure_costs<float>(*make_backend("cpu-scalar"));
  const CostModel best = measure_costs<float>(*make_backend("cpu"));
  if (make_backend("cpu")->name() == "cpu-scalar") GTEST_SKIP() << "there is no other here";
  for (const std::size_t samples : {256, 1'024, 16'384}) {
    EXPECT_GT(scalar.transform(samples), 1.5 * best.transform(samples)) << samples;
  }
  EXPECT_GT(best.transform(8'192), 10 * best.transform(128));
  EXPECT_GT(scalar.product(0), 1.5 * best.product(0));
}

/// A backend as a GPU's would be, of which nothing can be made.
class Elsewhere final : public Backend {
 public:
  const std::string& name() const noexcept override { return name_; }
  const std::string& instruction_set() const noexcept override { return name_; }
  std::pmr::memory_resource* memory() const noexcept override {
    return std::pmr::new_delete_resource();
  }
  std::size_t max_threads() const noexcept override { return 1; }
  bool has_shares() const noexcept override { return false; }
  bool keeps_samples() const noexcept override { return false; }
  bool has_compact_spectra() const noexcept override { return false; }
  std::uint64_t free_memory_bytes() const noexcept override { return 0; }
  bool can_be_lost() const noexcept override { return false; }
  std::string failure() const override { return {}; }
  std::unique_ptr<SpectralLevel<float>> make_level_float(const LevelShape&,
                                                         SpectralLevel<float>*) const override {
    return nullptr;
  }
  std::unique_ptr<SpectralLevel<double>> make_level_double(const LevelShape&,
                                                           SpectralLevel<double>*) const override {
    return nullptr;
  }
  std::unique_ptr<SampleLevel<float>> make_sample_level_float(
      const SampleLevelShape&) const override {
    return nullptr;
  }
  std::unique_ptr<SampleLevel<double>> make_sample_level_double(
      const SampleLevelShape&) const override {
    return nullptr;
  }

 private:
  std::string name_ = "elsewhere";
};

TYPED_TEST(Tuning, RefusesABackendThatComputesElsewhere) {
  try {
    measure_costs<TypeParam>(Elsewhere());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), testing::HasSubstr("'elsewhere'"));
  }
}

/// Block sizes of the plan for one filter by these costs; none in direct form.
std::vector<std::size_t> blocks(const CostModel& costs, std::size_t taps) {
  EngineConfig config;
  config.block_frames = 64;
  config.max_taps = taps;
  config.costs = costs;
  const PartitionPlan plan = choose_plan(config, FilterBank({{1.0}}), Routing::rows(1, 1));
  std::vector<std::size_t> sizes;
  for (const LevelPlan& level : plan.levels) sizes.push_back(level.block_frames);
  return sizes;
}

TEST(TunedPlan, FollowsTheCosts) {
  CostModel dear_products;
  for (double& ns : dear_products.product_ns) ns *= 100;
  CostModel dear_transforms;
  for (double& ns : dear_transforms.transform_ns) ns *= 100;
  // Longer partitions mean fewer products, and more transforms.
  EXPECT_LT(blocks(dear_transforms, 20'000).back(), blocks(dear_products, 20'000).back());

  EXPECT_THAT(blocks({}, 1'000), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(blocks(dear_transforms, 1'000), testing::IsEmpty()) << "direct form";
  CostModel dear_direct = dear_transforms;
  dear_direct.direct_product_ns *= 1'000;
  EXPECT_THAT(blocks(dear_direct, 1'000), testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace firbank
