// RingDrive: an engine behind its rings gives what it gives by itself, a fixed number of frames
// later; what is late is silence, and everything after it stands where it belongs.
#include "engine/ring_drive.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/live_session.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;

constexpr std::size_t kFrames = 6'400;
constexpr std::size_t kBlock = 64;

EngineConfig config_of(const std::string& backend, std::size_t depth) {
  EngineConfig config;
  config.block_frames = kBlock;
  config.backend = backend;
  config.depth_blocks = depth;
  config.ring_blocks = 2 * kFrames / kBlock;  // so that a busy machine loses nothing
  return config;
}

/// `signal` `delay` frames later, with silence before it, and as long.
Signal delayed(Signal signal, std::size_t delay) {
  for (auto& channel : signal) {
    channel.insert(channel.begin(), delay, 0.0);
    channel.resize(channel.size() - delay);
  }
  return signal;
}

/// Gives the engine's thread time to answer what was pushed, and more where it was late: a device
/// that a sanitizer slows down needs longer for a block than that, and would never catch up.
void give_time(const RingDrive& rings, std::int64_t& late_frames) {
  const bool is_behind = rings.late_frames() > late_frames;
  late_frames = rings.late_frames();
  std::this_thread::sleep_for(std::chrono::milliseconds(is_behind ? 50 : 1));
}

/// Whether every frame of `out` is that of `expected`, or silence in all channels, as often as the
/// ring counted late frames; and some were there in time. How many depends on the machine's other
/// work.
void expect_in_place(const Signal& out, const Signal& expected, const RingDrive& rings) {
  std::int64_t silent = 0;
  for (std::size_t n = rings.latency_frames(); n < out[0].size(); ++n) {
    const bool is_silent =
        std::all_of(out.begin(), out.end(), [&](const auto& channel) { return channel[n] == 0; });
    if (is_silent) {
      ++silent;
      continue;
    }
    for (std::size_t c = 0; c < out.size(); ++c) {
      ASSERT_NEAR(out[c][n], expected[c][n], 1e-5) << "channel " << c << ", frame " << n;
    }
  }
  EXPECT_EQ(silent, rings.late_frames());
  EXPECT_LT(silent, static_cast<std::int64_t>(out[0].size() - rings.latency_frames()));
  EXPECT_EQ(rings.refused_frames(), 0);
}

class RingDriveOn : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "cuda") {
      setenv("FIRBANK_PLUGIN_DIR", FIRBANK_FAKE_DEVICE_DIR, 1);
      setenv("FIRBANK_FAKE_DEVICE", "", 1);
    }
  }
};

TEST_P(RingDriveOn, GivesWhatTheEngineGivesLaterByItsLatency) {
  for (const std::size_t depth : {0, 1, 3}) {
    SCOPED_TRACE(testing::Message() << "seed " << depth << ", depth " << depth);
    Random random(depth);
    const FilterBank bank = test::random_bank(random, {500, 200});
    const Signal in = test::random_signal(random, 2, kFrames);
    const Signal expected = direct_convolution(in, bank, Routing::rows(2, 2), kFrames);

    Engine engine(config_of(GetParam(), depth), bank, Routing::rows(2, 2));
    RingDrive rings(engine, kBlock);
    std::int64_t late_frames = 0;
    EXPECT_EQ(rings.latency_frames(), (depth + 1) * kBlock);
    test::Planes<float> input(in);
    test::Planes<float> output(2, kFrames);
    for (std::size_t n = 0; n < kFrames; n += kBlock) {
      rings.process(input.from(n), output.from(n), kBlock);
      give_time(rings, late_frames);
    }
    expect_in_place(output.signal(), delayed(expected, rings.latency_frames()), rings);
  }
}

TEST_P(RingDriveOn, KeepsItsPlaceWhenItIsLate) {
  Random random(9);
  const FilterBank bank = test::random_bank(random, {300});
  const Signal in = test::random_signal(random, 1, kFrames);
  const Signal expected = direct_convolution(in, bank, Routing::rows(1, 1), kFrames);
  Engine engine(config_of(GetParam(), 0), bank, Routing::rows(1, 1));
  RingDrive rings(engine, kBlock);
  std::int64_t late_frames = 0;
  test::Planes<float> input(in);
  test::Planes<float> output(1, kFrames);
  for (std::size_t n = 0; n < kFrames; n += kBlock) {
    rings.process(input.from(n), output.from(n), kBlock);
    // Four calls in a row at once, most of which the engine cannot have answered; then there is
    // time.
    if (n / kBlock % 16 >= 4) give_time(rings, late_frames);
  }
  expect_in_place(output.signal(), delayed(expected, kBlock), rings);
  EXPECT_GT(rings.late_frames(), 0) << "nothing was late";
}

TEST_P(RingDriveOn, AnswersCallsOfAnySizeWithinTheSlack) {
  Random random(11);
  const FilterBank bank = test::random_bank(random, {300});
  const Signal in = test::random_signal(random, 1, kFrames);
  const Signal expected = direct_convolution(in, bank, Routing::rows(1, 1), kFrames);
  Engine engine(config_of(GetParam(), 0), bank, Routing::rows(1, 1));
  RingDrive rings(engine, kBlock);
  std::int64_t late_frames = 0;
  test::Planes<float> input(in);
  test::Planes<float> output(1, kFrames);
  std::size_t position = 0;
  for (const std::size_t frames : test::random_calls(random, kFrames, kBlock / 2, kBlock)) {
    rings.process(input.from(position), output.from(position), frames);
    position += frames;
    give_time(rings, late_frames);
  }
  expect_in_place(output.signal(), delayed(expected, kBlock), rings);
}

TEST_P(RingDriveOn, BeginsAnewAfterARestart) {
  Random random(12);
  const FilterBank bank = test::random_bank(random, {300});
  const Signal in = test::random_signal(random, 1, kFrames);
  const Signal expected = direct_convolution(in, bank, Routing::rows(1, 1), kFrames);
  Engine engine(config_of(GetParam(), 0), bank, Routing::rows(1, 1));
  RingDrive rings(engine, kBlock);
  std::int64_t late_frames = 0;
  test::Planes<float> input(in);
  std::int64_t late_before = 0;
  for (int round = 0; round < 3; ++round) {
    test::Planes<float> output(1, kFrames);
    for (std::size_t n = 0; n < kFrames; n += kBlock) {
      rings.process(input.from(n), output.from(n), kBlock);
      give_time(rings, late_frames);
    }
    const Signal out = output.signal();
    const Signal late = delayed(expected, kBlock);
    std::int64_t silent = 0;
    for (std::size_t n = 0; n < kFrames; ++n) {
      if (n < kBlock) {
        ASSERT_EQ(out[0][n], 0) << "of the round before";
      } else if (out[0][n] == 0) {
        ++silent;
      } else {
        ASSERT_NEAR(out[0][n], late[0][n], 1e-5) << n;
      }
    }
    EXPECT_EQ(silent, rings.late_frames() - late_before);
    EXPECT_LT(silent, static_cast<std::int64_t>(kFrames - kBlock));
    late_before = rings.late_frames();
    rings.restart();
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, RingDriveOn, testing::Values("auto", "cuda"),
                         [](const auto& one) { return std::string(one.param); });

TEST(LiveSessionOnADevice, SaysItsLatencyAndDelaysTheBypassAsMuch) {
  setenv("FIRBANK_PLUGIN_DIR", FIRBANK_FAKE_DEVICE_DIR, 1);
  setenv("FIRBANK_FAKE_DEVICE", "", 1);
  Random random(13);
  LiveConfig config;
  config.engine = config_of("cuda", 2);
  config.fade_in_seconds = 0;
  config.bypass = true;
  LiveSession session(config, test::random_bank(random, {300}), Routing::rows(1, 1));
  EXPECT_EQ(session.latency_frames(), 3 * kBlock);
  const Signal in = test::random_signal(random, 1, kFrames);
  test::Planes<float> input(in);
  test::Planes<float> output(1, kFrames);
  for (std::size_t n = 0; n < kFrames; n += kBlock) {
    session.process(input.from(n), output.from(n), kBlock);
  }
  EXPECT_EQ(output.signal(), delayed(in, 3 * kBlock));
}

}  // namespace
}  // namespace firbank
