// Several readers of one engine's output, what push() does to samples, and the start of a stream.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "io/error.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;
using namespace std::chrono_literals;

struct Read {
  Signal out;
  std::vector<BasicBlock<float>> blocks;  // of which only the marks count
  bool ended = false;
};

/// Pulls once, at most `frames` frames.
std::size_t read_once(StreamReader& reader, std::size_t channels, std::size_t frames, Read& read) {
  test::Planes<float> planes(channels, frames);
  Block block;
  block.planes = planes.from(0);
  block.channels = channels;
  block.frames = frames;
  const std::size_t got = reader.pull(block);
  read.ended = read.ended || (got == 0 && has(block.flags, BlockFlags::kEndOfStream));
  if (got == 0) return 0;
  block.frames = got;
  block.planes = nullptr;
  read.blocks.push_back(block);
  read.out.resize(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    read.out[c].insert(read.out[c].end(), planes[c].begin(),
                       planes[c].begin() + static_cast<std::ptrdiff_t>(got));
  }
  return got;
}

/// Pushes frames [first, last) as they are, none of which may be refused.
void push(Engine& engine, const Signal& in, std::size_t first, std::size_t last,
          std::int64_t first_frame) {
  test::Planes<float> planes(in);
  BasicBlock<const float> block;
  block.channels = in.size();
  test::Patience patience;
  while (first < last) {
    block.planes = planes.from(first);
    block.frames = last - first;
    block.first_frame = first_frame;
    const PushResult result = engine.push(block);
    ASSERT_EQ(result.status, PushStatus::kOk);
    first += result.frames;
    first_frame += static_cast<std::int64_t>(result.frames);
    if (result.frames > 0) continue;
    ASSERT_TRUE(patience.wait()) << "nothing is taken";
  }
}

PushResult push_once(Engine& engine, const Signal& in, std::int64_t first_frame) {
  test::Planes<float> planes(in);
  BasicBlock<const float> block;
  block.planes = planes.from(0);
  block.channels = in.size();
  block.frames = planes.frames();
  block.first_frame = first_frame;
  return engine.push(block);
}

class EngineReaders : public testing::Test {
 protected:
  Random random_{7};
  FilterBank bank_ = test::random_bank(random_, {150, 40});
  Routing routing_ = Routing::rows(2, 2);
};

TEST_F(EngineReaders, EachGetsTheWholeOutput) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 200);
    config.ring_blocks = test::between(random, 2, 9);
    config.max_readers = 3;
    Engine engine(config, bank_, routing_);
    const std::size_t frames = test::between(random, 1, 5'000);
    const Signal in = test::random_signal(random, 2, frames);
    const Signal expected = direct_convolution(in, bank_, routing_, frames + engine.tail_frames());
    engine.start();
    engine.stop_pulling();
    std::vector<Read> reads(3);
    std::vector<std::thread> threads;
    for (std::size_t k = 0; k < reads.size(); ++k) {
      const std::size_t call = test::between(random, 1, 300);
      threads.emplace_back(
          [&, k, call, reader = engine.open_reader(ReaderPolicy::kLossless)]() mutable {
            while (!reads[k].ended) {
              if (read_once(reader, 2, call, reads[k]) == 0 && !reader.wait(10s)) return;
            }
          });
    }
    push(engine, in, 0, frames, 0);
    while (!engine.flush()) std::this_thread::yield();
    for (std::thread& thread : threads) thread.join();
    for (const Read& read : reads) {
      EXPECT_TRUE(read.ended);
      EXPECT_TRUE(test::follows(read.out, expected, test::kErrorLimit<float>));
    }
  }
}

TEST_F(EngineReaders, OneThatIsTooSlowIsToldWhatItMissed) {
  EngineConfig config;
  config.block_frames = 10;
  config.ring_blocks = 4;
  Engine engine(config, bank_, routing_);
  const Signal in = test::random_signal(random_, 2, 1'000);
  const Signal expected = direct_convolution(in, bank_, routing_, 1'000);
  engine.start();
  StreamReader slow = engine.open_reader(ReaderPolicy::kLossy);
  engine.stop_pulling();
  push(engine, in, 0, 10, 0);
  ASSERT_TRUE(slow.wait(10s));
  Read read;
  ASSERT_EQ(read_once(slow, 2, 5, read), 5u);
  ASSERT_EQ(read_once(slow, 2, 100, read), 5u);
  StreamReader strict = engine.open_reader(ReaderPolicy::kLossless);
  std::size_t strict_frames = 0;
  std::thread other([&] {
    while (strict_frames < 990) {
      Read ignored;
      const std::size_t got = read_once(strict, 2, 70, ignored);
      strict_frames += got;
      if (got == 0 && !strict.wait(10s)) return;
    }
  });
  push(engine, in, 10, 1'000, 10);  // nobody waits for the slow one
  other.join();
  EXPECT_EQ(strict_frames, 990u);
  while (read_once(slow, 2, 1'000, read) > 0) {
  }
  ASSERT_EQ(read.blocks.size(), 3u);
  const Block& late = read.blocks[2];
  EXPECT_TRUE(has(late.flags, BlockFlags::kMissed));
  EXPECT_EQ(late.first_frame + static_cast<std::int64_t>(late.frames), 1'000);
  EXPECT_EQ(late.gap_before, late.first_frame - 10);
  EXPECT_GE(late.gap_before, 950);
  EXPECT_EQ(slow.missed_frames(), late.gap_before);
  EXPECT_EQ(strict.missed_frames(), 0);
  // What it did get is right, and where it says.
  Signal heard = expected;
  for (std::size_t c = 0; c < 2; ++c) {
    heard[c].erase(heard[c].begin() + 10, heard[c].begin() + late.first_frame);
  }
  EXPECT_TRUE(test::follows(read.out, heard, test::kErrorLimit<float>));
}

TEST_F(EngineReaders, TheRingIsReadWithoutACopy) {
  EngineConfig config;
  config.block_frames = 50;
  Engine engine(config, bank_, routing_);
  const Signal in = test::random_signal(random_, 2, 300);
  const Signal expected = direct_convolution(in, bank_, routing_, 300);
  engine.start();
  StreamReader reader = engine.open_reader(ReaderPolicy::kLossless);
  engine.stop_pulling();
  push(engine, in, 0, 300, 1'000);
  Signal out(2);
  while (out[0].size() < 300) {
    ASSERT_TRUE(reader.wait(10s));
    const BasicBlock<const float> view = reader.peek(17);
    ASSERT_GT(view.frames, 0u);
    EXPECT_LE(view.frames, 17u);
    EXPECT_EQ(view.first_frame, 1'000 + static_cast<std::int64_t>(out[0].size()));
    for (std::size_t c = 0; c < 2; ++c) {
      out[c].insert(out[c].end(), view.planes[c], view.planes[c] + view.frames);
    }
    const float* const again = reader.peek(17).planes[0];
    EXPECT_EQ(again, view.planes[0]) << "it stays until advance()";
    reader.advance(view.frames);
  }
  EXPECT_TRUE(test::follows(out, expected, test::kErrorLimit<float>));
}

TEST_F(EngineReaders, WaitEndsByTimeByDataAndByTheEnd) {
  EngineConfig config;
  config.block_frames = 32;
  Engine engine(config, bank_, routing_);
  engine.start();
  StreamReader reader = engine.open_reader(ReaderPolicy::kLossy);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(reader.wait(20ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    push(engine, Signal(2, std::vector<double>(32, 1.0)), 0, 32, 0);
  });
  EXPECT_TRUE(reader.wait(std::chrono::nanoseconds::max()));
  later.join();
  EXPECT_EQ(reader.peek(100).frames, 32u);
  reader.advance(32);
  std::thread end([&] {
    std::this_thread::sleep_for(20ms);
    engine.stop();
  });
  EXPECT_TRUE(reader.wait(10s));
  end.join();
  EXPECT_TRUE(has(reader.peek(1).flags, BlockFlags::kEndOfStream));
}

// The thread sleeps for the one that is closed: it has to be woken.
TEST_F(EngineReaders, ClosingTheOneThatHoldsTheStreamBackLetsItGoOn) {
  EngineConfig config;
  config.block_frames = 32;
  config.ring_blocks = 3;
  Engine engine(config, bank_, routing_);
  engine.start();
  std::optional<StreamReader> stalled = engine.open_reader(ReaderPolicy::kLossless);
  StreamReader other = engine.open_reader(ReaderPolicy::kLossy);
  engine.stop_pulling();
  const Signal in = test::random_signal(random_, 2, 32);
  std::int64_t frame = 0;
  test::Patience patience;
  // Full to the brim, and the thread asleep: nothing is taken any more, for a while.
  for (int refused = 0; refused < 50;) {
    if (push_once(engine, in, frame).frames == 0) {
      ++refused;
      std::this_thread::sleep_for(1ms);
    } else {
      refused = 0;
      frame += 32;
    }
  }
  Read read;
  while (read_once(other, 2, 100, read) > 0) {
  }
  stalled.reset();
  EXPECT_TRUE(other.wait(10s)) << "nobody woke the thread";
  EXPECT_GT(read_once(other, 2, 100, read), 0u);
}

// Whatever is lost just before the end is told with the end, and what was lost before a reader's
// first look is told as well.
TEST_F(EngineReaders, MissedFramesAreToldAtTheBeginningAndAtTheEnd) {
  EngineConfig config;
  config.block_frames = 32;
  config.ring_blocks = 2;
  Engine engine(config, bank_, routing_);
  engine.start();
  StreamReader late = engine.open_reader(ReaderPolicy::kLossy);
  StreamReader strict = engine.open_reader(ReaderPolicy::kLossless);
  engine.stop_pulling();
  const Signal in = test::random_signal(random_, 2, 640);
  Read all;
  std::thread other([&] {
    while (!all.ended) {
      if (read_once(strict, 2, 64, all) == 0 && !all.ended && !strict.wait(10s)) return;
    }
  });
  push(engine, in, 0, 640, 0);
  while (!engine.flush()) std::this_thread::yield();
  other.join();
  Read read;
  while (read_once(late, 2, 64, read) > 0) {
  }
  EXPECT_TRUE(read.ended);
  std::int64_t heard = 0;
  for (const Block& block : read.blocks) heard += static_cast<std::int64_t>(block.frames);
  EXPECT_EQ(late.missed_frames(), 640 + 149 - heard);
  const BasicBlock<const float> end = late.peek(10);
  EXPECT_TRUE(has(end.flags, BlockFlags::kEndOfStream));
  if (read.blocks.empty()) {
    EXPECT_TRUE(has(end.flags, BlockFlags::kMissed));
    EXPECT_EQ(end.gap_before, 640 + 149);
  } else {
    EXPECT_TRUE(has(read.blocks[0].flags, BlockFlags::kMissed));
  }
}

// Frames that never came are not the reader's fault, and a reset that it slept through is told.
TEST_F(EngineReaders, AGapOfTheStreamIsNotMissed) {
  EngineConfig config;
  config.block_frames = 32;
  config.ring_blocks = 4;
  config.gap_policy = GapPolicy::kReset;
  Engine engine(config, bank_, routing_);
  engine.start();
  StreamReader slow = engine.open_reader(ReaderPolicy::kLossy);
  StreamReader strict = engine.open_reader(ReaderPolicy::kLossless);
  engine.stop_pulling();
  const Signal in = test::random_signal(random_, 2, 320);
  push(engine, in, 0, 32, 0);
  Read read;
  ASSERT_TRUE(slow.wait(10s));
  ASSERT_EQ(read_once(slow, 2, 32, read), 32u);
  Read all;
  std::thread other([&] {
    while (!all.ended) {
      if (read_once(strict, 2, 64, all) == 0 && !all.ended && !strict.wait(10s)) return;
    }
  });
  push(engine, in, 32, 320, 1'000'000);
  while (!engine.flush()) std::this_thread::yield();
  other.join();
  while (read_once(slow, 2, 64, read) > 0) {
  }
  std::int64_t heard = 0;
  bool was_reset = has(slow.peek(1).flags, BlockFlags::kReset);
  for (const Block& block : read.blocks) {
    heard += static_cast<std::int64_t>(block.frames);
    was_reset = was_reset || has(block.flags, BlockFlags::kReset);
  }
  EXPECT_EQ(slow.missed_frames(), 320 + 149 - heard);
  EXPECT_TRUE(was_reset);
}

TEST_F(EngineReaders, WhatIsMadeUpInAGapHasItsTimeAndNoBadChannel) {
  for (const GapPolicy policy : {GapPolicy::kNan, GapPolicy::kHold}) {
    EngineConfig config;
    config.sample_rate_hz = 30'000;
    config.block_frames = 7;
    config.ring_blocks = 4'000;
    config.gap_policy = policy;
    Engine engine(config, FilterBank({{1.0}}), Routing::rows(2, 1));
    engine.start();
    test::Planes<float> planes(Signal(2, std::vector<double>(7, 0.5)));
    BasicBlock<const float> block;
    block.planes = planes.from(0);
    block.channels = 2;
    block.frames = 7;
    block.timestamp_ns = 1'000'000'000;
    ASSERT_TRUE(engine.push(block));
    engine.set_bad_channel(1, true);
    block.first_frame = 20'007;
    block.timestamp_ns += 20'007LL * 1'000'000'000 / 30'000;
    ASSERT_TRUE(engine.push(block));
    test::Pulled pulled;
    test::Patience patience;
    while ((pulled.out.empty() || pulled.out[0].size() < 20'014) && patience.wait()) {
      while (test::pull_once(engine, 7, pulled)) {
      }
    }
    for (const test::PulledBlock& one : pulled.blocks) {
      EXPECT_NEAR(static_cast<double>(one.timestamp_ns),
                  1e9 + static_cast<double>(one.first_frame) * 1e9 / 30'000, 2)
          << one.first_frame;
    }
    ASSERT_EQ(pulled.out[1].size(), 20'014u);
    for (std::size_t n = 7; n < 20'014; ++n) ASSERT_EQ(pulled.out[1][n], 0) << n;
    EXPECT_EQ(std::isnan(pulled.out[0][100]), policy == GapPolicy::kNan);
  }
}

// The start-up of a filter that came by a swap is as long as that filter.
TEST_F(EngineReaders, ALongerFilterHasALongerStart) {
  Engine engine({.block_frames = 64, .max_taps = 200, .start_transient = StartTransient::kZero},
                FilterBank({{1.0}}), Routing::rows(1, 1));
  engine.swap(FilterBank({std::vector<double>(200, 0.01)}), 0);
  const Signal in(1, std::vector<double>(256, 1.0));
  const Signal out = test::run_process(engine, in, {64, 64, 64, 64});
  for (std::size_t n = 0; n < 256; ++n) {
    ASSERT_NEAR(out[0][n], n < 199 ? 0.0 : 2.0, 1e-5) << n;
  }
}

TEST_F(EngineReaders, AreRefusedWithAReason) {
  EngineConfig config;
  config.max_readers = 2;
  Engine engine(config, bank_, routing_);
  EXPECT_THROW(engine.open_reader(ReaderPolicy::kLossy), Error);
  engine.start();
  const StreamReader reader = engine.open_reader(ReaderPolicy::kLossy);
  try {
    engine.open_reader(ReaderPolicy::kLossy);
    ADD_FAILURE() << "a third of two";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "2 readers are open already; max_readers allows no more");
  }
  config.max_readers = 0;
  EXPECT_THROW(Engine(config, bank_, routing_), Error);
}

TEST_F(EngineReaders, ABadChannelIsSilentWhateverItBrings) {
  for (const bool by_ring : {false, true}) {
    SCOPED_TRACE(by_ring ? "push" : "process");
    Engine engine({.block_frames = 64, .max_frames = 400, .ring_blocks = 32}, bank_,
                  Routing::bank(2, 2));
    Signal in = test::random_signal(random_, 2, 640);
    in[1][100] = NAN;
    engine.set_bad_channel(1, true);
    Signal cleaned = in;
    std::fill(cleaned[1].begin(), cleaned[1].begin() + 320, 0.0);
    Signal out;
    if (by_ring) {
      engine.start();
      StreamReader reader = engine.open_reader(ReaderPolicy::kLossless);
      push(engine, in, 0, 320, 0);
      engine.set_bad_channel(1, false);
      push(engine, in, 320, 640, 320);
      Read read;
      while (read.out.empty() || read.out[0].size() < 640) {
        if (read_once(reader, 4, 100, read) > 0) continue;
        ASSERT_TRUE(reader.wait(10s));
      }
      out = read.out;
      engine.stop();
    } else {
      Signal halves[2] = {in, in};
      for (std::size_t c = 0; c < 2; ++c) {
        halves[0][c].resize(320);
        halves[1][c].erase(halves[1][c].begin(), halves[1][c].begin() + 320);
      }
      out = test::run_process(engine, halves[0], {100, 220});
      engine.set_bad_channel(1, false);
      const Signal rest = test::run_process(engine, halves[1], {320});
      for (std::size_t o = 0; o < 4; ++o) {
        out[o].insert(out[o].end(), rest[o].begin(), rest[o].end());
      }
    }
    EXPECT_TRUE(test::follows(out, direct_convolution(cleaned, bank_, Routing::bank(2, 2), 640),
                              test::kErrorLimit<float>));
    EXPECT_EQ(engine.stats().spoiled_frames, 0);
  }
}

TEST_F(EngineReaders, FramesThatComeAgainAreCounted) {
  Engine engine({.block_frames = 64}, bank_, routing_);
  const Signal in = test::random_signal(random_, 2, 100);
  engine.start();
  push(engine, in, 0, 100, 500);
  EXPECT_EQ(engine.stats().backward_jumps, 0u);
  test::Planes<float> planes(in);
  BasicBlock<const float> block;
  block.planes = planes.from(0);
  block.channels = 2;
  block.frames = 100;
  for (const std::int64_t first : {590, 20}) {  // an overlap, and a jump back
    block.first_frame = first;
    const PushResult result = engine.push(block);
    EXPECT_EQ(result.status, PushStatus::kBackwardJump);
    EXPECT_EQ(result.frames, 0u);
    EXPECT_EQ(result.expected_frame, 600);
  }
  EXPECT_EQ(engine.stats().backward_jumps, 2u);
  EXPECT_EQ(engine.stats().first_backward_frame, 590);
}

/// The frames of each block that carry kTransient, as {first_frame, frames}.
std::vector<std::pair<std::int64_t, std::size_t>> transients(const Read& read) {
  std::vector<std::pair<std::int64_t, std::size_t>> found;
  for (const Block& block : read.blocks) {
    if (!has(block.flags, BlockFlags::kTransient)) continue;
    const auto end = found.empty()
                         ? INT64_MIN
                         : found.back().first + static_cast<std::int64_t>(found.back().second);
    if (end == block.first_frame) {
      found.back().second += block.frames;
    } else {
      found.emplace_back(block.first_frame, block.frames);
    }
  }
  return found;
}

TEST_F(EngineReaders, TheStartIsMarkedOrSilentToTheFrame) {
  for (const StartTransient policy :
       {StartTransient::kKeep, StartTransient::kMark, StartTransient::kZero}) {
    SCOPED_TRACE(static_cast<int>(policy));
    EngineConfig config;
    config.block_frames = 64;
    config.ring_blocks = 40;
    config.gap_policy = GapPolicy::kReset;
    config.start_transient = policy;
    Engine engine(config, bank_, routing_);
    ASSERT_EQ(engine.tail_frames(), 149u);
    const Signal in = test::random_signal(random_, 2, 700);
    engine.start();
    StreamReader reader = engine.open_reader(ReaderPolicy::kLossless);
    engine.stop_pulling();
    push(engine, in, 0, 400, 1'000);
    push(engine, in, 400, 700, 2'000);  // after a gap: a start again
    ASSERT_TRUE(engine.flush());
    Read read;
    while (!read.ended) {
      if (read_once(reader, 2, 1'000, read) > 0 || read.ended) continue;
      ASSERT_TRUE(reader.wait(10s));
    }
    // A tail ends no stream that a gap has ended.
    Signal expected(2);
    for (std::size_t c = 0; c < 2; ++c) {
      const Signal first = {{in[c].begin(), in[c].begin() + 400}};
      const Signal second = {{in[c].begin() + 400, in[c].end()}};
      const FilterBank filter({{bank_.taps(c).begin(), bank_.taps(c).end()}});
      Signal parts[2] = {direct_convolution(first, filter, Routing::rows(1, 1), 400),
                         direct_convolution(second, filter, Routing::rows(1, 1), 449)};
      for (Signal& part : parts) {
        if (policy == StartTransient::kZero) std::fill_n(part[0].begin(), 149, 0.0);
        expected[c].insert(expected[c].end(), part[0].begin(), part[0].end());
      }
    }
    EXPECT_TRUE(test::follows(read.out, expected, test::kErrorLimit<float>));
    using Spans = std::vector<std::pair<std::int64_t, std::size_t>>;
    EXPECT_EQ(transients(read),
              policy == StartTransient::kKeep ? Spans{} : (Spans{{1'000, 149}, {2'000, 149}}));
  }
}

TEST_F(EngineReaders, ProcessSilencesTheStartAsWell) {
  Engine engine({.block_frames = 64, .max_frames = 70, .start_transient = StartTransient::kZero},
                bank_, routing_);
  for (int turn = 0; turn < 2; ++turn) {
    const Signal in = test::random_signal(random_, 2, 120);
    Signal expected = direct_convolution(in, bank_, routing_, 120 + engine.tail_frames());
    for (std::vector<double>& plane : expected) std::fill_n(plane.begin(), 149, 0.0);
    Signal out = test::run_process(engine, in, {50, 70});
    const Signal tail = test::run_flush(engine, 33);
    for (std::size_t c = 0; c < 2; ++c) {
      out[c].insert(out[c].end(), tail[c].begin(), tail[c].end());
    }
    EXPECT_TRUE(test::follows(out, expected, test::kErrorLimit<float>)) << "turn " << turn;
    engine.reset();
  }
}

}  // namespace
}  // namespace firbank
