// Changing one filter of a running engine: from the next frame on the output is that of a direct
// convolution with the new filter, which has always heard the input.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "tests/support/config_refusal.hpp"
#include "tests/support/counting_backend.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::AllOf;
using testing::HasSubstr;

constexpr double k90Db = 3.16e-5;

FilterBank with_filter(const FilterBank& bank, std::size_t filter,
                       const std::vector<double>& taps) {
  std::vector<std::vector<double>> filters;
  for (std::size_t k = 0; k < bank.size(); ++k) {
    filters.emplace_back(bank.taps(k).begin(), bank.taps(k).end());
  }
  filters[filter] = taps;
  return FilterBank(std::move(filters));
}

template <class Sample>
class EngineUpdate : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineUpdate, SampleTypes);

/// One of the shapes that have loops of their own, or any.
Routing some_routing(Random& random, std::size_t& filters) {
  switch (between(random, 0, 4)) {
    case 0:
      filters = between(random, 1, 6);
      return Routing::rows(filters, filters);
    case 1:
      filters = 1;
      return Routing::rows(between(random, 1, 4), 1);
    case 2:
      filters = between(random, 1, 9);
      return Routing::bank(between(random, 1, 2), filters);
    case 3:
      filters = 6;
      return Routing::matrix(2, 3, filters);
    default:
      filters = 3;
      return test::random_routing(random, 2, 3, filters, 6, 100);
  }
}

/// From one tap to the longest that is allowed: filters grow, shrink, and leave levels of the plan.
std::size_t some_length(Random& random, std::size_t most) {
  return between(random, 0, 2) == 0 ? most : between(random, 1, most);
}

TYPED_TEST(EngineUpdate, FollowsDirectConvolutionsInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 1'000 : 100;
  std::size_t direct = 0;
  std::size_t one_level = 0;
  std::size_t more_levels = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    config.backend = backends[seed % backends.size()];
    config.block_frames = between(random, 1, 300);
    config.max_taps = between(random, 1, seed % 10 == 0 ? 40 : 1'800);
    config.threads = 1 + seed % 2;
    config.goal = seed % 4 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    if (config.goal == PlanGoal::kLive) {
      config.max_frames = config.block_frames + between(random, 0, 300);
    }
    if (seed % 3 != 0) config.partition_frames = test::random_partition_frames(random, 64);
    std::size_t filters = 0;
    const Routing routing = some_routing(random, filters);
    std::vector<std::size_t> lengths(filters);
    for (std::size_t& length : lengths) length = some_length(random, config.max_taps);
    const FilterBank first = test::random_bank(random, lengths);
    BasicEngine<TypeParam> engine(config, first, routing);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", backend " << config.backend << ", block "
                 << config.block_frames << ", " << engine.plan().describe());
    const std::size_t levels = engine.plan().levels.size();
    ++(levels == 0 ? direct : levels == 1 ? one_level : more_levels);

    const std::size_t frames = between(random, 3'000, 8'000);
    const std::size_t tail = config.max_taps + 99;  // the longest there can be
    Signal in = test::random_signal(random, routing.inputs(), frames);
    if (seed % 5 == 0) in[0][frames / 2] = std::numeric_limits<double>::quiet_NaN();
    test::Planes<TypeParam> input(in);
    test::Planes<TypeParam> output(routing.outputs(), frames);
    FilterBank bank = first;
    std::vector<test::Change> changes;
    std::size_t position = 0;
    std::size_t until_update = 0;  // also before the first frame
    for (const std::size_t call :
         test::random_calls(random, frames, config.block_frames, engine.max_frames())) {
      if (position >= until_update) {
        // Now and then several at once, also of one filter.
        for (std::size_t i = between(random, 0, 3) == 0 ? 3 : 1; i > 0; --i) {
          const std::size_t filter = between(random, 0, filters - 1);
          const std::vector<double> taps =
              test::random_taps(random, some_length(random, config.max_taps));
          engine.update(filter, taps);
          bank = with_filter(bank, filter, taps);
        }
        changes.push_back({direct_convolution(in, bank, routing, frames + tail),
                           static_cast<std::int64_t>(position), 0});
        until_update = position + between(random, 1, 3'000);
      }
      ASSERT_EQ(engine.process(input.from(position), output.from(position), call),
                ProcessStatus::kOk);
      position += call;
    }
    const Signal rest = test::run_flush(engine, std::min<std::size_t>(50, engine.max_frames()));
    const std::size_t tail_frames = rest.empty() || rest[0].empty() ? 0 : rest[0].size();
    const Signal oracle = test::cut(
        test::with_changes(direct_convolution(in, first, routing, frames + tail), changes), 0,
        frames + tail_frames);
    EXPECT_TRUE(
        test::follows(test::joined(output.signal(), rest), oracle, test::kErrorLimit<TypeParam>));
    if (this->HasFailure()) return;
  }
  EXPECT_GT(direct, seeds / 50);
  EXPECT_GT(one_level, seeds / 10);
  EXPECT_GT(more_levels, seeds / 10);
}

// The longest filter decides how long the tail is, the one that was replaced no more.
TYPED_TEST(EngineUpdate, ChangesTheTail) {
  EngineConfig config;
  config.block_frames = 32;
  config.max_taps = 700;
  Random random(1);
  BasicEngine<TypeParam> engine(config, test::random_bank(random, {300, 20}), Routing::rows(2, 2));
  EXPECT_EQ(engine.tail_frames(), 299u);
  engine.update(1, test::random_taps(random, 700));
  EXPECT_EQ(engine.tail_frames(), 699u);
  engine.update(1, test::random_taps(random, 1));
  engine.update(0, test::random_taps(random, 7));
  EXPECT_EQ(engine.tail_frames(), 6u);
}

TYPED_TEST(EngineUpdate, GoesOnBesideSwapsAndAfterAReset) {
  Random random(2);
  const Routing rows = Routing::rows(2, 2);
  const FilterBank first = test::random_bank(random, {900, 400});
  const FilterBank second = test::random_bank(random, {500, 900});
  const std::vector<double> taps = test::random_taps(random, 800);
  EngineConfig config;
  config.block_frames = 64;
  for (const auto& partition_frames :
       {std::vector<std::size_t>{64}, std::vector<std::size_t>{16, 64, 256}}) {
    config.partition_frames = partition_frames;
    BasicEngine<TypeParam> engine(config, first, rows);
    const Signal in = test::random_signal(random, 2, 4'000);
    test::Planes<TypeParam> input(in);
    test::Planes<TypeParam> output(2, 4'000);
    const auto process = [&](std::size_t position, std::size_t end) {
      for (; position < end; position += 40) {
        ASSERT_EQ(engine.process(input.from(position), output.from(position), 40),
                  ProcessStatus::kOk);
      }
    };
    process(0, 1'000);
    engine.swap(second, 1'200, 300);
    EXPECT_THAT(test::config_refusal([&] { engine.update(0, taps); }),
                HasSubstr("swap is pending"));
    process(1'000, 1'320);
    EXPECT_THAT(test::config_refusal([&] { engine.update(0, taps); }),
                HasSubstr("swap is pending"));
    process(1'320, 2'000);
    engine.update(0, taps);
    process(2'000, 4'000);
    const FilterBank third = with_filter(second, 0, taps);
    EXPECT_TRUE(
        test::follows(output.signal(),
                      test::with_changes(direct_convolution(in, first, rows, 4'000),
                                         {{direct_convolution(in, second, rows, 4'000), 1'200, 300},
                                          {direct_convolution(in, third, rows, 4'000), 2'000, 0}}),
                      test::kErrorLimit<TypeParam>));
    engine.reset();
    engine.update(0, std::vector<double>(first.taps(0).begin(), first.taps(0).end()));
    const FilterBank fourth = with_filter(second, 0, {first.taps(0).begin(), first.taps(0).end()});
    process(0, 4'000);
    EXPECT_TRUE(test::follows(output.signal(), direct_convolution(in, fourth, rows, 4'000),
                              test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EngineUpdate, RefusesWhatDoesNotFitAndLeavesTheFilter) {
  EngineConfig config;
  config.block_frames = 16;
  BasicEngine<TypeParam> engine(config, FilterBank({{1}, {2, 3}}),
                                Routing(2, 2, {{0, 0, 0, 1.0}, {1, 1, 1, 1e30}}));
  EXPECT_THAT(test::config_refusal([&] { engine.update(2, std::vector<double>{1}); }),
              AllOf(HasSubstr("filter is 2"), HasSubstr("2 filters"), HasSubstr("0 to 1")));
  EXPECT_THAT(test::config_refusal([&] { engine.update(0, {}); }),
              AllOf(HasSubstr("filter 0"), HasSubstr("0 taps")));
  EXPECT_THAT(test::config_refusal([&] {
                engine.update(1, std::vector<double>{1, 2, 3});
              }),
              AllOf(HasSubstr("filter 1"), HasSubstr("3 taps"), HasSubstr("max_taps = 2")));
  EXPECT_THAT(test::config_refusal([&] {
                engine.update(1, std::vector<double>{1, NAN});
              }),
              AllOf(HasSubstr("tap 1"), HasSubstr("nan")));
  const double loud = sizeof(TypeParam) == sizeof(float) ? 1e30 : 1e300;
  EXPECT_THAT(test::config_refusal([&] { engine.update(1, std::vector<double>{loud}); }),
              AllOf(HasSubstr("tap 0"), HasSubstr("gain")));
  engine.start();
  EXPECT_THAT(test::config_refusal([&] { engine.update(0, std::vector<double>{1}); }),
              HasSubstr("stop it"));
  engine.stop();
  test::Planes<TypeParam> planes(2, 16);
  planes[0][0] = planes[1][0] = 1;
  ASSERT_EQ(engine.process(planes.from(0), planes.from(0), 16), ProcessStatus::kOk);
  EXPECT_NEAR(planes[0][0], 1, 1e-5);
  EXPECT_NEAR(planes[1][0] / 1e30, 2, 1e-5);
  EXPECT_NEAR(planes[1][1] / 1e30, 3, 1e-5);
}

// What is summed together depends on which partitions responses have.
TEST(EngineUpdateCompact, Is90DbAboveItsErrors) {
  for (const std::string& backend : test::available_backends()) {
    SCOPED_TRACE(testing::Message() << "seed 3, backend " << backend);
    Random random(3);
    EngineConfig config;
    config.backend = backend;
    config.block_frames = 64;
    config.max_taps = 2'000;
    config.spectra = Spectra::kInt16;
    const Routing routing = Routing::bank(1, 7);
    FilterBank bank = test::random_bank(random, {2'000, 2'000, 300, 300, 300, 64, 1'500});
    Engine engine(config, bank, routing);
    for (const std::size_t filter : {2, 0, 5, 5, 3}) {
      const std::vector<double> taps = test::random_taps(random, between(random, 1, 2'000));
      engine.update(filter, taps);
      bank = with_filter(bank, filter, taps);
      engine.reset();
      const Signal in = test::random_signal(random, 1, 4'000);
      const Signal out = test::run_process(engine, in, test::equal_calls(4'000, 64));
      EXPECT_TRUE(test::follows(out, direct_convolution(in, bank, routing, 4'000), k90Db));
    }
  }
}

// Of a bank of 100 filters one is transformed.
TEST(EngineUpdateCost, IsThatOfOneFilter) {
  const auto backend = std::make_shared<test::CountingBackend>("cpu");
  Random random(4);
  EngineConfig config;
  config.block_frames = 64;
  const FilterBank bank = test::random_bank(random, std::vector<std::size_t>(100, 6'000));
  const Routing routing = Routing::bank(1, 100);
  const PartitionPlan plan =
      choose_plan(config, bank, routing, abilities_of(*backend, sizeof(float)));
  Convolver<float> convolver(backend, plan, config, bank, routing);
  const std::size_t of_all = backend->counts().taps_loaded;
  convolver.update(42, test::random_taps(random, 6'000));
  EXPECT_EQ(backend->counts().taps_loaded - of_all, of_all / 100);
  EXPECT_EQ(of_all, 600'000u);
}

}  // namespace
}  // namespace firbank
