// LiveSession without any sound card: calls of process() as a callback would make them.
#include "engine/live_session.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::HasSubstr;

constexpr double kRate = 48'000;

LiveConfig config_without_fade(std::size_t block = 64) {
  LiveConfig config;
  config.engine.sample_rate_hz = kRate;
  config.engine.block_frames = block;
  config.fade_in_seconds = 0;
  return config;
}

FilterBank identity() {
  return FilterBank({{1.0}});
}

/// A sine of one amplitude in all channels.
Signal sine(std::size_t channels, std::size_t frames, double amplitude, double frequency_hz) {
  Signal signal(channels, std::vector<double>(frames));
  for (auto& channel : signal) {
    for (std::size_t n = 0; n < frames; ++n) {
      const double turns = frequency_hz * static_cast<double>(n) / kRate;
      channel[n] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * turns));
    }
  }
  return signal;
}

Signal constant(std::size_t channels, std::size_t frames, double value) {
  return Signal(channels, std::vector<double>(frames, value));
}

/// The output for all of `in`, in calls of the given sizes.
Signal play(LiveSession& session, const Signal& in, const std::vector<std::size_t>& calls) {
  test::Planes<float> input(in);
  test::Planes<float> output(session.outputs(), input.frames());
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    session.process(input.from(position), output.from(position), frames);
    position += frames;
  }
  EXPECT_EQ(position, input.frames());
  return output.signal();
}

Signal play(LiveSession& session, const Signal& in) {
  return play(session, in, test::equal_calls(in[0].size(), 64));
}

double largest_jump(const std::vector<double>& samples, std::size_t first = 0,
                    std::size_t last = SIZE_MAX) {
  double jump = 0;
  for (std::size_t n = first + 1; n < std::min(last, samples.size()); ++n) {
    jump = std::max(jump, std::abs(samples[n] - samples[n - 1]));
  }
  return jump;
}

double peak(const std::vector<double>& samples) {
  double most = 0;
  for (const double sample : samples) most = std::max(most, std::abs(sample));
  return most;
}

TEST(LiveSession, PlaysWhatTheEngineGivesBitByBitForAnyCalls) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Routing routing = test::random_routing(random, 2, 3, 3, 6, 40);
    const FilterBank bank = test::random_bank(random, {1, 300, 2'000});
    const Signal in = test::random_signal(random, 2, 9'000);
    LiveConfig config = config_without_fade(100);
    LiveSession session(config, bank, routing);
    Engine engine(config.engine, bank, routing);
    // Calls of the session may be longer than the engine's.
    const std::vector<std::size_t> calls = test::random_calls(random, 9'000, 100, 700);
    const Signal live = play(session, in, calls);
    std::vector<std::size_t> pieces;
    for (std::size_t frames : calls) {
      for (; frames > engine.max_frames(); frames -= engine.max_frames()) {
        pieces.push_back(engine.max_frames());
      }
      pieces.push_back(frames);
    }
    EXPECT_EQ(live, test::run_process(engine, in, pieces));
    EXPECT_EQ(session.status().frames, 9'000);
    EXPECT_EQ(session.latency_frames(), 0u);
  }
}

TEST(LiveSession, ReadsAndWritesTheSamePlanes) {
  Random random(1);
  const FilterBank bank = test::random_bank(random, {500});
  const Signal in = test::random_signal(random, 2, 2'000);
  LiveSession apart(config_without_fade(), bank, Routing::rows(2, 1));
  const Signal expected = play(apart, in);
  LiveSession session(config_without_fade(), bank, Routing::rows(2, 1));
  test::Planes<float> planes(in);
  for (std::size_t n = 0; n < 2'000; n += 50) {
    session.process(planes.from(n), planes.from(n), 50);
  }
  EXPECT_TRUE(test::follows(planes.signal(), expected, 1e-6));
}

TEST(LiveSession, BeginsMutedAndFadesInInAStraightLine) {
  LiveConfig config = config_without_fade();
  config.fade_in_seconds = 0.1;
  LiveSession session(config, identity(), Routing::rows(1, 1));
  const Signal out = play(session, constant(1, 10'000, 0.5));
  EXPECT_LT(out[0][0], 0.5 / 4'000);
  EXPECT_NEAR(out[0][2'399], 0.25, 1e-4);
  EXPECT_LT(largest_jump(out[0]), 0.5 / 4'000);
  EXPECT_TRUE(std::is_sorted(out[0].begin(), out[0].end()));
  for (std::size_t n = 4'800; n < out[0].size(); ++n) ASSERT_EQ(out[0][n], 0.5) << n;
}

TEST(LiveSession, ChangesOfGainDoNotClick) {
  LiveSession session(config_without_fade(), identity(), Routing::rows(1, 1));
  const Signal steady = play(session, constant(1, 640, 0.1));
  EXPECT_EQ(steady[0].back(), 0.1f);
  session.set_gain_db(12);
  const Signal rising = play(session, constant(1, 3'200, 0.1));
  session.set_gain_db(-30);
  const Signal falling = play(session, constant(1, 3'200, 0.1));
  const double loud = 0.1 * std::pow(10, 12 / 20.0);
  EXPECT_NEAR(rising[0].back(), loud, 1e-6);
  EXPECT_NEAR(falling[0].back(), 0.1 * std::pow(10, -30 / 20.0), 1e-6);
  // 20 ms are 960 frames.
  EXPECT_LT(largest_jump(rising[0]), 1.01 * (loud - 0.1) / 960);
  EXPECT_LT(largest_jump(falling[0]), 1.01 * loud / 960);
  EXPECT_NEAR(falling[0][0], loud, 1e-3) << "goes on where it was";
  EXPECT_EQ(session.status().gain_db, -30);
  session.set_gain_db(1e9);
  EXPECT_EQ(session.status().gain_db, 60);
  session.set_gain_db(std::nan(""));
  EXPECT_EQ(session.status().gain_db, 0);
}

TEST(LiveSession, AGainThatIsChangedDuringTheFadeInDoesNotClick) {
  LiveConfig config = config_without_fade();
  config.fade_in_seconds = 0.1;
  config.control_seconds = 0.001;
  LiveSession session(config, identity(), Routing::rows(1, 1));
  Signal out = play(session, constant(1, 960, 0.5));
  session.set_gain_db(-6);
  out = test::joined(out, play(session, constant(1, 9'600, 0.5)));
  EXPECT_LT(largest_jump(out[0]), 0.5 / 4'000);
}

TEST(LiveSession, BypassPlaysTheInputAndDoesNotClick) {
  for (const BypassFade fade : {BypassFade::kLinear, BypassFade::kEqualPower}) {
    LiveConfig config = config_without_fade();
    config.bypass_fade = fade;
    // The filters turn the signal over, so that a cut would be seen.
    LiveSession session(config, FilterBank({{-1.0}}), Routing::rows(1, 1));
    const Signal in = sine(1, 6'400, 0.5, 100);
    test::Planes<float> input(in);
    test::Planes<float> output(1, 6'400);
    for (std::size_t n = 0; n < 6'400; n += 64) {
      session.set_bypass(n >= 1'280 && n < 3'840);
      session.process(input.from(n), output.from(n), 64);
    }
    const Signal out = output.signal();
    for (std::size_t n = 0; n < 1'280; ++n) ASSERT_EQ(out[0][n], -in[0][n]) << n;
    for (std::size_t n = 1'280 + 960; n < 3'840; ++n) ASSERT_EQ(out[0][n], in[0][n]) << n;
    for (std::size_t n = 3'840 + 960; n < 6'400; ++n) ASSERT_EQ(out[0][n], -in[0][n]) << n;
    // A sine's steepest step, and that of the fade.
    EXPECT_LT(largest_jump(out[0]), largest_jump(in[0]) + 0.5 * 2 * 1.6 / 960);
  }
}

TEST(LiveSession, BypassIsDelayedAsIsSaid) {
  LiveConfig config = config_without_fade();
  config.bypass = true;
  config.dry_delay_frames = 130;
  Random random(3);
  LiveSession session(config, identity(), Routing::rows(2, 1));
  const Signal in = test::random_signal(random, 2, 3'000);
  const Signal out = play(session, in, test::random_calls(random, 3'000, 64, 200));
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t n = 0; n < 3'000; ++n) {
      ASSERT_EQ(out[c][n], n < 130 ? 0 : in[c][n - 130]) << "channel " << c << ", frame " << n;
    }
  }
}

TEST(LiveSession, BypassOfOneInputIsHeardOnEveryOutput) {
  LiveConfig config = config_without_fade();
  config.bypass = true;
  LiveSession session(config, FilterBank({{0.1}, {0.2}, {0.3}}), Routing::bank(1, 3));
  const Signal in = sine(1, 640, 0.5, 1'000);
  const Signal out = play(session, in);
  for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(out[c], in[0]);
}

TEST(LiveSession, TheLimiterNeverLetsASamplePassFullScale) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    LiveConfig config = config_without_fade();
    config.limiter = true;
    config.gain_db = static_cast<double>(test::between(random, 0, 50));
    LiveSession session(config, identity(), Routing::rows(2, 1));
    const Signal in = test::random_signal(random, 2, 5'000);
    const Signal out = play(session, in, test::random_calls(random, 5'000, 64, 300));
    for (const auto& channel : out) EXPECT_LE(peak(channel), 1.0);
    EXPECT_EQ(session.output_level(0).clips, 0);
    if (config.gain_db > 6) {
      EXPECT_GT(session.status().limited_frames, 0);
      EXPECT_GT(session.status().limiter_times, 0u);
      EXPECT_NEAR(session.status().limiter_most_db, config.gain_db, 1.0);
    }
  }
}

TEST(LiveSession, TheLimiterKeepsTheBalanceOfTheChannels) {
  LiveConfig config = config_without_fade();
  config.limiter = true;
  LiveSession session(config, FilterBank({{4.0}, {1.0}}), Routing::rows(2, 2));
  const Signal out = play(session, sine(2, 4'800, 0.9, 440));
  for (std::size_t n = 0; n < 4'800; ++n) ASSERT_NEAR(out[0][n], 4 * out[1][n], 1e-5) << n;
}

TEST(LiveSession, TheLimiterIsTransparentBelowFullScale) {
  LiveConfig config = config_without_fade();
  config.limiter = true;
  LiveSession session(config, identity(), Routing::rows(1, 1));
  const Signal in = sine(1, 4'800, 1.0, 440);
  EXPECT_EQ(play(session, in), in);
  EXPECT_EQ(session.status().limited_frames, 0);
  // After a peak it lets go of all of it again.
  play(session, constant(1, 64, 4.0));
  EXPECT_GT(session.status().limited_frames, 0);
  play(session, constant(1, 48'000, 0.1));
  EXPECT_EQ(play(session, in), in);
}

TEST(LiveSession, WithoutTheLimiterClipsAreCounted) {
  LiveSession session(config_without_fade(), FilterBank({{2.0}}), Routing::rows(1, 1));
  const Signal in = constant(1, 640, 0.75);
  const Signal out = play(session, in);
  EXPECT_EQ(out[0].back(), 1.5);
  EXPECT_EQ(session.output_level(0).clips, 640);
  EXPECT_EQ(session.input_level(0).clips, 0);
  play(session, constant(1, 64, 1.0));
  EXPECT_EQ(session.input_level(0).clips, 64);
}

TEST(LiveSession, MetersTellPeakAndRms) {
  LiveSession session(config_without_fade(), FilterBank({{0.5}}), Routing::rows(2, 1));
  Signal in = sine(2, 96'000, 0.8, 1'000);
  std::fill(in[1].begin(), in[1].end(), 0.0);
  play(session, in);
  EXPECT_NEAR(session.input_level(0).peak, 0.8, 0.01);
  EXPECT_NEAR(session.input_level(0).rms, 0.8 / std::sqrt(2), 0.005);
  EXPECT_NEAR(session.output_level(0).peak, 0.4, 0.01);
  EXPECT_NEAR(session.output_level(0).rms, 0.4 / std::sqrt(2), 0.005);
  EXPECT_EQ(session.input_level(1).highest, 0);
  // After half a second of silence the peak is 10 dB lower, the highest still known.
  play(session, constant(2, 24'000, 0.0));
  EXPECT_NEAR(session.input_level(0).peak, 0.8 * std::pow(10, -0.5), 0.01);
  EXPECT_NEAR(session.input_level(0).highest, 0.8, 1e-3);
}

TEST(LiveSession, WhatTheGainMakesInfiniteIsSilencedAsWell) {
  for (const bool limiter : {false, true}) {
    LiveConfig config = config_without_fade();
    config.limiter = limiter;
    config.gain_db = 60;
    LiveSession session(config, identity(), Routing::rows(1, 1));
    Signal in = constant(1, 256, 1e-4);
    in[0][100] = 1e36;
    const Signal out = play(session, in);
    for (const double sample : out[0]) ASSERT_TRUE(std::isfinite(sample));
    EXPECT_EQ(out[0][100], 0);
    EXPECT_EQ(session.status().silenced_frames, 1);
  }
}

TEST(LiveSession, WhatIsNotFiniteIsSilencedAndCounted) {
  LiveConfig config = config_without_fade();
  config.limiter = true;
  LiveSession session(config, FilterBank({{1.0, 0.5, 0.25}}), Routing::rows(2, 1));
  Signal in = sine(2, 1'280, 0.5, 500);
  in[0][300] = std::numeric_limits<double>::quiet_NaN();
  in[1][700] = std::numeric_limits<double>::infinity();
  const Signal out = play(session, in);
  for (const auto& channel : out) {
    for (const double sample : channel) ASSERT_TRUE(std::isfinite(sample));
  }
  EXPECT_EQ(session.status().silenced_frames, 6);
  for (const std::size_t n : {300, 301, 302}) EXPECT_EQ(out[0][n], 0);
  EXPECT_NE(out[0][303], 0) << "the limiter and the gain go on";
  EXPECT_TRUE(std::isfinite(session.input_level(0).rms));
  EXPECT_NEAR(session.input_level(1).peak, 0.5, 0.02);
}

TEST(LiveSession, SwapsCrossfadeWithoutAClickAndTellTheirFrame) {
  LiveConfig config = config_without_fade();
  config.engine.max_taps = 400;
  Random random(5);
  const FilterBank first = test::random_bank(random, {400});
  const FilterBank second = test::random_bank(random, {200});
  LiveSession session(config, first, Routing::rows(1, 1));
  const Signal in = sine(1, 48'000, 0.3, 200);
  test::Planes<float> input(in);
  test::Planes<float> output(1, 48'000);
  std::uint64_t ticket = 0;
  for (std::size_t n = 0; n < 48'000; n += 64) {
    if (n == 9'600) ticket = session.swap(second, 2'400);
    session.process(input.from(n), output.from(n), 64);
  }
  const auto live = session.live_frame(ticket);
  ASSERT_TRUE(live.has_value());
  EXPECT_GE(*live, 9'600);
  EXPECT_LE(*live, 9'600 + 64 * 40);
  const Signal out = output.signal();
  const double before = largest_jump(out[0], 1'000, 9'600);
  const double after = largest_jump(out[0], 24'000);
  EXPECT_LE(largest_jump(out[0], 9'000, 24'000), 1.05 * std::max(before, after));
  EXPECT_NE(before, after) << "the filters differ";
  EXPECT_EQ(session.status().engine.swaps, 1u);
}

TEST(LiveSession, GlitchesAreCountedWithTheirFramesAndReasons) {
  LiveSession session(config_without_fade(), identity(), Routing::rows(1, 1));
  play(session, constant(1, 640, 0.1));
  session.note_glitch({});
  EXPECT_EQ(session.status().xruns, 0u);
  DeviceGlitches glitches;
  glitches.input_overflow = true;
  glitches.output_underflow = true;
  session.note_glitch(glitches);
  play(session, constant(1, 64, 0.1));
  EXPECT_EQ(session.status().xruns, 1u);
  const auto count = [&](LiveEventKind kind) {
    const std::vector<LiveEvent> events = session.events();
    return std::count_if(events.begin(), events.end(), [&](const LiveEvent& event) {
      return event.kind == kind && event.frame == 640;
    });
  };
  EXPECT_EQ(count(LiveEventKind::kInputOverflow), 1);
  EXPECT_EQ(count(LiveEventKind::kOutputUnderflow), 1);
}

std::uint64_t dropouts(const LiveSession& session, LiveStage stage) {
  return session.status().dropouts[static_cast<std::size_t>(stage)];
}

TEST(LiveSession, LaysDropOutsToTheStageThatTookTheTime) {
  const auto sleep_ms = [](int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
  // Calls of a second each, so that no other work of the machine makes one late.
  constexpr std::size_t kLong = 48'000;
  DeviceGlitches glitches;
  glitches.output_underflow = true;
  const Signal block = constant(1, kLong, 0.1);
  LiveSession session(config_without_fade(), identity(), Routing::rows(1, 1));
  play(session, block, {kLong});
  session.note_glitch(glitches);
  play(session, block, {kLong});
  EXPECT_EQ(dropouts(session, LiveStage::kCard), 1u);
  EXPECT_EQ(session.events().back().blame.stage, LiveStage::kCard);

  LiveSession late(config_without_fade(), identity(), Routing::rows(1, 1));
  play(late, constant(1, 64, 0.1), {64});
  sleep_ms(30);
  late.note_glitch(glitches);
  play(late, block, {kLong});
  EXPECT_EQ(dropouts(late, LiveStage::kWait), 1u);
  EXPECT_EQ(late.events().back().blame.stage, LiveStage::kWait);
  EXPECT_GT(late.events().back().blame.excess_ns, 25'000'000);

  // At this rate the frames last nothing.
  LiveConfig config = config_without_fade();
  config.engine.sample_rate_hz = 1e12;
  LiveSession slow(config, identity(), Routing::rows(1, 1));
  play(slow, constant(1, 64, 0.1), {64});
  EXPECT_EQ(slow.events().back().kind, LiveEventKind::kLateCall);
  EXPECT_EQ(slow.events().back().blame.stage, LiveStage::kCompute);
  EXPECT_GT(slow.events().back().blame.excess_ns, 0);
  EXPECT_EQ(slow.status().xruns, 0u);
}

TEST(LiveSession, AGapForgetsThePastAndFadesInAgain) {
  LiveConfig config = config_without_fade();
  config.fade_in_seconds = 0.01;
  LiveSession session(config, FilterBank({std::vector<double>(2'000, 0.01)}), Routing::rows(1, 1));
  play(session, constant(1, 6'400, 1.0));
  session.note_gap(1.5);
  const Signal silence = play(session, constant(1, 640, 0.0));
  EXPECT_EQ(peak(silence[0]), 0) << "the hall's tail from before the gap";
  session.note_gap(0.5);
  const Signal out = play(session, constant(1, 640, 1.0));
  EXPECT_LT(out[0][0], 1e-3);
  const LiveStatus status = session.status();
  EXPECT_EQ(status.gaps, 2u);
  EXPECT_EQ(status.gap_seconds, 2.0);
  ASSERT_FALSE(session.events().empty());
  EXPECT_EQ(session.events().back().kind, LiveEventKind::kGap);
  EXPECT_EQ(session.events().back().frame, 7'040);
}

TEST(LiveSession, LoadIsTheTimeOfCallsOverTheirDeadlines) {
  LoadMeter meter;
  for (int i = 0; i < 98; ++i) meter.record(100'000, 1e6);
  meter.record(505'000, 1e6);
  meter.record(2'500'000, 1e6);
  const LoadMeter::Reading reading = meter.reading();
  EXPECT_EQ(reading.calls, 100u);
  EXPECT_EQ(reading.late_calls, 1u);
  EXPECT_NEAR(reading.mean, (98 * 0.1 + 0.505 + 2.5) / 100, 1e-9);
  EXPECT_NEAR(reading.p99, 0.51, 1e-9);
  EXPECT_EQ(reading.largest, 2.5);
  EXPECT_EQ(reading.largest_ns, 2'500'000);
  EXPECT_EQ(meter.histogram()[10], 98u);
  EXPECT_EQ(meter.histogram().back(), 1u);
}

TEST(LiveSession, KeepsTheNewestEvents) {
  LiveEvents events;
  for (std::int64_t i = 0; i < 200; ++i) {
    events.add({LiveEventKind::kLateCall, i, 10 * i, {LiveStage::kCompute, 3 * i}});
  }
  const std::vector<LiveEvent> kept = events.newest();
  EXPECT_EQ(events.count(LiveEventKind::kLateCall), 200u);
  ASSERT_EQ(kept.size(), LiveEvents::kKept);
  EXPECT_EQ(kept.front().frame, 200 - static_cast<std::int64_t>(LiveEvents::kKept));
  EXPECT_EQ(kept.back().frame, 199);
  EXPECT_EQ(kept.back().blame.stage, LiveStage::kCompute);
  EXPECT_EQ(kept.back().blame.excess_ns, 3 * 199);
}

std::string refusal(const LiveConfig& config) {
  try {
    const LiveSession session(config, identity(), Routing::rows(1, 1));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

TEST(LiveSession, RefusesWhatItCannotDo) {
  LiveConfig config;
  config.gain_db = 61;
  EXPECT_THAT(refusal(config), HasSubstr("gain_db is 61; allowed: -120 to 60"));
  config = {};
  config.fade_in_seconds = -1;
  EXPECT_THAT(refusal(config), HasSubstr("fade_in_seconds is -1"));
  config = {};
  config.control_seconds = std::nan("");
  EXPECT_THAT(refusal(config), HasSubstr("control_seconds is nan"));
  config = {};
  config.dry_delay_frames = 2'000'000;
  EXPECT_THAT(refusal(config), HasSubstr("dry_delay_frames is 2000000"));
  config = {};
  config.engine.block_frames = 0;
  EXPECT_THAT(refusal(config), HasSubstr("block_frames is 0"));
}

}  // namespace
}  // namespace firbank
