#include "demos/firbank/bench/capacity/capacity_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/noise_filters.hpp"

namespace firbank::program {
namespace {

bool never() {
  return false;
}

/// A machine on which a stream of size n takes n microseconds a block, of 1,000 that there are.
CapacitySearch search_up_to(std::size_t capacity, std::size_t* measured = nullptr) {
  CapacitySearch search;
  search.most = 1 << 20;
  search.told = [](const CapacityStep&) {};
  search.stopped = never;
  search.measure = [capacity, measured](std::size_t value) {
    if (measured != nullptr) ++*measured;
    CapacityStep step;
    step.deadline_us = 1'000;
    step.p99_us = 1'000.0 * static_cast<double>(value) / static_cast<double>(capacity);
    step.in_time = value <= capacity;
    return step;
  };
  return search;
}

TEST(FindCapacity, IsWithinA32ndBelow) {
  for (const std::size_t capacity : {1u, 2u, 3u, 7u, 31u, 100u, 1'000u, 12'345u, 600'000u}) {
    const std::size_t found = capacity_of(find_capacity(search_up_to(capacity)));
    EXPECT_LE(found, capacity);
    EXPECT_GE(static_cast<double>(found), static_cast<double>(capacity) * 31 / 32 - 1) << capacity;
  }
}

TEST(FindCapacity, StopsAtTheMostAndAtTheLeast) {
  CapacitySearch search = search_up_to(1'000'000);
  search.most = 300;
  std::vector<std::size_t> values;
  for (const CapacityStep& step : find_capacity(search)) values.push_back(step.value);
  EXPECT_THAT(values, testing::ElementsAre(1, 2, 4, 8, 16, 32, 64, 128, 256, 300));
  EXPECT_EQ(capacity_of(find_capacity(search_up_to(0))), 0u);
}

TEST(FindCapacity, MeasuresAgainWhatIsNearTheLimit) {
  // One reading in three is far too high: the middle one of three counts.
  CapacitySearch search = search_up_to(100);
  const auto truth = search.measure;
  std::size_t readings = 0;
  search.measure = [&](std::size_t value) {
    CapacityStep step = truth(value);
    if (++readings % 3 == 0) {
      step.p99_us *= 1.7;
      step.in_time = step.p99_us <= step.deadline_us;
    }
    return step;
  };
  const std::size_t found = capacity_of(find_capacity(search));
  EXPECT_GE(found, 96u);
  EXPECT_LE(found, 100u);
}

TEST(FindCapacity, EndsWhenItIsTold) {
  CapacitySearch search = search_up_to(1'000);
  std::size_t steps = 0;
  search.told = [&](const CapacityStep&) { ++steps; };
  search.stopped = [&] { return steps == 3; };
  EXPECT_EQ(find_capacity(search).size(), 3u);
}

TEST(MeasureStep, TellsALightStreamFromAHeavyOne) {
  CapacityLimit limit;
  limit.seconds = 0.01;
  EngineConfig config;
  config.block_frames = 64;
  config.backend = "cpu";
  const auto step = [&](std::size_t channels, double sample_rate_hz) {
    config.sample_rate_hz = sample_rate_hz;
    return measure_step(config, noise_filters(channels, 500), Routing::rows(channels, channels),
                        limit, never);
  };
  const CapacityStep light = step(1, 1'000);
  EXPECT_TRUE(light.in_time);
  EXPECT_EQ(light.blocks, CapacityLimit::kLeastBlocks);
  EXPECT_DOUBLE_EQ(light.deadline_us, 64'000);
  EXPECT_GT(light.p99_us, 0);
  EXPECT_GE(light.p99_us, 0.5 * light.mean_us);
  EXPECT_FALSE(step(50, 1e9).in_time);
}

TEST(MeasureStep, MayNotTakeMoreThanItsShare) {
  CapacityLimit limit;
  limit.seconds = 0.01;
  EngineConfig config;
  config.block_frames = 64;
  config.sample_rate_hz = 1'000;
  limit.deadline_share = 1e-9;
  EXPECT_FALSE(
      measure_step(config, noise_filters(1, 50), Routing::rows(1, 1), limit, never).in_time);
}

}  // namespace
}  // namespace firbank::program
