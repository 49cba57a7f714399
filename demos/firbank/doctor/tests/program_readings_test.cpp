#include "demos/firbank/doctor/program_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

TEST(Build, CostsWhereItIsSlow) {
  EXPECT_EQ(build_reading("").state, ReadingState::kGood);
  const Reading slow = build_reading("built with assertions");
  EXPECT_EQ(slow.state, ReadingState::kCosts);
  EXPECT_EQ(slow.text, "built with assertions");
  EXPECT_THAT(slow.advice, testing::HasSubstr("CMAKE_BUILD_TYPE=Release"));
}

TEST(Subnormals, AreFlushedByTheEngine) {
#if defined(__SSE2__) || defined(__aarch64__)
  EXPECT_TRUE(engine_flushes_subnormals());
#endif
  EXPECT_EQ(subnormal_reading(true).state, ReadingState::kGood);
  EXPECT_EQ(subnormal_reading(false).state, ReadingState::kCosts);
}

}  // namespace
}  // namespace firbank::program
