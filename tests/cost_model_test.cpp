// What the planner is told between the figures that were measured.
#include "engine/cost_model.hpp"

#include <gtest/gtest.h>

namespace firbank {
namespace {

TEST(CostModel, HasAFigureForEveryTransform) {
  const CostModel costs;
  for (std::size_t k = 0; k < costs.transform_ns.size(); ++k) {
    EXPECT_EQ(costs.transform(std::size_t{16} << k), costs.transform_ns[k]);
  }
}

TEST(CostModel, GoesFromOneSweepToTheNextWithoutAStep) {
  CostModel costs;
  costs.product_ns = {1, 2, 4, 8, 16, 32};
  constexpr double kFirst = static_cast<double>(CostModel::kFirstSweepBytes);
  double bytes = kFirst;
  for (const double ns : costs.product_ns) {
    EXPECT_DOUBLE_EQ(costs.product(bytes), ns);
    bytes *= 4;
  }
  EXPECT_DOUBLE_EQ(costs.product(2 * kFirst), 1.5);  // half way, by the logarithm
  EXPECT_DOUBLE_EQ(costs.product(8 * kFirst), 3);
  EXPECT_DOUBLE_EQ(costs.product(0), 1);
  EXPECT_DOUBLE_EQ(costs.product(1e15), 32);
}

TEST(CostModel, ReadsASpectrumOnceForTwoBlocks) {
  CostModel costs;
  costs.product_ns = {1, 1.5, 4, 8, 16, 32};
  EXPECT_DOUBLE_EQ(costs.pair(0), 2);      // arithmetic binds
  EXPECT_DOUBLE_EQ(costs.pair(1e15), 32);  // memory binds
}

}  // namespace
}  // namespace firbank
