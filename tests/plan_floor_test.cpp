// What a plan has to read: against sums by hand, and against what the engine reads.
#include "engine/plan_floor.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "engine/fail_over.hpp"
#include "engine/planner.hpp"
#include "tests/support/counting_backend.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

struct Case {
  std::size_t block = 64;
  std::vector<std::size_t> partitions = {64};
  std::vector<std::size_t> taps = {256, 256};  // of each filter
  Routing routing = Routing::rows(2, 2);

  EngineConfig config() const {
    EngineConfig config;
    config.block_frames = block;
    config.partition_frames = partitions;
    return config;
  }
  FilterBank bank() const {
    std::vector<std::vector<double>> filters;
    for (const std::size_t count : taps) filters.emplace_back(count, 0.5);
    return FilterBank(std::move(filters));
  }
};

PlanFloor floor_of(const Case& which, std::size_t sample_bytes = sizeof(float),
                   Spectra spectra = Spectra::kFull) {
  EngineConfig config = which.config();
  config.spectra = spectra;
  const FilterBank bank = which.bank();
  const PlanDemand demand(config, bank, which.routing);
  const PartitionPlan plan = choose_plan(config, bank, which.routing);
  return plan_floor(plan, demand, true, sample_bytes);
}

TEST(PlanFloor, ReadsEachSpectrumOnceABlock) {
  // Two filters and two delay lines of four partitions, transforms of 128.
  const PlanFloor floor = floor_of({});
  ASSERT_EQ(floor.readings.size(), 2u);
  EXPECT_EQ(floor.readings[0].bytes_per_frame, 4 * 4) << "samples, in and out";
  EXPECT_EQ(floor.readings[0].reach_bytes, 4 * 4 * 64);
  EXPECT_EQ(floor.readings[1].bytes_per_frame, 4 * 4 * 128 * 4 / 64);
  EXPECT_EQ(floor.readings[1].reach_bytes, 4 * 4 * 128 * 4 + 4 * 4 * 64);
  EXPECT_EQ(floor.bytes_per_frame(), 16 + 128);
  EXPECT_GT(floor.flops_per_frame, 0);
  EXPECT_EQ(floor.flops_per_byte(), floor.flops_per_frame / 144);
}

TEST(PlanFloor, CountsSharedAndShortFiltersForWhatTheyAre) {
  const auto spectra = [](const Case& which) {
    return floor_of(which).readings[1].bytes_per_frame;
  };
  // One filter and two delay lines; one filter of a single partition and one of four.
  EXPECT_EQ(spectra({.taps = {256}, .routing = Routing::rows(2, 1)}), (1 + 2) * 4 * 128 * 4 / 64);
  EXPECT_EQ(spectra({.taps = {64, 256}}), (1 + 4 + 2 * 4) * 128 * 4 / 64);
}

TEST(PlanFloor, FollowsTheSizeOfSamplesAndSpectra) {
  const double in_float = floor_of({}).bytes_per_frame();
  EXPECT_EQ(floor_of({}, sizeof(double)).bytes_per_frame(), 2 * in_float);
  const double compact = floor_of({}, sizeof(float), Spectra::kInt16).bytes_per_frame();
  EXPECT_EQ(in_float - compact, 2 * 4 * 128 * 4 * (1 - 9.0 / 16) / 64);
}

TEST(PlanFloor, ShortCallsMeetTheNewestPartitionEachTime) {
  const Case which{.block = 16};
  EXPECT_EQ(floor_of(which).readings[1].bytes_per_frame,
            4 * 128 * 4 / 16.0 + 4 * 3 * 128 * 4 / 64.0);
}

TEST(PlanFloor, RowsOfManyBlocksStayInTheCache) {
  const Case which{.block = 256};
  const PlanFloor floor = floor_of(which);
  ASSERT_EQ(floor.readings.size(), 3u);
  const double all = 4 * 4 * 128 * 4 / 64.0;
  EXPECT_EQ(floor.readings[1].bytes_per_frame, all / 4);
  EXPECT_EQ(floor.readings[2].bytes_per_frame, all * 3 / 4);
  EXPECT_EQ(floor.readings[2].reach_bytes, floor.readings[1].reach_bytes / 2);
}

TEST(PlanFloor, TheDirectFormReadsTapsOnceAPiece) {
  const Case which{.block = 32, .partitions = {}, .taps = {4, 3}};
  const PlanFloor floor = floor_of(which);
  ASSERT_EQ(floor.readings.size(), 2u);
  EXPECT_EQ(floor.flops_per_frame, 2 * 7);
  EXPECT_EQ(floor.readings[1].bytes_per_frame, (7 + 2 * 4) * 4 / 32.0);
}

TEST(PlanFloor, TakesLongerWhereMemoryIsSlow) {
  MachineCeilings ceilings;
  ceilings.peak_flops_per_second = 1e9;
  ceilings.reads = {{2'000, 4e9}, {4'000, 1e9}};
  const PlanFloor floor{2, {{16, 1'000}, {8, 5'000}}};
  EXPECT_DOUBLE_EQ(floor.read_seconds_per_frame(ceilings), 4e-9 + 8e-9);
  EXPECT_DOUBLE_EQ(floor.flop_seconds_per_frame(ceilings), 2e-9);
}

/// Values of the responses' spectra that an engine reads a frame, once it meets all partitions.
double responses_read(const Case& which) {
  const auto backend = std::make_shared<test::CountingBackend>();
  const EngineConfig config = which.config();
  const FilterBank bank = which.bank();
  const PartitionPlan plan = choose_plan(config, bank, which.routing, abilities_of(*backend));
  FailOver<float> convolver(backend, plan, config, bank, which.routing);
  test::Random random(1);
  // Two blocks take turns.
  const std::size_t longest = 2 * std::max(plan.levels.back().block_frames, which.block);
  const std::size_t before = (bank.longest() / longest + 2) * longest;
  const std::size_t frames = before + 2 * longest;
  test::Planes<float> in(test::random_signal(random, which.routing.inputs(), frames));
  test::Planes<float> out(which.routing.outputs(), frames);
  double begin = 0;
  for (std::size_t at = 0; at < frames; at += which.block) {
    if (at == before) begin = backend->counts().responses_read;
    EXPECT_EQ(convolver.process(in.from(at), out.from(at), which.block), ProcessStatus::kOk);
  }
  return (backend->counts().responses_read - begin) / static_cast<double>(frames - before);
}

/// Of one input through `filters` filters.
Case bank_of(std::size_t filters, std::size_t block, std::vector<std::size_t> partitions,
             std::size_t taps) {
  return {block, std::move(partitions), std::vector<std::size_t>(filters, taps),
          Routing::bank(1, filters)};
}

TEST(PlanFloor, IsWhatTheEngineReads) {
  struct Shape {
    std::size_t block;
    std::vector<std::size_t> partitions;
    std::size_t taps;
    bool pairs;
  };
  const std::vector<Shape> shapes = {
      {64, {64}, 1'000, true},
      {64, {64}, 60, false},               // of a single partition
      {16, {64}, 1'000, false},            // calls shorter than its blocks
      {256, {64}, 1'000, true},            // and longer
      {64, {64, 256, 1'024}, 9'000, true}  // two later levels
  };
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(testing::Message() << "block " << shape.block << ", " << shape.partitions.size()
                                    << " levels, " << shape.taps << " taps");
    const Case few = bank_of(40, shape.block, shape.partitions, shape.taps);
    const Case many = bank_of(64, shape.block, shape.partitions, shape.taps);
    EXPECT_EQ(choose_plan(many.config(), many.bank(), many.routing).levels[0].pairs, shape.pairs);
    // What 24 filters more read: their responses, and nothing more of the one input.
    const double samples_out = 24;
    const double expected =
        (floor_of(many).bytes_per_frame() - floor_of(few).bytes_per_frame()) / sizeof(float) -
        samples_out;
    EXPECT_NEAR(responses_read(many) - responses_read(few), expected, 1e-6 * expected);
  }
}

}  // namespace
}  // namespace firbank
