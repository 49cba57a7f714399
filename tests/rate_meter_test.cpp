// The rate at which frames come, and what is said of a sender that is faster or slower than it
// says.
#include "io/rate_meter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/packet_endpoint.hpp"

namespace firbank {
namespace {

using std::chrono::milliseconds;

TEST(RateMeter, MeasuresWhatComes) {
  RateMeter meter;
  const RateMeter::Time begin = RateMeter::Time(std::chrono::hours(1));
  EXPECT_EQ(meter.rate_hz(begin), 0);
  for (int n = 0; n <= 199; ++n) meter.take(300, begin + milliseconds(10) * n);
  EXPECT_EQ(meter.rate_hz(begin + milliseconds(1'990)), 0) << "the window has not ended";
  meter.take(300, begin + milliseconds(2'000));
  EXPECT_DOUBLE_EQ(meter.rate_hz(begin + milliseconds(2'000)), 30'000);
  for (int n = 1; n <= 200; ++n) meter.take(150, begin + milliseconds(2'000 + 10 * n));
  EXPECT_DOUBLE_EQ(meter.rate_hz(begin + milliseconds(4'000)), 15'000) << "slower now";
  EXPECT_DOUBLE_EQ(meter.rate_hz(begin + milliseconds(7'999)), 15'000);
  EXPECT_DOUBLE_EQ(meter.rate_hz(begin + milliseconds(9'000)), 0) << "nothing comes any more";
}

TEST(RateMeter, DoesNotMindBursts) {
  RateMeter meter;
  const RateMeter::Time begin{};
  for (int second = 0; second <= 10; ++second) {
    for (int n = 0; n < 10; ++n) meter.take(100, begin + std::chrono::seconds(second));
  }
  EXPECT_NEAR(meter.rate_hz(begin + std::chrono::seconds(10)), 1'000, 60);
}

TEST(RateMeter, ForgetsTheStreamBefore) {
  RateMeter meter;
  meter.take(10, RateMeter::Time(std::chrono::seconds(1)));
  meter.take(10, RateMeter::Time(std::chrono::seconds(3)));
  EXPECT_DOUBLE_EQ(meter.rate_hz(RateMeter::Time(std::chrono::seconds(3))), 5);
  meter.reset();
  EXPECT_EQ(meter.rate_hz(RateMeter::Time(std::chrono::seconds(3))), 0);
}

TEST(RateMeter, IsToldWhereItDiffersFromWhatWasDeclared) {
  using testing::HasSubstr;
  using testing::Not;
  PacketStats stats;
  stats.declared_rate_hz = 30'000;
  for (const auto& [rate_hz, is_told] : {std::pair(0.0, false), std::pair(30'300.0, false),
                                         std::pair(29'000.0, true), std::pair(31'000.0, true)}) {
    stats.rate_hz = rate_hz;
    const std::string said = "Hz instead of 30000.0 Hz";
    if (is_told) {
      EXPECT_THAT(summary(stats), HasSubstr(said));
    } else {
      EXPECT_THAT(summary(stats), Not(HasSubstr(said)));
    }
  }
}

}  // namespace
}  // namespace firbank
