#include "engine/stats.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace firbank {
namespace {

TEST(DurationHistogram, IsEmptyAtFirst) {
  const DurationHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.mean_ns(), 0.0);
  EXPECT_EQ(histogram.max_ns(), 0u);
  EXPECT_EQ(histogram.quantile_ns(0.5), 0u);
}

TEST(DurationHistogram, TellsMeanCountAndMaximumExactly) {
  DurationHistogram histogram;
  for (const std::uint64_t ns : {1'000u, 2'000u, 9'001u}) histogram.record(ns);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_DOUBLE_EQ(histogram.mean_ns(), 12'001.0 / 3);
  EXPECT_EQ(histogram.max_ns(), 9'001u);
}

TEST(DurationHistogram, QuantilesAreAtMostOnePartIn256TooHigh) {
  constexpr std::uint64_t kSeed = 1;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  DurationHistogram histogram;
  std::vector<std::uint64_t> durations;
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<int>(random() % 40);
    durations.push_back(random() & ((std::uint64_t{1} << bits) | ((std::uint64_t{1} << bits) - 1)));
    histogram.record(durations.back());
  }
  std::sort(durations.begin(), durations.end());
  for (const double fraction : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const double rank = std::ceil(fraction * static_cast<double>(durations.size()));
    const auto truth = durations[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
    const auto told = histogram.quantile_ns(fraction);
    EXPECT_GE(told, truth) << fraction;
    EXPECT_LE(static_cast<double>(told),
              static_cast<double>(truth) * (1 + DurationHistogram::kError))
        << fraction;
  }
  EXPECT_EQ(histogram.quantile_ns(1.0), histogram.max_ns());
}

TEST(DurationHistogram, EveryDurationIsItsOwnMedian) {
  for (std::uint64_t ns = 0; ns < 5'000; ++ns) {
    DurationHistogram histogram;
    histogram.record(ns);
    EXPECT_EQ(histogram.quantile_ns(0.5), ns);  // never above the maximum
    histogram.record(std::uint64_t{1} << 30);
    EXPECT_GE(histogram.quantile_ns(0.5), ns);
    EXPECT_LE(histogram.quantile_ns(0.5), ns + ns / 256);
  }
}

TEST(DurationHistogram, ItsBucketsHoldEveryDurationOnce) {
  DurationHistogram histogram;
  const std::vector<std::uint64_t> durations = {0,     1,     63,          64,        65,
                                                1'000, 1'000, 123'456'789, UINT64_MAX};
  for (const std::uint64_t ns : durations) histogram.record(ns);
  std::uint64_t total = 0;
  std::uint64_t below = 0;
  histogram.visit_buckets([&](std::uint64_t upper_ns, std::uint64_t count) {
    EXPECT_GT(count, 0u);
    EXPECT_TRUE(total == 0 || upper_ns > below);
    std::uint64_t inside = 0;
    for (const std::uint64_t ns : durations) {
      inside += ns <= upper_ns && (total == 0 || ns > below) ? 1 : 0;
    }
    EXPECT_EQ(inside, count) << "up to " << upper_ns << " ns";
    total += count;
    below = upper_ns;
  });
  EXPECT_EQ(total, durations.size());
  EXPECT_EQ(below, UINT64_MAX);
}

TEST(DurationHistogram, KeepsEvenAbsurdDurations) {
  DurationHistogram histogram;
  histogram.record(0);
  histogram.record(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.quantile_ns(0.5), 0u);
  EXPECT_EQ(histogram.quantile_ns(1.0), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace firbank
