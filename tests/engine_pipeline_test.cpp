// start, push, pull and stop: the same computation between two rings, with gaps and back-pressure.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "io/error.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Pulled;
using test::PulledBlock;
using test::Random;

// What every stream of blocks must keep to: frames follow one another, but for gap_before.
void expect_contiguous(const Pulled& pulled, std::int64_t first_frame) {
  for (const PulledBlock& block : pulled.blocks) {
    EXPECT_EQ(block.first_frame, first_frame + block.gap_before);
    first_frame = block.first_frame + static_cast<std::int64_t>(block.frames);
  }
}

std::size_t frames_of(const Pulled& pulled) {
  return pulled.out.empty() ? 0 : pulled.out[0].size();
}

template <class Sample>
PushResult push_once(BasicEngine<Sample>& engine, const Signal& in, std::int64_t first_frame) {
  test::Planes<Sample> planes(in);
  BasicBlock<const Sample> block;
  block.planes = planes.from(0);
  block.channels = in.size();
  block.frames = planes.frames();
  block.first_frame = first_frame;
  return engine.push(block);
}

template <class Sample>
class EnginePipeline : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EnginePipeline, SampleTypes);

TYPED_TEST(EnginePipeline, EqualsDirectConvolutionInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 200 : 30;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const FilterBank bank = test::random_bank(random, {1, test::between(random, 1, 2'000)});
    const Routing routing = test::random_routing(random, 3, 2, 2, 5, 300);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 300);
    config.ring_blocks = test::between(random, 2, 9);
    config.depth_blocks = test::between(random, 0, config.ring_blocks - 1);
    config.threads = 1 + seed % 2;
    test::use_backend(config, backends[seed % backends.size()]);
    if (seed % 3 != 0) {
      config.partition_frames = test::random_partition_frames(random, 64);
    } else if (seed % 2 == 0) {
      test::want_direct_form(config);
    }
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", backend " << config.backend << ", block "
                 << config.block_frames << ", depth " << config.depth_blocks);
    BasicEngine<TypeParam> engine(config, bank, routing);
    EXPECT_EQ(engine.latency_frames(), config.depth_blocks * config.block_frames);
    const std::size_t frames = test::between(random, 1, 8'000);
    const Signal in = test::random_signal(random, 3, frames);
    const std::int64_t first_frame = seed % 2 == 0 ? 0 : (std::int64_t{1} << 32) - 1'000;
    Pulled pulled;
    engine.start();
    test::push_all(engine, in, test::random_calls(random, frames, config.block_frames, 700),
                   first_frame, test::between(random, 1, 700), pulled);
    test::pull_to_end(engine, test::between(random, 1, 700), pulled);
    engine.stop();
    expect_contiguous(pulled, first_frame);
    EXPECT_TRUE(test::follows(pulled.out,
                              direct_convolution(in, bank, routing, frames + engine.tail_frames()),
                              test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EnginePipeline, MayBePushedAndPulledByTwoThreads) {
  Random random(1);
  const FilterBank bank = test::random_bank(random, {500, 20});
  const Routing routing = Routing::rows(2, 2);
  EngineConfig config;
  config.block_frames = 64;
  config.ring_blocks = 3;
  BasicEngine<TypeParam> engine(config, bank, routing);
  constexpr std::size_t kFrames = 60'000;
  const Signal in = test::random_signal(random, 2, kFrames);
  engine.start();
  std::thread producer([&] {
    test::Planes<TypeParam> planes(in);
    test::Patience patience;
    for (std::size_t position = 0; position < kFrames;) {
      BasicBlock<const TypeParam> block;
      block.planes = planes.from(position);
      block.channels = 2;
      block.frames = std::min<std::size_t>(kFrames - position, 100);
      block.first_frame = static_cast<std::int64_t>(position);
      const std::size_t taken = engine.push(block).frames;
      position += taken;
      if (taken == 0 && !patience.wait()) return;
    }
    while (!engine.flush() && patience.wait()) {
    }
  });
  Pulled pulled;
  test::Patience patience;
  while (!pulled.ended) {
    if (!test::pull_once(engine, 90, pulled) && !pulled.ended && !patience.wait()) break;
  }
  producer.join();
  engine.stop();
  EXPECT_TRUE(test::follows(pulled.out,
                            direct_convolution(in, bank, routing, kFrames + engine.tail_frames()),
                            test::kErrorLimit<TypeParam>));
}

// A block leaves when the declared number of blocks has come after it, and the last ones with the
// tail.
TYPED_TEST(EnginePipeline, KeepsAsManyBlocksUnderWayAsDeclared) {
  Random random(12);
  const FilterBank bank = test::random_bank(random, {700});
  for (const std::size_t depth : {0, 1, 3, 7}) {
    SCOPED_TRACE(testing::Message() << "seed 12, depth " << depth);
    EngineConfig config;
    config.block_frames = 100;
    config.ring_blocks = 12;
    config.depth_blocks = depth;
    BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
    const Signal in = test::random_signal(random, 1, 1'000);
    Pulled pulled;
    engine.start();
    for (std::int64_t n = 0; n < 10; ++n) {
      const auto first = static_cast<std::size_t>(100 * n);
      ASSERT_EQ(push_once(engine, test::cut(in, first, 100), 100 * n).frames, 100u);
      test::Patience patience;
      while (engine.stats().frames < 100 * (n + 1) && patience.wait()) {
      }
      const std::size_t due =
          static_cast<std::size_t>(n) + 1 > depth ? first + 100 - 100 * depth : 0;
      while (frames_of(pulled) < due && patience.wait()) test::pull_once(engine, 100, pulled);
      test::pull_once(engine, 100, pulled);
      ASSERT_EQ(frames_of(pulled), due);
    }
    ASSERT_TRUE(engine.flush());
    test::pull_to_end(engine, 100, pulled);
    engine.stop();
    expect_contiguous(pulled, 0);
    EXPECT_TRUE(test::follows(pulled.out,
                              direct_convolution(in, bank, Routing::rows(1, 1), 1'000 + 699),
                              test::kErrorLimit<TypeParam>));
    // What was under way at the end leaves nothing behind.
    engine.reset();
    EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(1'000, 100)),
                              direct_convolution(in, bank, Routing::rows(1, 1), 1'000),
                              test::kErrorLimit<TypeParam>));
  }
}

// Marks of what is spoiled, swaps and gaps follow their frames, not their blocks' departure.
TYPED_TEST(EnginePipeline, FollowsTheSameChangesAtAnyDepth) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::optional<Signal> expected;
    std::optional<Stats> counted;
    for (const std::size_t depth : {0, 1, 4}) {
      Random random(seed);
      const FilterBank bank = test::random_bank(random, {test::between(random, 1, 900)});
      const FilterBank other = test::random_bank(random, {bank.taps(0).size()});
      EngineConfig config;
      config.block_frames = test::between(random, 1, 200);
      config.depth_blocks = depth;
      config.gap_policy = seed % 2 == 0 ? GapPolicy::kZero : GapPolicy::kReset;
      BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
      Signal in = test::random_signal(random, 1, 4'000);
      for (int i = 0; i < 5; ++i) {
        in[0][test::between(random, 0, 3'999)] = std::numeric_limits<double>::quiet_NaN();
      }
      const std::size_t gap_at = test::between(random, 1, 3'999);
      engine.swap(other, static_cast<std::int64_t>(test::between(random, 0, 3'900)),
                  test::between(random, 0, 300));
      Pulled pulled;
      engine.start();
      test::push_all(engine, test::cut(in, 0, gap_at), test::equal_calls(gap_at, 77), 0, 77,
                     pulled);
      test::push_all(engine, test::cut(in, gap_at, 4'000 - gap_at),
                     test::equal_calls(4'000 - gap_at, 77), static_cast<std::int64_t>(gap_at) + 123,
                     77, pulled);
      test::pull_to_end(engine, 77, pulled);
      engine.stop();
      expect_contiguous(pulled, 0);
      if (!expected) {
        expected = pulled.out;
        counted = engine.stats();
        continue;
      }
      EXPECT_TRUE(test::follows(pulled.out, *expected, test::kErrorLimit<TypeParam>))
          << "depth " << depth;
      EXPECT_EQ(engine.stats().spoiled_frames, counted->spoiled_frames);
      EXPECT_EQ(engine.stats().first_spoiled_frame, counted->first_spoiled_frame);
      EXPECT_EQ(engine.stats().swaps, counted->swaps);
    }
  }
}

TYPED_TEST(EnginePipeline, MayBeDrivenInTwoHalvesByTheCaller) {
  constexpr std::size_t kCall = 100;
  constexpr std::size_t kCalls = 30;
  for (const std::size_t depth : {0, 1, 4}) {
    SCOPED_TRACE(testing::Message() << "seed 13, depth " << depth);
    Random random(13);
    const FilterBank bank = test::random_bank(random, {700});
    EngineConfig config;
    config.block_frames = kCall;
    config.depth_blocks = depth;
    BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
    const Signal in = test::random_signal(random, 1, kCalls * kCall);
    test::Planes<TypeParam> input(in);
    test::Planes<TypeParam> output(1, kCalls * kCall);
    std::vector<std::array<TypeParam*, 1>> planes;  // kept until they are collected
    planes.reserve(kCalls);
    for (std::size_t call = 0; call < kCalls; ++call) {
      planes.push_back({output.from(call * kCall)[0]});
      if (call > depth) {
        EXPECT_FALSE(engine.submit(input.from(call * kCall), planes.back().data(), kCall)) << call;
        EXPECT_EQ(engine.collect(), ProcessStatus::kOk);
      }
      EXPECT_TRUE(engine.submit(input.from(call * kCall), planes.back().data(), kCall)) << call;
    }
    for (std::size_t call = 0; call < depth + 3; ++call) {
      EXPECT_EQ(engine.collect(), ProcessStatus::kOk);
    }
    EXPECT_TRUE(test::follows(output.signal(),
                              direct_convolution(in, bank, Routing::rows(1, 1), kCalls * kCall),
                              test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EnginePipeline, TakesNoMoreThanItsRingsHold) {
  Random random(2);
  const FilterBank bank = test::random_bank(random, {100});
  EngineConfig config;
  config.block_frames = 32;
  config.ring_blocks = 4;
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 32 * 100);
  engine.start();
  std::size_t taken = 0;
  for (int idle = 0; idle < 200;) {
    const std::size_t before = taken;
    taken += push_once(engine, test::cut(in, taken, 32), static_cast<std::int64_t>(taken)).frames;
    idle = taken == before ? idle + 1 : 0;
    if (idle > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GE(taken, 2u * 4 * 32) << "the rings hold less than they should";
  EXPECT_LE(taken, (2u * 4 + 2) * 32) << "the rings hold more than they should";
  // Nothing of it is lost.
  Pulled pulled;
  test::pull_to_end(engine, 50, pulled);
  EXPECT_TRUE(test::follows(test::cut(pulled.out, 0, taken),
                            direct_convolution(in, bank, Routing::rows(1, 1), taken),
                            test::kErrorLimit<TypeParam>));
  EXPECT_EQ(frames_of(pulled), taken + 99);
}

struct GapCase {
  GapPolicy policy;
  std::int64_t gap;
  bool is_filled;
};

TYPED_TEST(EnginePipeline, FollowsTheGapPolicy) {
  constexpr std::int64_t kMaxFill = 500;
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  const GapCase cases[] = {
      {GapPolicy::kZero, 1, true},      {GapPolicy::kZero, 333, true},
      {GapPolicy::kZero, 500, true},    {GapPolicy::kZero, 501, false},
      {GapPolicy::kZero, kHuge, false}, {GapPolicy::kHold, 1, true},
      {GapPolicy::kHold, 333, true},    {GapPolicy::kHold, kHuge, false},
      {GapPolicy::kReset, 1, false},    {GapPolicy::kReset, 333, false},
  };
  for (const GapCase& gap_case : cases) {
    SCOPED_TRACE(testing::Message() << "seed 3, policy " << static_cast<int>(gap_case.policy)
                                    << ", gap " << gap_case.gap);
    Random random(3);
    const FilterBank bank = test::random_bank(random, {400, 30});
    const Routing routing = Routing::rows(2, 2);
    EngineConfig config;
    config.block_frames = 50;
    config.gap_policy = gap_case.policy;
    config.max_fill_frames = kMaxFill;
    BasicEngine<TypeParam> engine(config, bank, routing);
    const Signal before = test::random_signal(random, 2, 777);
    const Signal after = test::random_signal(random, 2, 1'111);
    constexpr std::int64_t kFirst = 10'000;
    const std::int64_t lost_from = kFirst + 777;
    const std::int64_t resumed_at = lost_from + gap_case.gap;
    Pulled pulled;
    engine.start();
    test::push_all(engine, before, test::random_calls(random, 777, 50, 120), kFirst, 60, pulled);
    test::push_all(engine, after, test::random_calls(random, 1'111, 50, 120), resumed_at, 60,
                   pulled);
    test::pull_to_end(engine, 60, pulled);
    engine.stop();
    expect_contiguous(pulled, kFirst);
    const std::size_t tail = engine.tail_frames();

    Signal oracle;
    if (gap_case.is_filled) {
      Signal lost(2, std::vector<double>(static_cast<std::size_t>(gap_case.gap), 0.0));
      for (std::size_t c = 0; c < 2; ++c) {
        if (gap_case.policy == GapPolicy::kHold) {
          std::fill(lost[c].begin(), lost[c].end(), before[c].back());
        }
      }
      const Signal in = test::joined(test::joined(before, lost), after);
      oracle = direct_convolution(in, bank, routing, in[0].size() + tail);
    } else {
      oracle = test::joined(direct_convolution(before, bank, routing, 777),
                            direct_convolution(after, bank, routing, 1'111 + tail));
    }
    EXPECT_TRUE(test::follows(pulled.out, oracle, test::kErrorLimit<TypeParam>));

    bool was_reset = false;
    for (const PulledBlock& block : pulled.blocks) {
      const std::int64_t end = block.first_frame + static_cast<std::int64_t>(block.frames);
      const bool touches = block.first_frame < resumed_at && end > lost_from;
      EXPECT_EQ(has(block.flags, BlockFlags::kFilled), gap_case.is_filled && touches)
          << "frame " << block.first_frame;
      if (block.gap_before != 0 || has(block.flags, BlockFlags::kReset)) {
        EXPECT_TRUE(has(block.flags, BlockFlags::kReset));
        EXPECT_EQ(block.gap_before, gap_case.gap);
        EXPECT_EQ(block.first_frame, resumed_at);
        EXPECT_FALSE(was_reset);
        was_reset = true;
      }
    }
    EXPECT_EQ(was_reset, !gap_case.is_filled);
    const Stats stats = engine.stats();
    EXPECT_EQ(stats.gaps, 1u);
    EXPECT_EQ(stats.gap_frames, gap_case.gap);
    EXPECT_EQ(stats.first_gap_frame, lost_from);
  }
}

// Several gaps, of any length and at any place in the schedule of a plan.
TYPED_TEST(EnginePipeline, FollowsTheGapPolicyUnderEveryPlan) {
  const std::uint64_t seeds = test::full_sweep() ? 400 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 200);
    config.threads = 1 + seed % 2;
    config.gap_policy = static_cast<GapPolicy>(seed % 3);
    config.max_fill_frames = static_cast<std::int64_t>(test::between(random, 400, 1'200));
    config.partition_frames = test::random_partition_frames(random, 128);
    const FilterBank bank = test::random_bank(random, {test::between(random, 1, 3'000), 30});
    const Routing routing = test::random_routing(random, 2, 3, 2, 5, 100);
    BasicEngine<TypeParam> engine(config, bank, routing);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", block " << config.block_frames << ", "
                                    << engine.plan().describe());
    Pulled pulled;
    engine.start();
    std::int64_t next = 0;
    Signal stream = test::random_signal(random, 2, 1'000);  // since the last reset
    test::push_all(engine, stream, test::random_calls(random, 1'000, config.block_frames, 300),
                   next, 200, pulled);
    next += 1'000;
    Signal oracle(3);
    for (int i = 0; i < 3; ++i) {
      const std::size_t gap = test::between(random, 1, 800);
      const Signal after = test::random_signal(random, 2, test::between(random, 1, 2'000));
      if (config.gap_policy == GapPolicy::kReset ||
          static_cast<std::int64_t>(gap) > config.max_fill_frames) {
        oracle = test::joined(oracle, direct_convolution(stream, bank, routing, stream[0].size()));
        stream = after;
      } else {
        for (auto& channel : stream) {
          const double held = config.gap_policy == GapPolicy::kHold ? channel.back() : 0;
          channel.insert(channel.end(), gap, held);
        }
        stream = test::joined(stream, after);
      }
      next += static_cast<std::int64_t>(gap);
      test::push_all(engine, after,
                     test::random_calls(random, after[0].size(), config.block_frames, 300), next,
                     200, pulled);
      next += static_cast<std::int64_t>(after[0].size());
    }
    test::pull_to_end(engine, 200, pulled);
    engine.stop();
    const std::size_t frames = stream[0].size() + engine.tail_frames();
    oracle = test::joined(oracle, direct_convolution(stream, bank, routing, frames));
    EXPECT_TRUE(test::follows(pulled.out, oracle, test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EnginePipeline, RefusesAJumpBackAndSaysBothPositions) {
  EngineConfig config;
  config.block_frames = 16;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0, 0.5}}), Routing::rows(1, 1));
  const Signal in(1, std::vector<double>(10, 1.0));
  engine.start();
  EXPECT_EQ(push_once(engine, in, 1'000).frames, 10u);
  const PushResult result = push_once(engine, in, 1'009);
  EXPECT_FALSE(result);
  EXPECT_EQ(result.status, PushStatus::kBackwardJump);
  EXPECT_EQ(result.frames, 0u);
  EXPECT_EQ(result.expected_frame, 1'010);
  EXPECT_EQ(push_once(engine, in, -5).status, PushStatus::kBackwardJump);
  const PushResult next = push_once(engine, in, 1'010);
  EXPECT_TRUE(next);
  EXPECT_EQ(next.expected_frame, 1'020);
  Pulled pulled;
  test::pull_to_end(engine, 16, pulled);
  EXPECT_EQ(frames_of(pulled), 21u) << "a refused block was heard";
}

TYPED_TEST(EnginePipeline, RefusesBlocksOfAnotherShape) {
  EngineConfig config;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0, 0.5}}), Routing::rows(2, 1));
  engine.start();
  for (const std::size_t channels : {1, 3}) {
    const Signal in(channels, std::vector<double>(10, 1.0));
    const PushResult result = push_once(engine, in, 0);
    EXPECT_EQ(result.status, PushStatus::kWrongShape);
    EXPECT_EQ(result.frames, 0u);
  }
}

TYPED_TEST(EnginePipeline, TakesNothingWhileItDoesNotRun) {
  EngineConfig config;
  config.block_frames = 16;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0, 0.5}}), Routing::rows(1, 1));
  const Signal in(1, std::vector<double>(10, 1.0));
  Pulled pulled;
  EXPECT_EQ(push_once(engine, in, 0).status, PushStatus::kNotRunning);
  EXPECT_FALSE(engine.flush());
  EXPECT_FALSE(test::pull_once(engine, 16, pulled));
  engine.stop();  // does nothing

  engine.start();
  EXPECT_THROW(engine.start(), Error);
  test::Planes<TypeParam> planes(1, 16);
  EXPECT_EQ(engine.process(planes.from(0), planes.from(0), 16), ProcessStatus::kRunning);
  EXPECT_EQ(push_once(engine, in, 0).status, PushStatus::kOk);
  test::pull_to_end(engine, 16, pulled);
  EXPECT_EQ(push_once(engine, in, 10).status, PushStatus::kNotRunning);
  EXPECT_FALSE(test::pull_once(engine, 16, pulled));
  EXPECT_TRUE(pulled.ended) << "the mark of the end is told once only";
  engine.stop();
  EXPECT_EQ(push_once(engine, in, 10).status, PushStatus::kNotRunning);
}

TYPED_TEST(EnginePipeline, StopsInTheMiddleAndStartsAnew) {
  Random random(4);
  const FilterBank bank = test::random_bank(random, {300});
  const Routing rows = Routing::rows(1, 1);
  EngineConfig config;
  config.block_frames = 32;
  config.ring_blocks = 2;
  BasicEngine<TypeParam> engine(config, bank, rows);
  const Signal in = test::random_signal(random, 1, 900);
  for (int i = 0; i < 5; ++i) {
    engine.start();
    push_once(engine, in, 5);  // full rings, and nobody pulls
    engine.stop();
    engine.reset();
    EXPECT_TRUE(test::follows(
        test::run_process(engine, in, test::random_calls(random, 900, 32, engine.max_frames())),
        direct_convolution(in, bank, rows, 900), test::kErrorLimit<TypeParam>));
    engine.reset();
    Pulled pulled;
    engine.start();
    test::push_all(engine, in, test::equal_calls(900, 100), 77, 100, pulled);
    test::pull_to_end(engine, 100, pulled);
    engine.stop();
    expect_contiguous(pulled, 77);
    EXPECT_TRUE(test::follows(pulled.out, direct_convolution(in, bank, rows, 900 + 299),
                              test::kErrorLimit<TypeParam>));
    engine.reset();
  }
  engine.start();  // the destructor ends it
  push_once(engine, in, 0);
}

TYPED_TEST(EnginePipeline, TellsTheTimeOfTheFirstFrame) {
  EngineConfig config;
  config.block_frames = 48;
  config.sample_rate_hz = 48'000;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0, 0.5}}), Routing::rows(1, 1));
  constexpr std::int64_t kStart = 1'700'000'000'000'000'000;
  Pulled pulled;
  engine.start();
  for (std::int64_t i = 0; i < 40; ++i) {
    const Signal in(1, std::vector<double>(48, 1.0));
    test::push_all(engine, in, {48}, 48 * i, 31, pulled, kStart + 1'000'000 * i);
  }
  test::pull_to_end(engine, 31, pulled);
  for (const PulledBlock& block : pulled.blocks) {
    if (block.first_frame >= 48 * 40) continue;
    const double elapsed_ns = static_cast<double>(block.first_frame) * 1e9 / 48'000;
    EXPECT_NEAR(static_cast<double>(block.timestamp_ns - kStart), elapsed_ns, 2)
        << "frame " << block.first_frame;
  }
  engine.stop();

  // An unknown time stays unknown.
  engine.reset();
  Pulled untimed;
  engine.start();
  test::push_all(engine, {std::vector<double>(100, 1.0)}, {100}, 0, 31, untimed);
  test::pull_to_end(engine, 31, untimed);
  for (const PulledBlock& block : untimed.blocks) EXPECT_EQ(block.timestamp_ns, 0);
}

TYPED_TEST(EnginePipeline, MarksSpoiledBlocks) {
  Random random(6);
  const FilterBank bank = test::random_bank(random, {150});
  EngineConfig config;
  config.block_frames = 50;
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  Signal in = test::random_signal(random, 1, 1'000);
  in[0][410] = std::numeric_limits<double>::quiet_NaN();
  Pulled pulled;
  engine.start();
  test::push_all(engine, in, test::equal_calls(1'000, 50), 0, 50, pulled);
  test::pull_to_end(engine, 50, pulled);
  const Signal oracle = direct_convolution(in, bank, Routing::rows(1, 1), 1'149);
  EXPECT_TRUE(test::follows(pulled.out, oracle, test::kErrorLimit<TypeParam>));
  for (const PulledBlock& block : pulled.blocks) {
    const auto first = oracle[0].begin() + static_cast<std::ptrdiff_t>(block.offset);
    const bool spoiled = std::any_of(first, first + static_cast<std::ptrdiff_t>(block.frames),
                                     [](double sample) { return std::isnan(sample); });
    EXPECT_EQ(has(block.flags, BlockFlags::kSpoiled), spoiled) << "frame " << block.first_frame;
  }
  EXPECT_EQ(engine.stats().spoiled_frames, 150);
  EXPECT_EQ(engine.stats().first_spoiled_frame, 410);
}

TYPED_TEST(EnginePipeline, SwapsAtFramesOfTheStream) {
  Random random(7);
  const FilterBank first = test::random_bank(random, {400});
  const FilterBank second = test::random_bank(random, {250});
  const Routing rows = Routing::rows(1, 1);
  EngineConfig config;
  config.block_frames = 64;
  BasicEngine<TypeParam> engine(config, first, rows);
  const Signal in = test::random_signal(random, 1, 5'000);
  constexpr std::int64_t kFirst = 100'000;
  Pulled pulled;
  engine.start();
  const std::uint64_t ticket = engine.swap(second, kFirst + 2'345, 600);
  test::push_all(engine, in, test::random_calls(random, 5'000, 64, 300), kFirst, 100, pulled);
  test::pull_to_end(engine, 100, pulled);
  EXPECT_EQ(engine.live_frame(ticket), kFirst + 2'345);
  EXPECT_TRUE(
      test::follows(test::cut(pulled.out, 0, 5'000),
                    test::with_changes(direct_convolution(in, first, rows, 5'000),
                                       {{direct_convolution(in, second, rows, 5'000), 2'345, 600}}),
                    test::kErrorLimit<TypeParam>));
}

// The frames that a fade lasts are frames that are processed: a gap without output holds it up.
TYPED_TEST(EnginePipeline, GoesOnFadingAfterAGapThatForgetsTheHistory) {
  Random random(8);
  const FilterBank first = test::random_bank(random, {400});
  const FilterBank second = test::random_bank(random, {250});
  const Routing rows = Routing::rows(1, 1);
  EngineConfig config;
  config.block_frames = 64;
  config.gap_policy = GapPolicy::kReset;
  BasicEngine<TypeParam> engine(config, first, rows);
  constexpr std::int64_t kFirst = 100'000;
  constexpr std::int64_t kGap = 777;
  constexpr std::int64_t kLive = 800;  // frames after the first one
  constexpr std::size_t kFade = 600;
  const Signal before = test::random_signal(random, 1, 1'000);
  const Signal after = test::random_signal(random, 1, 2'000);
  Pulled pulled;
  engine.start();
  const std::uint64_t ticket = engine.swap(second, kFirst + kLive, kFade);
  test::push_all(engine, before, test::random_calls(random, 1'000, 64, 150), kFirst, 100, pulled);
  test::push_all(engine, after, test::random_calls(random, 2'000, 64, 150), kFirst + 1'000 + kGap,
                 100, pulled);
  test::pull_to_end(engine, 100, pulled);
  EXPECT_EQ(engine.live_frame(ticket), kFirst + kLive);
  expect_contiguous(pulled, kFirst);
  const Signal oracle = test::joined(
      test::with_changes(direct_convolution(before, first, rows, 1'000),
                         {{direct_convolution(before, second, rows, 1'000), kLive, kFade}}),
      test::with_changes(direct_convolution(after, first, rows, 2'000),
                         {{direct_convolution(after, second, rows, 2'000), kLive - 1'000, kFade}}));
  EXPECT_TRUE(test::follows(test::cut(pulled.out, 0, 3'000), oracle, test::kErrorLimit<TypeParam>));
}

// A flag belongs to frames, whatever the sizes of the pulls.
TYPED_TEST(EnginePipeline, TellsFlagsWithTheFramesThatTheyAreAbout) {
  constexpr std::int64_t kFirst = 1'000;
  constexpr std::int64_t kGap = 130;
  constexpr std::int64_t kLostFrom = kFirst + 220;
  constexpr std::int64_t kResumed = kLostFrom + kGap;
  for (const GapPolicy policy : {GapPolicy::kZero, GapPolicy::kReset}) {
    for (const std::size_t pull_frames : {1, 7, 20, 49, 50, 51, 500}) {
      SCOPED_TRACE(testing::Message() << "seed 9, policy " << static_cast<int>(policy)
                                      << ", pulls of " << pull_frames << " frames");
      Random random(9);
      EngineConfig config;
      config.block_frames = 50;
      config.ring_blocks = 32;
      config.gap_policy = policy;
      BasicEngine<TypeParam> engine(config, test::random_bank(random, {30}), Routing::rows(1, 1));
      Pulled pulled;
      engine.start();
      // Everything waits in the rings before the first pull, so that pulls may be full.
      ASSERT_EQ(push_once(engine, test::random_signal(random, 1, 220), kFirst).frames, 220u);
      ASSERT_EQ(push_once(engine, test::random_signal(random, 1, 300), kResumed).frames, 300u);
      ASSERT_TRUE(engine.flush());
      test::Patience patience;
      while (engine.stats().frames < 220 + 300 && patience.wait()) {
      }
      test::pull_to_end(engine, pull_frames, pulled);
      engine.stop();
      expect_contiguous(pulled, kFirst);
      for (const PulledBlock& block : pulled.blocks) {
        const std::int64_t end = block.first_frame + static_cast<std::int64_t>(block.frames);
        const bool holds_lost = block.first_frame < kResumed && end > kLostFrom;
        const bool is_reset = policy == GapPolicy::kReset && block.first_frame == kResumed;
        EXPECT_EQ(has(block.flags, BlockFlags::kReset), is_reset) << "frame " << block.first_frame;
        EXPECT_EQ(block.gap_before, is_reset ? kGap : 0) << "frame " << block.first_frame;
        EXPECT_EQ(has(block.flags, BlockFlags::kFilled), holds_lost)
            << "frame " << block.first_frame;
        EXPECT_FALSE(holds_lost && (block.first_frame < kLostFrom || end > kResumed))
            << "frames of both kinds in one pull, from " << block.first_frame;
      }
      EXPECT_EQ(frames_of(pulled), 220u + (policy == GapPolicy::kZero ? kGap : 0) + 300 + 29);
    }
  }
}

TYPED_TEST(EnginePipeline, CountsFramesBelowZeroToo) {
  Random random(10);
  const FilterBank bank = test::random_bank(random, {40});
  EngineConfig config;
  config.block_frames = 50;
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  EXPECT_EQ(engine.stats().first_spoiled_frame, Stats::kNone);
  EXPECT_EQ(engine.stats().first_gap_frame, Stats::kNone);
  Signal in = test::random_signal(random, 1, 2'000);
  in[0][410] = std::numeric_limits<double>::quiet_NaN();
  in[0][1'700] = in[0][410];
  Pulled pulled;
  engine.start();
  test::push_all(engine, test::cut(in, 0, 600), test::equal_calls(600, 50), -1'000, 33, pulled);
  test::push_all(engine, test::cut(in, 700, 100), test::equal_calls(100, 50), -300, 33, pulled);
  test::push_all(engine, test::cut(in, 900, 1'100), test::equal_calls(1'100, 50), -100, 33, pulled);
  test::pull_to_end(engine, 33, pulled);
  engine.stop();
  expect_contiguous(pulled, -1'000);
  for (const std::size_t lost : {600, 800}) {
    std::fill_n(in[0].begin() + static_cast<std::ptrdiff_t>(lost), 100, 0.0);
  }
  EXPECT_TRUE(test::follows(pulled.out, direct_convolution(in, bank, Routing::rows(1, 1), 2'039),
                            test::kErrorLimit<TypeParam>));
  const Stats stats = engine.stats();
  EXPECT_EQ(stats.first_spoiled_frame, -1'000 + 410);
  EXPECT_EQ(stats.spoiled_frames, 80);
  EXPECT_EQ(stats.gaps, 2u);
  EXPECT_EQ(stats.gap_frames, 200);
  EXPECT_EQ(stats.first_gap_frame, -400);
}

TYPED_TEST(EnginePipeline, RefusesBlocksThatEndBeyondTheLastFrame) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  EngineConfig config;
  config.block_frames = 16;
  config.gap_policy = GapPolicy::kReset;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0}}), Routing::rows(1, 1));
  const Signal in(1, std::vector<double>(10, 1.0));
  engine.start();
  for (const std::int64_t first : {kLast, kLast - 1, kLast - 9}) {
    const PushResult result = push_once(engine, in, first);
    EXPECT_EQ(result.status, PushStatus::kOutOfRange) << first;
    EXPECT_EQ(result.frames, 0u);
  }
  EXPECT_EQ(push_once(engine, in, -5).status, PushStatus::kOk);
  EXPECT_EQ(push_once(engine, in, kLast - 9).status, PushStatus::kOutOfRange);
  EXPECT_EQ(push_once(engine, in, kLast - 10).expected_frame, kLast);
  EXPECT_EQ(push_once(engine, in, kLast).status, PushStatus::kOutOfRange);
  Pulled pulled;
  test::pull_to_end(engine, 16, pulled);
  EXPECT_EQ(frames_of(pulled), 20u) << "a refused block was heard";
  ASSERT_FALSE(pulled.blocks.empty());
  EXPECT_EQ(pulled.blocks.back().first_frame, kLast - 10);
  EXPECT_EQ(engine.stats().gap_frames, kLast - 10 - 5);
}

// Also where the distance to what process() did before fits no number, and in the midst of a fade.
TYPED_TEST(EnginePipeline, MayBeginAnywhere) {
  for (const std::int64_t first : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-5},
                                   std::numeric_limits<std::int64_t>::max() - 10}) {
    for (const bool fading : {false, true}) {
      SCOPED_TRACE(testing::Message() << "first frame " << first << ", fading " << fading);
      EngineConfig config;
      config.block_frames = 16;
      BasicEngine<TypeParam> engine(config, FilterBank({{1.0}}), Routing::rows(1, 1));
      const Signal in(1, std::vector<double>(10, 1.0));
      if (fading) engine.swap(FilterBank({{2.0}}), 0, 12);
      test::run_process(engine, in, {10});
      engine.start();
      EXPECT_EQ(push_once(engine, in, first).status, PushStatus::kOk);
      Pulled pulled;
      test::pull_to_end(engine, 16, pulled);
      ASSERT_EQ(frames_of(pulled), 10u);
      EXPECT_EQ(pulled.blocks.front().first_frame, first);
      EXPECT_NEAR(pulled.out[0][0], fading ? 1 + 11.0 / 13 : 1.0, 1e-6);
      EXPECT_NEAR(pulled.out[0][9], fading ? 2.0 : 1.0, 1e-6);
    }
  }
}

TYPED_TEST(EnginePipeline, RefusesGapsThatNoNumberHolds) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  EngineConfig config;
  config.block_frames = 16;
  BasicEngine<TypeParam> engine(config, FilterBank({{1.0}}), Routing::rows(1, 1));
  const Signal in(1, std::vector<double>(10, 1.0));
  engine.start();
  EXPECT_EQ(push_once(engine, in, kFirst).status, PushStatus::kOk);
  const PushResult result = push_once(engine, in, 1'000);
  EXPECT_EQ(result.status, PushStatus::kOutOfRange);
  EXPECT_EQ(result.frames, 0u);
  EXPECT_EQ(result.expected_frame, kFirst + 10);
  EXPECT_EQ(push_once(engine, in, kFirst + 10).status, PushStatus::kOk);
  Pulled pulled;
  test::pull_to_end(engine, 16, pulled);
  EXPECT_EQ(frames_of(pulled), 20u) << "a refused block was heard";
  EXPECT_EQ(engine.stats().gaps, 0u);
}

// Marks are told by the engine: those of a block that is pushed neither end the stream nor lose it.
TEST(EnginePipeline, TakesFramesWhateverTheirFlags) {
  EngineConfig config;
  config.block_frames = 8;
  Engine engine(config, FilterBank({{1.0}}), Routing::rows(1, 1));
  engine.start();
  const std::vector<float> samples(8, 1.0F);
  const float* const planes[] = {samples.data()};
  BasicBlock<const float> block;
  block.planes = planes;
  block.channels = 1;
  block.frames = samples.size();
  for (const BlockFlags flags :
       {BlockFlags::kEndOfStream, BlockFlags::kReset, BlockFlags::kEndOfStream}) {
    block.flags = flags;
    ASSERT_EQ(engine.push(block).frames, 8u);
    block.first_frame += 8;
  }
  ASSERT_TRUE(engine.flush());
  Pulled pulled;
  test::pull_to_end(engine, 100, pulled);
  EXPECT_EQ(pulled.out, Signal(1, std::vector<double>(24, 1.0)));
}

// Indices and times are the sender's, who may say anything.
TEST(EnginePipeline, SurvivesTheEndsOfTheNumbers) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EngineConfig config;
  config.block_frames = 4;
  config.gap_policy = GapPolicy::kReset;
  config.ring_blocks = 16;
  Engine engine(config, FilterBank({{1.0}}), Routing::rows(1, 1));
  engine.start();
  const std::vector<float> samples(10, 1.0F);
  const float* const planes[] = {samples.data()};
  BasicBlock<const float> block;
  block.planes = planes;
  block.channels = 1;
  block.frames = samples.size();
  for (const std::int64_t first : {-(kMost / 2), std::int64_t{0}, kMost - 100}) {
    block.first_frame = first;
    block.timestamp_ns = first == 0 ? kMost - 1 : kLeast + 1;
    ASSERT_EQ(engine.push(block).frames, 10u) << first;
  }
  ASSERT_TRUE(engine.flush());
  std::vector<float> out(4);
  float* const out_planes[] = {out.data()};
  BasicBlock<float> pulled;
  pulled.planes = out_planes;
  pulled.channels = 1;
  test::Patience patience;
  for (std::size_t frames = 0; frames < 30;) {
    pulled.frames = 4;
    const std::size_t part = engine.pull(pulled);
    ASSERT_FALSE(has(pulled.flags, BlockFlags::kEndOfStream)) << frames;
    if (part == 0 && !patience.wait()) break;
    if (part == 0) continue;
    // What would be later than there can be is not long ago instead.
    EXPECT_EQ(pulled.timestamp_ns > 0, frames >= 10 && frames < 20) << frames;
    frames += part;
  }
  EXPECT_EQ(engine.stats().gaps, 2u);
  EXPECT_EQ(engine.stats().gap_frames, kMost) << "as many as can be counted";
}

}  // namespace
}  // namespace firbank
