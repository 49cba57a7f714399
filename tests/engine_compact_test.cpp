// Spectra of 16 bits: the same engine in little more than half the memory, 90 dB above its errors.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "io/error.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::HasSubstr;

constexpr double k90Db = 3.16e-5;

TEST(EngineCompact, Is90DbAboveItsErrorsInRandomEngines) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 2'000 : 100;
  std::size_t compact = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t inputs = between(random, 1, 4);
    const std::size_t outputs = between(random, 1, 5);
    const std::size_t filters = between(random, 1, 5);
    const Routing routing = between(random, 0, 1) == 0
                                ? Routing::rows(filters, filters)
                                : test::random_routing(random, inputs, outputs, filters, 10, 500);
    std::vector<std::size_t> lengths(filters);
    for (std::size_t& taps : lengths) taps = between(random, 1, seed % 4 == 0 ? 20'000 : 2'000);
    const FilterBank bank = test::random_bank(random, lengths);
    EngineConfig config;
    test::use_backend(config, backends[seed % backends.size()]);
    config.spectra = Spectra::kInt16;
    config.block_frames = between(random, 1, 300);
    config.threads = between(random, 1, 2);
    config.goal = seed % 5 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    // For files a device chooses long blocks, which short calls have it compute again and again.
    const bool is_slow = config.goal == PlanGoal::kOffline && config.backend.starts_with("cuda");
    if (seed % 3 == 0 || is_slow) {
      config.partition_frames = test::random_partition_frames(random, 512);
    }
    Engine engine(config, bank, routing);
    const std::size_t frames = between(random, 1'000, 12'000);
    const Signal in = test::random_signal(random, routing.inputs(), frames);
    const Signal out = test::run_process(
        engine, in, test::random_calls(random, frames, config.block_frames, engine.max_frames()));
    const Signal oracle = direct_convolution(in, bank, routing, frames);
    EXPECT_TRUE(test::follows(out, oracle, k90Db)) << engine.plan().describe();
    // Where there are spectra, they are not the full ones.
    if (engine.plan().kind == PlanKind::kPartitioned && bank.shortest() > 10) {
      ++compact;
      EXPECT_GT(relative_error(out, oracle), 2e-6) << engine.plan().describe();
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(compact, seeds / 2);
}

/// As a room's: noise that falls by 60 dB a second.
TEST(EngineCompact, Is90DbAboveItsErrorsInAReverb) {
  for (const std::size_t block : {64, 1'024}) {
    SCOPED_TRACE(testing::Message() << "seed 1, block " << block);
    Random random(1);
    std::vector<double> taps = test::random_taps(random, 48'000);
    for (std::size_t k = 0; k < taps.size(); ++k) {
      taps[k] *= std::pow(10.0, -3.0 * static_cast<double>(k) / 48'000);
    }
    const FilterBank bank({taps});
    EngineConfig config;
    config.spectra = Spectra::kInt16;
    config.block_frames = block;
    Engine engine(config, bank, Routing::rows(1, 1));
    const Signal in = test::random_signal(random, 1, 60'000);
    EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(60'000, block)),
                              direct_convolution(in, bank, Routing::rows(1, 1), 60'000), k90Db));
  }
}

/// Nearly all of such a partition's energy is in two or three bins.
TEST(EngineCompact, Is90DbAboveItsErrorsInANarrowBand) {
  for (const double cutoff : {0.02, 0.0005}) {  // of the sample rate
    std::vector<double> taps(4'096);
    for (std::size_t k = 0; k < taps.size(); ++k) {
      const double phase = 2 * M_PI * (static_cast<double>(k) + 0.5) / 4'096;
      const double t = 2 * M_PI * cutoff * (static_cast<double>(k) - 2'047.5);
      taps[k] = (0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase)) * std::sin(t) / t;
    }
    const FilterBank bank({taps});
    for (const std::size_t block : {64, 256, 1'024}) {
      SCOPED_TRACE(testing::Message() << "seed 4, cutoff " << cutoff << ", block " << block);
      Random random(4);
      EngineConfig config;
      config.spectra = Spectra::kInt16;
      config.block_frames = block;
      config.partition_frames = {block};
      Engine engine(config, bank, Routing::rows(1, 1));
      const Signal in = test::random_signal(random, 1, 12'288);
      EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(12'288, block)),
                                direct_convolution(in, bank, Routing::rows(1, 1), 12'288), k90Db));
    }
  }
}

TEST(EngineCompact, KeepsTapsOfAnySize) {
  Random random(2);
  SCOPED_TRACE("seed 2");
  for (const double size : {1e-44, 1e-36, 1e-20, 1e20, 1e30}) {
    SCOPED_TRACE(size);
    std::vector<double> taps = test::random_taps(random, 300);
    for (double& tap : taps) tap *= size;
    const FilterBank bank({taps, std::vector<double>(300)});
    EngineConfig config;
    config.spectra = Spectra::kInt16;
    config.partition_frames = {64};
    config.block_frames = 64;
    Engine engine(config, bank, Routing::rows(2, 2));
    const Signal in = test::random_signal(random, 2, 1'000);
    const Signal out = test::run_process(engine, in, test::equal_calls(1'000, 64));
    const Signal oracle = direct_convolution(in, bank, Routing::rows(2, 2), 1'000);
    EXPECT_EQ(out[1], std::vector<double>(1'000));
    // What float itself rounds away, or flushes to zero, is no fault of the 16 bits.
    if (size > 1e-30) {
      EXPECT_TRUE(test::follows({out[0]}, {oracle[0]}, k90Db));
    }
    for (const double sample : out[0]) EXPECT_TRUE(std::isfinite(sample));
  }
}

TEST(EngineCompact, TakesHalfTheMemoryOfTheFilters) {
  EngineConfig config;
  Random random(3);
  const FilterBank bank = test::random_bank(random, std::vector<std::size_t>(64, 8'192));
  const Routing routing = Routing::matrix(8, 8, 64);
  const PartitionPlan full = choose_plan(config, bank, routing);
  config.spectra = Spectra::kInt16;
  const PartitionPlan compact = choose_plan(config, bank, routing);
  EXPECT_TRUE(compact.compact_spectra);
  EXPECT_LT(compact.memory_samples, full.memory_samples - 64 * 8'192 * 8 / 10);
}

TEST(EngineCompact, IsRefusedWhereItIsNotThere) {
  EngineConfig config;
  config.spectra = Spectra::kInt16;
  try {
    BasicEngine<double>(config, FilterBank({{1.0}}), Routing::rows(1, 1));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), HasSubstr("spectra is int16"));
  }
}

}  // namespace
}  // namespace firbank
