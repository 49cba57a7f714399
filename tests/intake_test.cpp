// When rows may go one after another: what is stored for one must not be what another still reads.
#include "engine/intake.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace firbank {
namespace {

/// Planes of 10 frames; `in` and `out` say where in them each row's plane begins.
bool outlasts(const std::vector<std::size_t>& in, const std::vector<std::size_t>& out,
              std::size_t offset = 0) {
  std::vector<float> memory(200);
  std::vector<const float*> inputs;
  std::vector<float*> outputs;
  for (const std::size_t place : in) inputs.push_back(memory.data() + place);
  for (const std::size_t place : out) outputs.push_back(memory.data() + place + offset);
  InputHistory<float> history(in.size(), 20, 20);
  NonFiniteGuard<float> guard(in.size(), 10, 10, 16);
  return Intake<float>(history, guard, inputs.data(), offset, 10).outlasts(outputs.data());
}

TEST(Intake, OutlastsOutputsInPlaceOrApart) {
  EXPECT_TRUE(outlasts({50}, {50}));
  EXPECT_TRUE(outlasts({50, 60, 70}, {50, 60, 70}));
  EXPECT_TRUE(outlasts({50, 60, 70}, {50, 60, 70}, 5));
  EXPECT_TRUE(outlasts({50, 60}, {70, 80}));
  EXPECT_TRUE(outlasts({50, 60}, {30, 40}));
  EXPECT_TRUE(outlasts({50, 50}, {30, 40}));  // one plane for two inputs
}

TEST(Intake, DoesNotOutlastOutputsAmongInputs) {
  EXPECT_FALSE(outlasts({50, 60}, {60, 50}));
  EXPECT_FALSE(outlasts({50, 60}, {50, 70}));
  EXPECT_FALSE(outlasts({50, 50}, {50, 70}));
  EXPECT_FALSE(outlasts({50, 70}, {60, 80}));  // no harm, but nobody looks so closely
  EXPECT_FALSE(outlasts({50, 60}, {69, 79}));
  EXPECT_FALSE(outlasts({50, 60}, {31, 41}));
}

}  // namespace
}  // namespace firbank
