#include "demos/firbank/bench/loopback/delay_estimate.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "demos/firbank/bench/tests/loopback_room.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

using test::LoopbackRoom;
using test::through;
using testing::HasSubstr;

constexpr std::size_t kMargin = 512;

LoopbackSetting small_setting() {
  LoopbackSetting setting;
  setting.sequence_order = 11;
  setting.repeats = 5;
  return setting;
}

DelayEstimate measure(const LoopbackSetting& setting, const LoopbackRoom& room) {
  return estimate_delay(setting, through(room, loopback_signal(setting)), {}, kMargin);
}

/// How far the estimate of a room is from the truth, in frames.
double error_in(const LoopbackSetting& setting, const LoopbackRoom& room) {
  const DelayEstimate estimate = measure(setting, room);
  EXPECT_TRUE(estimate.round_trip) << estimate.refusal;
  if (!estimate.round_trip) return 1e9;
  EXPECT_EQ(estimate.refusal, "");
  EXPECT_EQ(estimate.repeats.size(), setting.repeats);
  EXPECT_EQ(estimate.round_trip->polarity, room.gain < 0 ? -1 : 1);
  return std::abs(estimate.round_trip->frames - room.delay_frames - setting.extra_delay_frames);
}

TEST(DelayEstimate, IsExactForDelaysOfAnyPartOfAFrame) {
  const LoopbackSetting setting = small_setting();
  double worst = 0;
  for (int step = 0; step < 40; ++step) {
    LoopbackRoom room;
    room.delay_frames = 200.0 + step * 17.025;
    worst = std::max(worst, error_in(setting, room));
  }
  std::printf("worst of 40 delays: %.2g frames\n", worst);
  EXPECT_LT(worst, 1e-5);
}

TEST(DelayEstimate, IsExactThroughTheLowPassOfACard) {
  const LoopbackSetting setting = small_setting();
  for (const double cutoff : {0.1, 0.4, 0.8, 0.9, 0.97}) {
    LoopbackRoom room;
    room.cutoff = cutoff;
    double worst = 0;
    for (const double part : {0.0, 0.1, 0.25, 0.5, 0.75, 0.9}) {
      room.delay_frames = 300 + part;
      worst = std::max(worst, error_in(setting, room));
    }
    std::printf("low-pass at %g of half the rate: worst %.2g frames\n", cutoff, worst);
    EXPECT_LT(worst, 1e-4) << cutoff;
  }
}

TEST(DelayEstimate, ErrsByHundredthsInNoise) {
  LoopbackSetting setting = small_setting();
  const double level = std::pow(10.0, setting.level_dbfs / 20);
  struct Case {
    double noise_db;  // over the sequence
    double allowed_frames;
  };
  for (const Case& one : {Case{-20, 0.01}, Case{0, 0.05}, Case{6, 0.1}}) {
    double worst = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      SCOPED_TRACE(testing::Message() << "noise " << one.noise_db << " dB, seed " << seed);
      LoopbackRoom room;
      room.delay_frames = 500 + 0.125 * static_cast<double>(seed);
      room.noise_rms = level * std::pow(10.0, one.noise_db / 20);
      room.seed = seed;
      worst = std::max(worst, error_in(setting, room));
    }
    std::printf("noise at %g dB, seeds 1 to 8: worst %.2g frames\n", one.noise_db, worst);
    EXPECT_LT(worst, one.allowed_frames);
  }
}

TEST(DelayEstimate, TellsGainAndPolarity) {
  const LoopbackSetting setting = small_setting();
  for (const double gain : {1.0, 0.01, -0.5, -3.0}) {
    SCOPED_TRACE(testing::Message() << "gain " << gain);
    LoopbackRoom room;
    room.delay_frames = 123.4;
    room.gain = gain;
    EXPECT_LT(error_in(setting, room), 1e-3);
    EXPECT_NEAR(measure(setting, room).round_trip->gain_db,
                20 * std::log10(std::abs(gain) * room.cutoff), 0.01);
  }
}

TEST(DelayEstimate, DoesNotMindOffsetsAndClicks) {
  const LoopbackSetting setting = small_setting();
  LoopbackRoom room;
  room.delay_frames = 640.625;
  room.dc = 0.2;  // twice the sequence's level
  EXPECT_LT(error_in(setting, room), 1e-2);

  room.dc = 0;
  std::vector<float> heard = through(room, loopback_signal(setting));
  for (const std::size_t at : {15'000u, 15'001u, 19'000u}) heard[at] = 1.0f;
  const DelayEstimate estimate = estimate_delay(setting, heard, {}, kMargin);
  ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
  EXPECT_NEAR(estimate.round_trip->frames, room.delay_frames, 0.05);
}

TEST(DelayEstimate, IsRightWhereAStageClipsBelowFullScale) {
  const LoopbackSetting setting = small_setting();
  LoopbackRoom room;
  room.delay_frames = 333.3;
  room.cutoff = 0.5;
  room.clip = 0.08;  // of a signal that reaches 0.3 behind the low-pass
  EXPECT_LT(error_in(setting, room), 0.05);
}

TEST(DelayEstimate, FindsTheExtraDelayAgain) {
  LoopbackSetting setting = small_setting();
  for (const double extra : {0.0, 37.25, 0.5, 1'500.875}) {
    SCOPED_TRACE(testing::Message() << "extra " << extra);
    setting.extra_delay_frames = extra;
    LoopbackRoom room;
    room.delay_frames = 64;
    EXPECT_LT(error_in(setting, room), 2e-3);
  }
}

TEST(DelayEstimate, IsNotMistakenByAPeriod) {
  const LoopbackSetting setting = small_setting();
  const auto period = static_cast<double>(sequence_frames(setting.sequence_order));
  for (const double delay : {period - 1, period + 0.5, 2.5 * period}) {
    SCOPED_TRACE(testing::Message() << "delay " << delay);
    LoopbackRoom room;
    room.delay_frames = delay;
    const DelayEstimate estimate = measure(setting, room);
    ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
    EXPECT_NEAR(estimate.round_trip->frames, delay, 1e-2);
    EXPECT_EQ(estimate.repeats.size() + estimate.late_repeats, setting.repeats);
    EXPECT_EQ(estimate.late_repeats, delay > 2 * period ? 1u : 0u);
  }
}

TEST(DelayEstimate, TellsOfClocksThatDrift) {
  LoopbackSetting setting = small_setting();
  setting.repeats = 8;
  LoopbackRoom room;
  room.delay_frames = 400;
  for (const double ppm : {40.0, -300.0}) {
    SCOPED_TRACE(testing::Message() << ppm << " ppm");
    room.drift_ppm = ppm;
    const DelayEstimate estimate = measure(setting, room);
    ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
    const RoundTrip& trip = *estimate.round_trip;
    ASSERT_TRUE(trip.drift_ppm);
    EXPECT_NEAR(*trip.drift_ppm, ppm, 1);
    EXPECT_NEAR(trip.spread_frames, std::abs(ppm) * 1e-6 * 7 * 2047, 0.02);
    EXPECT_LT(trip.spread_about_drift_frames, 0.02);
  }
  room.drift_ppm = 0;
  const DelayEstimate steady = measure(setting, room);
  ASSERT_TRUE(steady.round_trip);
  EXPECT_LT(std::abs(*steady.round_trip->drift_ppm), 0.1);
}

TEST(DelayEstimate, ShowsTheResponseRoundItsHighestPoint) {
  LoopbackRoom room;
  room.delay_frames = 100.3;
  room.cutoff = 0.6;
  room.gain = -0.5;
  const DelayEstimate estimate = measure(small_setting(), room);
  ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
  ASSERT_EQ(estimate.response.size(), 129u);
  for (const ResponsePoint& point : estimate.response) {
    EXPECT_NEAR(point.value, test::lowpass(point.lag_frames, 0.6) / 0.6, 0.01) << point.lag_frames;
  }
}

// What it must not name a delay for.

std::string refusal(const std::vector<float>& heard, const LoopbackSetting& setting) {
  const DelayEstimate estimate = estimate_delay(setting, heard, {}, kMargin);
  EXPECT_FALSE(estimate.round_trip);
  EXPECT_EQ(estimate.refusal.find('\n'), std::string::npos);
  return estimate.refusal;
}

TEST(DelayEstimate, RefusesSilence) {
  const LoopbackSetting setting = small_setting();
  const std::size_t frames = LoopbackTimeline(setting).total_frames;
  EXPECT_THAT(refusal(std::vector<float>(frames), setting), HasSubstr("silent"));
  EXPECT_THAT(refusal(std::vector<float>(frames, 9e-7f), setting), HasSubstr("silent"));
  EXPECT_THAT(refusal(std::vector<float>(frames / 2), setting), HasSubstr("frames came back"));
  EXPECT_THAT(refusal(std::vector<float>(frames, NAN), setting), HasSubstr("finite"));
}

TEST(DelayEstimate, RefusesNoiseAndHumAndOffsets) {
  LoopbackSetting setting = small_setting();
  for (const std::size_t order : {10u, 11u, 13u}) {
    setting.sequence_order = order;
    const std::size_t frames = LoopbackTimeline(setting).total_frames;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(testing::Message() << "order " << order << ", seed " << seed);
      Xoshiro256 random(seed);
      std::vector<float> heard(frames);
      for (float& sample : heard) sample = static_cast<float>(0.1 * test::gaussian(random));
      EXPECT_THAT(refusal(heard, setting), HasSubstr("no trace"));
    }
    std::vector<float> hum(frames);
    for (std::size_t n = 0; n < frames; ++n) {
      hum[n] =
          static_cast<float>(0.5 * std::sin(2 * 3.14159265 * 50 * static_cast<double>(n) / 48e3));
    }
    EXPECT_THAT(refusal(hum, setting), HasSubstr("no trace"));
    EXPECT_THAT(refusal(std::vector<float>(frames, 0.25f), setting), HasSubstr("no trace"));
  }
}

TEST(DelayEstimate, RefusesAClickAndABurstOfNoiseInSilence) {
  const LoopbackSetting setting = small_setting();
  std::vector<float> heard(LoopbackTimeline(setting).total_frames);
  heard[20'000] = 0.5f;
  EXPECT_THAT(refusal(heard, setting), HasSubstr("no trace"));
  Xoshiro256 random(1);
  for (std::size_t n = 18'000; n < 19'000; ++n) {
    heard[n] = static_cast<float>(0.1 * test::gaussian(random));
  }
  EXPECT_THAT(refusal(heard, setting), HasSubstr("no trace"));
}

TEST(DelayEstimate, RefusesAnotherSequence) {
  // As another program plays it on the channel that was taken.
  const LoopbackSetting setting = small_setting();
  std::vector<float> heard(LoopbackTimeline(setting).total_frames);
  const std::vector<double> other = maximum_length_sequence(13);
  for (std::size_t n = 0; n < heard.size(); ++n) {
    heard[n] = static_cast<float>(0.1 * other[n % other.size()]);
  }
  EXPECT_THAT(refusal(heard, setting), HasSubstr("no trace"));
}

TEST(DelayEstimate, RefusesAClippedRecording) {
  const LoopbackSetting setting = small_setting();
  LoopbackRoom room;
  room.delay_frames = 100;
  room.gain = 8;
  room.clip = 1;
  EXPECT_THAT(refusal(through(room, loopback_signal(setting)), setting), HasSubstr("clips"));
}

// What samples that were lost do.

TEST(DelayEstimate, LeavesOutRepeatsThatLostSamples) {
  const LoopbackSetting setting = small_setting();
  const LoopbackTimeline timeline(setting);
  LoopbackRoom room;
  room.delay_frames = 700.5;
  std::vector<float> heard = through(room, loopback_signal(setting));
  const std::size_t lost = timeline.first_frame + 2 * timeline.sequence_frames + 500;
  std::fill_n(heard.begin() + static_cast<std::ptrdiff_t>(lost), 256, 0.0f);
  const DelayEstimate estimate =
      estimate_delay(setting, heard, std::vector<std::size_t>{10, lost}, 256);
  ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
  EXPECT_NEAR(estimate.round_trip->frames, 700.5, 1e-2);
  // The one that was played then, and the one that came back then.
  EXPECT_EQ(estimate.spoiled_repeats, 2u);
  EXPECT_EQ(estimate.repeats.size(), 3u);
}

TEST(DelayEstimate, ShowsAJumpThatNobodyToldOf) {
  const LoopbackSetting setting = small_setting();
  LoopbackRoom room;
  room.delay_frames = 200;
  std::vector<float> heard = through(room, loopback_signal(setting));
  heard.insert(heard.begin() + 20'500, 64, 0.0f);
  heard.resize(heard.size() - 64);
  const DelayEstimate estimate = estimate_delay(setting, heard, {}, kMargin);
  ASSERT_TRUE(estimate.round_trip) << estimate.refusal;
  EXPECT_NEAR(estimate.round_trip->spread_frames, 64, 0.1);
  EXPECT_GT(estimate.round_trip->spread_about_drift_frames, 1);
}

TEST(DelayEstimate, RefusesWhenWholePeriodsMayBeMissing) {
  const LoopbackSetting setting = small_setting();
  const LoopbackTimeline timeline(setting);
  LoopbackRoom room;
  room.delay_frames = 100;
  std::vector<float> heard = through(room, loopback_signal(setting));
  const auto begin = static_cast<std::ptrdiff_t>(timeline.first_frame);
  const auto period = static_cast<std::ptrdiff_t>(timeline.sequence_frames);
  std::fill_n(heard.begin() + begin, period, 0.0f);
  EXPECT_THAT(refusal(heard, setting), HasSubstr("longer"));
}

TEST(DelayEstimate, RefusesWhenEveryRepeatIsSpoiled) {
  const LoopbackSetting setting = small_setting();
  LoopbackRoom room;
  room.delay_frames = 100;
  const std::vector<float> heard = through(room, loopback_signal(setting));
  std::vector<std::size_t> glitches;
  for (std::size_t at = 0; at < heard.size(); at += 1'000) glitches.push_back(at);
  const DelayEstimate estimate = estimate_delay(setting, heard, glitches, 256);
  EXPECT_FALSE(estimate.round_trip);
  EXPECT_THAT(estimate.refusal, HasSubstr("no repeat of 5"));
  EXPECT_EQ(estimate.spoiled_repeats, 5u);
}

}  // namespace
}  // namespace firbank::program
