// The hybrid mode on the fake device: the CPU's head and the device's tail are the whole filter,
// without latency; and what happens when the tail is late, or lost.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "io/error.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::HasSubstr;

class EngineHybrid : public test::DeviceFixture {
 protected:
  static EngineConfig config(std::size_t block) {
    EngineConfig config;
    config.block_frames = block;
    config.backend = "cuda";
    config.gpu_mode = GpuMode::kHybrid;
    config.late_tail = LateTail::kWait;
    return config;
  }
};

template <class Sample>
void check_random_stream(std::uint64_t seed, EngineConfig config) {
  Random random(seed);
  config.block_frames = between(random, 1, 100);
  config.max_frames = config.block_frames * between(random, 1, 4);
  config.depth_blocks = between(random, 0, 4);
  if (seed % 3 == 0) config.partition_frames = test::random_partition_frames(random, 64);
  const Routing routing = test::random_routing(random, 3, 2, 4, 6, 300);
  // Some filters are all head.
  const FilterBank bank = test::random_bank(
      random, {between(random, 1, 2'500), between(random, 1, 300), 1, between(random, 1, 900)});
  BasicEngine<Sample> engine(config, bank, routing);
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", block " << config.block_frames << ", "
                                  << engine.plan().describe() << "; "
                                  << engine.tail_plan()->describe());
  EXPECT_EQ(engine.latency_frames(), 0u);
  for (int stream = 0; stream < 2; ++stream) {
    const std::size_t frames = between(random, 1, 4'000);
    const Signal in = test::random_signal(random, 3, frames);
    Signal out = test::run_process(
        engine, in, test::random_calls(random, frames, config.block_frames, engine.max_frames()));
    const std::size_t tail = engine.tail_frames();
    test::Planes<Sample> flushed(2, tail);
    std::size_t got = 0;
    while (const std::size_t part = engine.flush(flushed.from(got), 50)) got += part;
    EXPECT_EQ(got, tail);
    EXPECT_TRUE(test::follows(test::joined(out, flushed.signal()),
                              direct_convolution(in, bank, routing, frames + tail),
                              test::kErrorLimit<Sample>));
    engine.reset();
  }
  EXPECT_EQ(engine.stats().late_frames, 0);
}

TEST_F(EngineHybrid, IsTheWholeFilterWithoutLatencyInFloat) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) check_random_stream<float>(seed, config(1));
}
TEST_F(EngineHybrid, IsTheWholeFilterWithoutLatencyInDouble) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) check_random_stream<double>(seed, config(1));
}

TEST_F(EngineHybrid, AnswersAtOnceThroughThePipeline) {
  Random random(1);
  SCOPED_TRACE("seed 1");
  const FilterBank bank = test::random_bank(random, {3'000});
  Engine engine(config(64), bank, Routing::rows(2, 1));
  const Signal in = test::random_signal(random, 2, 64 * 100);
  test::Pulled pulled;
  engine.start();
  test::push_all(engine, in, test::equal_calls(6'400, 64), 0, 64, pulled);
  test::Patience patience;
  while (pulled.out[0].size() < 6'400 && patience.wait()) test::pull_once(engine, 64, pulled);
  EXPECT_EQ(pulled.out[0].size(), 6'400u) << "the newest block's answer should be there";
  test::pull_to_end(engine, 64, pulled);
  engine.stop();
  EXPECT_TRUE(test::follows(
      pulled.out, direct_convolution(in, bank, Routing::rows(2, 1), 6'400 + 2'999), 1e-6));
}

// One frame late in either part would be heard.
TEST_F(EngineHybrid, SwapsHeadAndTailAtTheSameFrame) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const std::size_t block = between(random, 8, 64);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", block " << block);
    EngineConfig wanted = config(block);
    wanted.max_taps = 2'000;
    const Routing routing = test::random_routing(random, 2, 2, 2, 4, 100);
    const FilterBank before = test::random_bank(random, {1'500, 40});
    const FilterBank after = test::random_bank(random, {between(random, 1, 2'000), 700});
    Engine engine(wanted, before, routing);
    const std::size_t frames = 200 * block;
    const Signal in = test::random_signal(random, 2, frames);
    const std::size_t early = 20 * block;
    const auto calls = [&](std::size_t count) {
      return test::random_calls(random, count, block, engine.max_frames());
    };
    Signal out = test::run_process(engine, test::cut(in, 0, early), calls(early));
    const bool at_once = seed % 2 == 0;
    const auto at =
        static_cast<std::int64_t>(at_once ? 0 : early + between(random, 12, 60) * block);
    const std::size_t fade = between(random, 0, 2) * between(random, 1, 500);
    const std::uint64_t ticket = engine.swap(after, at, fade);
    out = test::joined(out, test::run_process(engine, test::cut(in, early, frames - early),
                                              calls(frames - early)));
    const std::optional<std::int64_t> live = engine.live_frame(ticket);
    ASSERT_TRUE(live);
    if (!at_once) {
      EXPECT_EQ(*live, at);
    }
    EXPECT_LE(*live, static_cast<std::int64_t>(
                         std::max<std::size_t>(static_cast<std::size_t>(at), early + 11 * block)));
    const Signal old = direct_convolution(in, before, routing, frames);
    EXPECT_TRUE(test::follows(
        out,
        test::with_changes(old, {{direct_convolution(in, after, routing, frames), *live, fade}}),
        1e-6));
    EXPECT_EQ(engine.stats().swaps, 1u);
    std::size_t longest = 0;
    for (const Edge& edge : routing.edges()) {
      longest = std::max(longest, edge.delay + after.taps(edge.filter).size());
    }
    EXPECT_EQ(engine.tail_frames(), longest - 1);
  }
}

// While its spectra are made the stream goes on, and is past the frame that they were made for.
TEST_F(EngineHybrid, SwapsHeadAndTailAtTheSameFrameHoweverLongABankTakes) {
  Random random(10);
  SCOPED_TRACE("seed 10");
  constexpr std::size_t kBlock = 16;
  constexpr std::size_t kFrames = 1'500 * kBlock;
  const Routing routing = Routing::rows(1, 1);
  EngineConfig wanted = config(kBlock);
  wanted.max_taps = 60'000;
  wanted.partition_frames = {kBlock, 512};
  const FilterBank before = test::random_bank(random, {500});
  const FilterBank after = test::random_bank(random, {60'000});
  const Signal in = test::random_signal(random, 1, kFrames);
  const Signal old = direct_convolution(in, before, routing, kFrames);
  const Signal fresh = direct_convolution(in, after, routing, kFrames);
  for (const std::size_t fade : {std::size_t{0}, std::size_t{300}}) {
    Engine engine(wanted, before, routing);
    std::atomic<std::size_t> processed{0};
    std::atomic<bool> is_given{false};
    test::Planes<float> input(in);
    test::Planes<float> output(1, kFrames);
    std::thread stream([&] {
      // Stands still near its end until the swap is there.
      for (std::size_t n = 0; n < kFrames; n += kBlock) {
        test::Patience patience;
        while (n >= kFrames / 2 && !is_given && patience.wait()) continue;
        engine.process(input.from(n), output.from(n), kBlock);
        processed = n + kBlock;
      }
    });
    while (processed < 20 * kBlock) std::this_thread::yield();
    const std::uint64_t ticket = engine.swap(after, 0, fade);
    is_given = true;
    stream.join();
    const std::optional<std::int64_t> live = engine.live_frame(ticket);
    ASSERT_TRUE(live);
    SCOPED_TRACE(testing::Message() << "a fade of " << fade << " frames from " << *live);
    EXPECT_TRUE(
        test::follows(output.signal(), test::with_changes(old, {{fresh, *live, fade}}), 1e-6));
  }
}

// Of many filters the heads take longer to make than the tails are ahead: the stream may go on by
// dozens of blocks between the two. How far it does is left to chance, so there are many swaps.
TEST_F(EngineHybrid, SwapsHeadAndTailAtTheSameFrameHoweverLongTheHeadsTake) {
  Random random(11);
  SCOPED_TRACE("seed 11");
  constexpr std::size_t kBlock = 64;
  constexpr std::size_t kFrames = 4'000 * kBlock;
  constexpr std::size_t kFilters = 3'000;
  std::vector<Edge> edges;
  for (std::size_t k = 0; k < kFilters; ++k) edges.push_back({.filter = k});
  const Routing routing(1, 1, edges);
  // One is heard, with a tap in the head and one in the tail.
  const auto bank_of = [](double gain) {
    std::vector<std::vector<double>> filters(kFilters, {0});
    filters[0].assign(300, 0);
    filters[0].front() = filters[0].back() = gain;
    return FilterBank(std::move(filters));
  };
  const std::vector<FilterBank> banks{bank_of(1), bank_of(-2)};
  // On the CPU, which takes less time for a block than the fake device.
  configure("fail_work=2");
  Engine engine(config(kBlock), banks[0], routing);
  const Signal in = test::random_signal(random, 1, kFrames);
  test::Planes<float> input(in);
  test::Planes<float> output(1, kFrames);
  std::atomic<std::size_t> processed{0};
  std::atomic<bool> is_done{false};
  std::thread stream([&] {
    for (std::size_t n = 0; n < kFrames && !is_done; n += kBlock) {
      engine.process(input.from(n), output.from(n), kBlock);
      processed = n + kBlock;
    }
  });
  const auto wait_for = [&](std::size_t frame) {
    while (processed < std::min(frame, kFrames)) std::this_thread::yield();
  };
  std::vector<std::int64_t> live;
  for (std::size_t swaps = 0; swaps < 16; ++swaps) {
    wait_for(processed + 10 * kBlock);
    const std::uint64_t ticket = engine.swap(banks[(swaps + 1) % 2], 0, 0);
    while (!engine.live_frame(ticket) && processed < kFrames) std::this_thread::yield();
    live.push_back(engine.live_frame(ticket).value_or(0));
  }
  wait_for(processed + 10 * kBlock);
  is_done = true;
  stream.join();
  ASSERT_LT(processed, kFrames) << "the stream ended before the last swap was heard";
  const std::vector<Signal> wet{direct_convolution(in, banks[0], routing, processed),
                                direct_convolution(in, banks[1], routing, processed)};
  std::vector<test::Change> changes;
  for (const std::int64_t frame : live) changes.push_back({wet[(changes.size() + 1) % 2], frame});
  EXPECT_TRUE(test::follows(test::cut(output.signal(), 0, processed),
                            test::with_changes(wet[0], changes), 1e-6));
}

// A reset drops what has come of a block, and position() goes on counting.
TEST_F(EngineHybrid, SwapsHeadAndTailAtTheSameFrameBehindAReset) {
  Random random(7);
  SCOPED_TRACE("seed 7");
  const std::size_t block = 32;
  const FilterBank before = test::random_bank(random, {1'000});
  const FilterBank after = test::random_bank(random, {1'000});
  const Routing routing = Routing::rows(1, 1);
  Engine engine(config(block), before, routing);
  const std::size_t early = 10 * block + 21;
  const std::size_t frames = 100 * block;
  const Signal in = test::random_signal(random, 1, frames);
  test::run_process(engine, test::cut(in, 0, early), test::equal_calls(early, block));
  engine.reset();
  const std::size_t at = 40 * block;
  const std::uint64_t ticket = engine.swap(after, static_cast<std::int64_t>(at));
  const Signal late = test::cut(in, early, frames - early);
  const Signal out = test::run_process(engine, late, test::equal_calls(frames - early, block));
  EXPECT_EQ(engine.live_frame(ticket), static_cast<std::int64_t>(at));
  const auto answer = [&](const FilterBank& bank) {
    return direct_convolution(late, bank, routing, frames - early);
  };
  EXPECT_TRUE(
      test::follows(out,
                    test::with_changes(answer(before),
                                       {{answer(after), static_cast<std::int64_t>(at - early), 0}}),
                    1e-6));
}

// What came of a block is dropped by a reset, but it has its place in the fade: with the reset
// before, during and behind the tail's fade, and with fades that begin and end in what is dropped.
TEST_F(EngineHybrid, FadesHeadAndTailAlikeAcrossAReset) {
  Random random(9);
  SCOPED_TRACE("seed 9");
  constexpr std::size_t kBlock = 32;
  constexpr std::size_t kFrames = 40 * kBlock;
  constexpr std::size_t kAt = 20 * kBlock + 5;
  const FilterBank before = test::random_bank(random, {400});
  const FilterBank after = test::random_bank(random, {400});
  const Routing routing = Routing::rows(1, 1);
  const Signal in = test::random_signal(random, 1, kFrames);
  for (const std::size_t fade : {std::size_t{3}, std::size_t{11}, std::size_t{150}}) {
    // The second half with a device that is lost two blocks behind the reset.
    for (std::size_t step = 0; step < 60; ++step) {
      const std::size_t early = kAt - 4 * kBlock + (step % 30) * 11;
      const bool is_lost = step >= 30;
      SCOPED_TRACE(testing::Message() << "a fade of " << fade << " frames, a reset at " << early
                                      << (is_lost ? ", a lost device" : ""));
      configure(is_lost ? "fail_work=" + std::to_string(early / kBlock + 2) : "");
      Engine engine(config(kBlock), before, routing);
      engine.swap(after, kAt, fade);
      const auto heard = [&](std::size_t first, std::size_t frames) {
        const Signal part = test::cut(in, first, frames);
        const Signal out = test::run_process(engine, part, test::equal_calls(frames, 13));
        const auto answer = [&](const FilterBank& bank) {
          return direct_convolution(part, bank, routing, frames);
        };
        const auto live = static_cast<std::int64_t>(kAt) - static_cast<std::int64_t>(first);
        EXPECT_TRUE(test::follows(
            out, test::with_changes(answer(before), {{answer(after), live, fade}}), 1e-6));
      };
      heard(0, early);
      engine.reset();
      heard(early, kFrames - early);
      EXPECT_EQ(engine.stats().fail_over_frame != Stats::kNone, is_lost);
    }
  }
}

/// Where banks go live, in frames that are processed: those behind the first `early` have names
/// that are `gap` later. One after another, when its frame has come and the fade before it is over.
std::vector<std::int64_t> live_frames(const std::vector<SwapOrder>& swaps, std::int64_t early,
                                      std::int64_t gap) {
  std::vector<std::int64_t> live;
  std::int64_t free_from = 0;
  for (const SwapOrder& swap : swaps) {
    std::int64_t frame = free_from;
    while (frame + (frame < early ? 0 : gap) < swap.at_frame) ++frame;
    live.push_back(frame);
    free_from = frame + static_cast<std::int64_t>(swap.crossfade_frames);
  }
  return live;
}

// A gap holds fades up, and what is due in it begins behind it; also where the tail, which goes
// ahead, was in the midst of a fade, or behind one, that the head had yet to begin.
TEST_F(EngineHybrid, FadesHeadAndTailAlikeAcrossAGapThatForgetsTheHistory) {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Random random(seed);
    constexpr std::int64_t kFirst = 10'000;
    const std::size_t block = between(random, 8, 32);
    EngineConfig wanted = config(block);
    wanted.gap_policy = GapPolicy::kReset;
    const Routing routing = Routing::rows(1, 1);
    std::vector<FilterBank> banks;
    for (int k = 0; k < 3; ++k) banks.push_back(test::random_bank(random, {500}));
    Engine engine(wanted, banks[0], routing);
    const std::size_t early = between(random, 1, 600);
    const auto gap = static_cast<std::int64_t>(between(random, 1, 300));
    const std::size_t frames = early + 1'500;
    // From before the first frame to behind the gap, with fades of up to several heads' length.
    std::vector<SwapOrder> swaps(2);
    std::int64_t at = static_cast<std::int64_t>(between(random, 0, 900)) - 100;
    for (SwapOrder& swap : swaps) {
      swap.at_frame = at;
      swap.crossfade_frames = between(random, 0, 2) * between(random, 1, 150);
      at += static_cast<std::int64_t>(between(random, 0, 200));
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", block " << block << ", a gap of "
                                    << gap << " at " << early << ", swaps at " << swaps[0].at_frame
                                    << " with " << swaps[0].crossfade_frames << " and at "
                                    << swaps[1].at_frame << " with " << swaps[1].crossfade_frames);
    std::vector<std::uint64_t> tickets;
    for (std::size_t k = 0; k < swaps.size(); ++k) {
      tickets.push_back(
          engine.swap(banks[k + 1], kFirst + swaps[k].at_frame, swaps[k].crossfade_frames));
    }
    const Signal in = test::random_signal(random, 1, frames);
    const Signal before = test::cut(in, 0, early);
    const Signal after = test::cut(in, early, frames - early);
    test::Pulled pulled;
    engine.start();
    test::push_all(engine, before, test::random_calls(random, early, block, block), kFirst, block,
                   pulled);
    test::push_all(engine, after, test::random_calls(random, frames - early, block, block),
                   kFirst + static_cast<std::int64_t>(early) + gap, block, pulled);
    test::pull_to_end(engine, block, pulled);
    engine.stop();
    const std::vector<std::int64_t> live =
        live_frames(swaps, static_cast<std::int64_t>(early), gap);
    const auto answer = [&](const Signal& part, std::size_t first) {
      const std::size_t count = part[0].size();
      std::vector<test::Change> changes;
      for (std::size_t k = 0; k < swaps.size(); ++k) {
        changes.push_back({direct_convolution(part, banks[k + 1], routing, count),
                           live[k] - static_cast<std::int64_t>(first), swaps[k].crossfade_frames});
      }
      return test::with_changes(direct_convolution(part, banks[0], routing, count), changes);
    };
    EXPECT_TRUE(test::follows(test::cut(pulled.out, 0, frames),
                              test::joined(answer(before, 0), answer(after, early)), 1e-6));
    for (std::size_t k = 0; k < swaps.size(); ++k) {
      EXPECT_EQ(engine.live_frame(tickets[k]),
                kFirst + live[k] + (live[k] < static_cast<std::int64_t>(early) ? 0 : gap));
    }
  }
}

TEST_F(EngineHybrid, LaunchesOneGraphABlockAndAllocatesNothing) {
  Random random(3);
  SCOPED_TRACE("seed 3");
  Engine engine(config(64), test::random_bank(random, {5'000}), Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 200 * 64);
  const auto calls = test::equal_calls(100 * 64, 64);
  test::run_process(engine, test::cut(in, 0, 6'400), calls);
  control_->reset_counts();
  test::run_process(engine, test::cut(in, 6'400, 6'400), calls);
  const test::FakeDeviceCounts counted = counts();
  EXPECT_EQ(counted.launches, 100u);
  EXPECT_EQ(counted.allocations + counted.pinned_allocations + counted.graphs_made +
                counted.uploads + counted.runs + counted.waits,
            0u);
}

TEST_F(EngineHybrid, LeavesALateTailOutAndCountsIt) {
  Random random(4);
  SCOPED_TRACE("seed 4");
  constexpr std::size_t kBlock = 64;
  constexpr std::size_t kHead = 3 * kBlock;
  std::vector<double> taps = test::random_taps(random, 2'000);
  const FilterBank whole({taps});
  const FilterBank head({std::vector<double>(taps.begin(), taps.begin() + kHead)});
  EngineConfig wanted = config(kBlock);
  wanted.late_tail = LateTail::kLeaveOut;
  const Routing routing = Routing::rows(1, 1);
  const Signal in = test::random_signal(random, 1, 60 * kBlock);
  configure("delay_us=3000");  // the calls below take less
  Engine engine(wanted, whole, routing);
  const Signal out = test::run_process(engine, in, test::equal_calls(60 * kBlock, kBlock));
  const Signal all = direct_convolution(in, whole, routing, 60 * kBlock);
  const Signal none = direct_convolution(in, head, routing, 60 * kBlock);
  std::int64_t late = 0;
  std::int64_t first_late = Stats::kNone;
  for (std::size_t n = kHead; n < 60 * kBlock; n += kBlock) {
    double as_all = 0;
    double as_none = 0;
    for (std::size_t k = n; k < n + kBlock; ++k) {
      as_all += std::abs(out[0][k] - all[0][k]);
      as_none += std::abs(out[0][k] - none[0][k]);
    }
    ASSERT_LT(std::min(as_all, as_none), 1e-3) << "neither whole nor head alone at " << n;
    if (as_none > as_all) continue;
    if (late == 0) first_late = static_cast<std::int64_t>(n);
    late += kBlock;
  }
  EXPECT_GT(late, 0);
  EXPECT_EQ(engine.stats().late_frames, late);
  EXPECT_EQ(engine.stats().first_late_frame, first_late);
  EXPECT_EQ(engine.stats().lost_frames, 0);
}

TEST_F(EngineHybrid, GoesOnWithTheTailOnTheCpu) {
  for (const int launch : {1, 2, 9, 30}) {
    for (const char* fault : {"fail_launch=", "fail_work="}) {
      SCOPED_TRACE(testing::Message() << "seed 5, " << fault << launch);
      Random random(5);
      configure(fault + std::to_string(launch));
      const FilterBank bank = test::random_bank(random, {2'000});
      Engine engine(config(64), bank, Routing::rows(2, 1));
      const Signal in = test::random_signal(random, 2, 6'400);
      EXPECT_TRUE(test::follows(test::run_process(engine, in, test::equal_calls(6'400, 64)),
                                direct_convolution(in, bank, Routing::rows(2, 1), 6'400), 1e-6));
      const Stats stats = engine.stats();
      EXPECT_NE(stats.fail_over_frame, Stats::kNone);
      EXPECT_EQ(stats.lost_frames, 0);
    }
  }
}

// Without the CPU in the device's place the head goes on alone, and every call says so.
TEST_F(EngineHybrid, SaysThatTheTailIsLostWhereNothingTakesItsPlace) {
  Random random(8);
  SCOPED_TRACE("seed 8");
  configure("fail_work=20");
  EngineConfig wanted = config(64);
  wanted.fail_over = false;
  std::vector<double> taps = test::random_taps(random, 2'000);
  const FilterBank head({std::vector<double>(taps.begin(), taps.begin() + 192)});
  Engine engine(wanted, FilterBank({taps}), Routing::rows(1, 1));
  const Signal in = test::random_signal(random, 1, 6'400);
  test::Planes<float> planes(in);
  test::Planes<float> out(1, 6'400);
  for (std::size_t block = 0; block < 100; ++block) {
    const ProcessStatus status = engine.process(planes.from(block * 64), out.from(block * 64), 64);
    // What was under way when the failure became known may be lost with it.
    if (block < 20) {
      EXPECT_EQ(status, ProcessStatus::kOk) << block;
    }
    if (block >= 22) {
      EXPECT_EQ(status, ProcessStatus::kBackendFailed) << block;
    }
  }
  EXPECT_TRUE(test::follows(
      test::cut(out.signal(), 22 * 64, 78 * 64),
      test::cut(direct_convolution(in, head, Routing::rows(1, 1), 6'400), 22 * 64, 78 * 64), 1e-6));
  EXPECT_GE(engine.stats().first_lost_frame, 20 * 64);
  EXPECT_LE(engine.stats().first_lost_frame, 22 * 64);
  EXPECT_NE(engine.failure(), "");
}

TEST_F(EngineHybrid, KeepsANanInTheFramesThatItSpoils) {
  Random random(6);
  SCOPED_TRACE("seed 6");
  const std::size_t taps = 1'000;
  const FilterBank bank = test::random_bank(random, {taps});
  Engine engine(config(32), bank, Routing::rows(1, 1));
  Signal in = test::random_signal(random, 1, 6'400);
  const std::size_t bad = 1'234;
  in[0][bad] = NAN;
  const Signal out = test::run_process(engine, in, test::equal_calls(6'400, 32));
  for (std::size_t n = 0; n < 6'400; ++n) {
    ASSERT_EQ(std::isnan(out[0][n]), n >= bad && n < bad + taps) << n;
  }
  EXPECT_EQ(engine.stats().spoiled_frames, static_cast<std::int64_t>(taps));
  EXPECT_EQ(engine.stats().first_spoiled_frame, static_cast<std::int64_t>(bad));
}

// A filter that is all head leaves the tail nothing, not even a tap that hears what is bad.
TEST_F(EngineHybrid, SpoilsWhatADirectConvolutionSpoilsWhereFiltersAreAllHead) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const std::size_t block = between(random, 4, 64);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", block " << block);
    const std::size_t head = 3 * block;
    EngineConfig wanted = config(block);
    wanted.max_taps = head + 500;
    const Routing routing = test::random_routing(random, 2, 2, 3, 4, 100);
    const auto bank = [&] {
      return test::random_bank(random, {between(random, 1, head), between(random, 1, head),
                                        seed % 2 == 0 ? head : between(random, 1, head + 500)});
    };
    const FilterBank before = bank();
    const FilterBank after = bank();
    Engine engine(wanted, before, routing);
    const std::size_t frames = 80 * block;
    const std::size_t at = 40 * block;
    const std::size_t fade = between(random, 0, 100);
    engine.swap(after, static_cast<std::int64_t>(at), fade);
    Signal in = test::random_signal(random, 2, frames);
    for (int k = 0; k < 6; ++k) in[k % 2][between(random, 0, frames - 1)] = NAN;
    const Signal out = test::run_process(
        engine, in, test::random_calls(random, frames, block, engine.max_frames()));
    EXPECT_TRUE(test::follows(out,
                              test::with_changes(direct_convolution(in, before, routing, frames),
                                                 {{direct_convolution(in, after, routing, frames),
                                                   static_cast<std::int64_t>(at), fade}}),
                              1e-6));
  }
}

TEST_F(EngineHybrid, IsRefusedWhereThereIsNothingToShare) {
  Random random(7);
  const FilterBank bank = test::random_bank(random, {100});
  const auto refusal = [&](EngineConfig wanted) -> std::string {
    try {
      Engine engine(wanted, bank, Routing::rows(1, 1));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
      return error.what();
    }
    return "";
  };
  EngineConfig wanted = config(64);
  wanted.backend = "cpu";
  EXPECT_THAT(refusal(wanted), HasSubstr("gpu_mode is hybrid; allowed with backend 'cpu"));
  wanted = config(64);
  wanted.goal = PlanGoal::kOffline;
  EXPECT_THAT(refusal(wanted), HasSubstr("gpu_mode is hybrid; allowed with the offline goal"));
  Engine engine(config(64), bank, Routing::rows(1, 1));
  EXPECT_THROW(engine.swap(test::random_bank(random, {101}), 0), Error);
  EXPECT_THROW(engine.update(0, bank.taps(0)), Error);
}

}  // namespace
}  // namespace firbank
