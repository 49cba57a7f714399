// NaN and infinity in the input spoil exactly the frames that a direct convolution would spoil.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Single samples and short runs, in any channel.
void spoil(Random& random, Signal& signal, std::size_t places) {
  const double values[] = {kNan, kInfinity, -kInfinity};
  for (std::size_t i = 0; i < places; ++i) {
    auto& channel = signal[test::between(random, 0, signal.size() - 1)];
    std::size_t n = test::between(random, 0, channel.size() - 1);
    for (std::size_t run = test::between(random, 0, 3) == 0 ? 100 : 1;
         run > 0 && n < channel.size(); --run, ++n) {
      channel[n] = values[test::between(random, 0, 2)];
    }
  }
}

struct SpoiledFrames {
  std::int64_t count = 0;
  std::int64_t first = Stats::kNone;
};

SpoiledFrames spoiled_frames(const Signal& out) {
  SpoiledFrames spoiled;
  for (std::size_t n = 0; n < out[0].size(); ++n) {
    if (std::none_of(out.begin(), out.end(), [n](const auto& c) { return std::isnan(c[n]); })) {
      continue;
    }
    ++spoiled.count;
    if (spoiled.first == Stats::kNone) spoiled.first = static_cast<std::int64_t>(n);
  }
  return spoiled;
}

template <class Sample>
class EngineNonfinite : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineNonfinite, SampleTypes);

TYPED_TEST(EngineNonfinite, SpoilsWhatADirectConvolutionSpoilsInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 400 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 300);
    config.max_frames = config.block_frames + test::between(random, 0, 300);
    config.threads = 1 + seed % 2;
    test::use_backend(config, backends[seed % backends.size()]);
    if (seed % 5 < 3) {
      config.partition_frames = test::random_partition_frames(random, 64);
    } else if (seed % 5 == 3) {
      test::want_direct_form(config);
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", backend " << config.backend
                                    << ", block " << config.block_frames);
    const std::size_t longest = seed % 3 == 0 ? 12 : 900;
    const FilterBank bank = test::random_bank(
        random, {1, test::between(random, 1, longest), test::between(random, 1, longest)});
    const Routing routing = test::random_routing(random, 3, 4, 3, 6, 150);
    BasicEngine<TypeParam> engine(config, bank, routing);
    const std::size_t frames = test::between(random, 1'500, 8'000);
    Signal in = test::random_signal(random, 3, frames);
    spoil(random, in, 1 + seed % 4);
    const Signal body = test::run_process(
        engine, in, test::random_calls(random, frames, config.block_frames, config.max_frames));
    const Stats stats = engine.stats();
    const Signal oracle = direct_convolution(in, bank, routing, frames + engine.tail_frames());
    const SpoiledFrames spoiled = spoiled_frames(test::cut(oracle, 0, frames));
    EXPECT_EQ(stats.spoiled_frames, spoiled.count);
    EXPECT_EQ(stats.first_spoiled_frame, spoiled.first);
    const Signal out = test::joined(body, test::run_flush(engine, config.block_frames));
    EXPECT_TRUE(test::follows(out, oracle, test::kErrorLimit<TypeParam>));
  }
}

// One bad sample at every place of the grid of blocks, followed to its very last frame.
TYPED_TEST(EngineNonfinite, StopsAtTheExactFrame) {
  for (const std::string& backend : test::available_backends()) {
    for (const std::size_t taps : {1, 2, 15, 16, 17, 64, 100}) {
      for (std::size_t at = 40; at < 60; ++at) {
        SCOPED_TRACE(testing::Message() << "seed " << at << ", backend " << backend << ", taps "
                                        << taps << ", bad frame " << at);
        Random random(at);
        const FilterBank bank = test::random_bank(random, {taps, 200});
        const Routing routing = Routing::rows(2, 2);
        EngineConfig config;
        config.block_frames = 16;
        test::use_backend(config, backend);
        BasicEngine<TypeParam> engine(config, bank, routing);
        Signal in = test::random_signal(random, 2, 300);
        in[0][at] = at % 2 == 0 ? kNan : kInfinity;
        const Signal out = test::run_process(engine, in, test::random_calls(random, 300, 16, 16));
        ASSERT_TRUE(test::follows(out, direct_convolution(in, bank, routing, 300),
                                  test::kErrorLimit<TypeParam>));
        EXPECT_EQ(engine.stats().spoiled_frames, static_cast<std::int64_t>(taps));
        EXPECT_EQ(engine.stats().first_spoiled_frame, static_cast<std::int64_t>(at));
      }
    }
  }
}

TYPED_TEST(EngineNonfinite, ReachesTheFiltersThatASwapBrings) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 200 : 40;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 200);
    config.max_taps = 1'200;
    test::use_backend(config, backends[seed % backends.size()]);
    if (seed % 5 < 3) {
      config.partition_frames = test::random_partition_frames(random, 64);
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", backend " << config.backend
                                    << ", block " << config.block_frames);
    const Routing routing = test::random_routing(random, 2, 2, 2, 4, 60);
    const auto any_bank = [&] {
      return test::random_bank(random,
                               {test::between(random, 1, 1'200), test::between(random, 1, 100)});
    };
    const FilterBank first = any_bank();
    const FilterBank second = any_bank();
    const std::size_t frames = 5'000;
    Signal in = test::random_signal(random, 2, frames);
    spoil(random, in, 2);
    const auto at_frame = static_cast<std::int64_t>(test::between(random, 0, 4'000));
    const std::size_t fade = seed % 3 == 0 ? 0 : test::between(random, 1, 1'500);
    BasicEngine<TypeParam> engine(config, first, routing);
    const std::uint64_t ticket = engine.swap(second, at_frame, fade);
    const Signal out = test::run_process(
        engine, in, test::random_calls(random, frames, config.block_frames, engine.max_frames()));
    EXPECT_EQ(engine.live_frame(ticket), at_frame);
    const Signal oracle =
        test::with_changes(direct_convolution(in, first, routing, frames),
                           {{direct_convolution(in, second, routing, frames), at_frame, fade}});
    EXPECT_TRUE(test::follows(out, oracle, test::kErrorLimit<TypeParam>));
    EXPECT_EQ(engine.stats().spoiled_frames, spoiled_frames(oracle).count);
  }
}

TYPED_TEST(EngineNonfinite, IsForgottenByReset) {
  Random random(1);
  const FilterBank bank = test::random_bank(random, {800});
  EngineConfig config;
  config.block_frames = 50;
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  Signal in = test::random_signal(random, 1, 1'000);
  in[0][990] = kNan;
  test::run_process(engine, in, test::equal_calls(1'000, 50));
  engine.reset();
  in[0][990] = 0.5;
  EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(1'000, 50)),
                            direct_convolution(in, bank, Routing::rows(1, 1), 1'000),
                            test::kErrorLimit<TypeParam>));
}

TYPED_TEST(EngineNonfinite, LeavesSubnormalAndHugeSamplesAlone) {
  Random random(2);
  const FilterBank bank = test::random_bank(random, {300});
  EngineConfig config;
  config.block_frames = 64;
  Signal in = test::random_signal(random, 2, 2'000);
  const double subnormal = sizeof(TypeParam) == 4 ? 1e-40 : 1e-310;
  for (double& sample : in[0]) sample = static_cast<TypeParam>(sample * subnormal);
  for (double& sample : in[1]) sample = static_cast<float>(sample * 1e30);
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(2, 1));
  const Signal out = test::run_process(engine, in, test::equal_calls(2'000, 64));
  const Signal expected = direct_convolution(in, bank, Routing::rows(2, 1), 2'000);
  EXPECT_TRUE(test::follows({out[1]}, {expected[1]}, test::kErrorLimit<TypeParam>));
  for (std::size_t n = 0; n < 2'000; ++n) {  // they may become 0 on the way, but no more than that
    ASSERT_NEAR(out[0][n], expected[0][n], std::numeric_limits<TypeParam>::min()) << "frame " << n;
  }
  EXPECT_EQ(engine.stats().spoiled_frames, 0);
}

// Only the second one spoils, whatever place the first one had on the grid of blocks.
TYPED_TEST(EngineNonfinite, BeforeAResetDoesNotReachIntoTheStreamAfterIt) {
  const Routing rows = Routing::rows(1, 1);
  for (const std::size_t taps : {std::size_t{12}, std::size_t{800}}) {
    for (const std::size_t before : {580, 590, 599}) {
      for (const std::size_t after : {0, 3, 49, 63, 64, 130}) {
        SCOPED_TRACE(testing::Message() << "seed 3, taps " << taps << ", bad frames " << before
                                        << " and, after the reset, " << after);
        Random random(3);
        const FilterBank bank = test::random_bank(random, {taps});
        EngineConfig config;
        config.block_frames = 50;
        BasicEngine<TypeParam> engine(config, bank, rows);
        Signal in = test::random_signal(random, 1, 600);
        in[0][before] = kNan;
        test::run_process(engine, in, test::equal_calls(600, 50));
        const std::int64_t spoiled = engine.stats().spoiled_frames;
        engine.reset();
        in = test::random_signal(random, 1, 1'500);
        in[0][after] = kInfinity;
        EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(1'500, 50)),
                                  direct_convolution(in, bank, rows, 1'500),
                                  test::kErrorLimit<TypeParam>));
        EXPECT_EQ(engine.stats().spoiled_frames - spoiled, static_cast<std::int64_t>(taps));
        EXPECT_EQ(engine.stats().first_spoiled_frame, static_cast<std::int64_t>(before));
      }
    }
  }
}

// The edge with the longest filter and the longest delay reaches as far as any memory must.
TYPED_TEST(EngineNonfinite, ReachesTheLastFrameOfTheLongestEdgeInCallsOfOneFrame) {
  struct Longest {
    std::size_t taps;
    std::size_t delay;
  };
  for (const Longest edge :
       {Longest{1, 0}, {1, 64}, {16, 47}, {58, 6}, {130, 62}, {2'000, 48}, {1'900, 148}}) {
    for (const std::size_t at : {0, 1, 63, 64, 100}) {
      SCOPED_TRACE(testing::Message() << "seed 4, taps " << edge.taps << ", delay " << edge.delay
                                      << ", bad frame " << at);
      Random random(4);
      const FilterBank bank = test::random_bank(random, {edge.taps});
      const Routing routing(1, 1, {{.delay = edge.delay}});
      EngineConfig config;
      config.block_frames = 1;
      BasicEngine<TypeParam> engine(config, bank, routing);
      const std::size_t last = at + edge.delay + edge.taps - 1;
      const std::size_t frames = last + 10;
      Signal in = test::random_signal(random, 1, frames);
      in[0][at] = kNan;
      const Signal out = test::run_process(engine, in, test::equal_calls(frames, 1));
      EXPECT_EQ(std::isnan(out[0][at + edge.delay]), true);
      EXPECT_EQ(std::isnan(out[0][last]), true);
      EXPECT_EQ(std::isnan(out[0][last + 1]), false);
      EXPECT_EQ(engine.stats().spoiled_frames, static_cast<std::int64_t>(edge.taps));
      EXPECT_EQ(engine.stats().first_spoiled_frame, static_cast<std::int64_t>(at + edge.delay));
    }
  }
}

// Nothing that overflows on the way out goes uncounted.
TEST(EngineOverflow, IsCountedInEveryFrameThatItSpoils) {
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t taps = i % 3 == 0 ? 8 : 900 + i;
    const std::size_t block = i % 2 == 0 ? 64 : 65 + i;  // blocks that leave room in a transform
    SCOPED_TRACE(testing::Message() << "seed 5, taps " << taps << ", block " << block);
    Random random(5);
    const FilterBank bank({std::vector<double>(taps, 1.0)});
    EngineConfig config;
    config.block_frames = block;
    Engine engine(config, bank, Routing::rows(2, 1));
    constexpr std::size_t kFrames = 4'000;
    Signal in = test::random_signal(random, 2, kFrames);
    std::fill_n(in[0].begin() + 1'000, 100, 1e38);
    const Signal out =
        test::run_process(engine, in, test::random_calls(random, kFrames, block, block));
    std::int64_t count = 0;
    std::int64_t first = -1;
    for (std::size_t n = 0; n < kFrames; ++n) {
      if (std::isfinite(out[0][n]) && std::isfinite(out[1][n])) continue;
      ++count;
      if (first < 0) first = static_cast<std::int64_t>(n);
    }
    EXPECT_GT(count, 0) << "four times 1e38 is beyond float";
    EXPECT_EQ(engine.stats().spoiled_frames, count);
    EXPECT_EQ(engine.stats().first_spoiled_frame, first);
    // What came before is right, and what comes when the samples are out of reach.
    const Signal oracle = direct_convolution(in, bank, Routing::rows(2, 1), kFrames);
    EXPECT_TRUE(test::follows(test::cut(out, 0, 900), test::cut(oracle, 0, 900), 1e-6));
    const std::size_t quiet = kFrames - 500;
    EXPECT_TRUE(test::follows(test::cut(out, quiet, 500), test::cut(oracle, quiet, 500), 1e-6));
  }
}

}  // namespace
}  // namespace firbank
