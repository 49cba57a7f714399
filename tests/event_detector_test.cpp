// Threshold events against a detector that is written plainly, frame by frame over whole signals.
#include "engine/stages/event_detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/stages/stream_position.hpp"
#include "io/error.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {

void PrintTo(const Event& event, std::ostream* out) {
  *out << "{channel " << event.channel << ", frame " << event.frame << ", crossing "
       << event.crossing << ", value " << event.value << "}";
}

namespace {

using test::FloatSignal;
using test::kInfinity;
using test::kNan;
using test::Random;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Events = std::vector<Event>;

Events detect(EventDetector& detector, const FloatSignal& in, const std::vector<std::size_t>& calls,
              std::int64_t first_frame = 0) {
  Events events;
  std::vector<Event> buffer(1'000'000);
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    const auto planes = test::from(in, position);
    const EventCount count = detector.process(
        planes.data(), frames, frame_after(first_frame, position), buffer.data(), buffer.size());
    EXPECT_EQ(count.lost, 0u);
    events.insert(events.end(), buffer.begin(),
                  buffer.begin() + static_cast<std::ptrdiff_t>(count.events));
    position += frames;
  }
  return events;
}

Events flushed(EventDetector& detector) {
  std::vector<Event> buffer(1'000);
  const EventCount count = detector.flush(buffer.data(), buffer.size());
  return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count.events)};
}

/// median(|x|) / 0.6745 of the latest `most` of `samples`.
double plain_noise(std::vector<double> samples, std::size_t most) {
  if (samples.size() > most)
    samples.erase(samples.begin(), samples.end() - static_cast<long>(most));
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const std::size_t half = samples.size() / 2;
  return (samples.size() % 2 == 1 ? samples[half] : 0.5 * (samples[half - 1] + samples[half])) /
         0.6745;
}

/// What the header says, one channel at a time, over all of a stream without gaps.
Events plain_events(const EventDetectorConfig& config, const FloatSignal& in,
                    std::int64_t first_frame) {
  Events events;
  const std::size_t window = config.noise_window_frames;
  const std::size_t stride = (window + config.noise_samples - 1) / config.noise_samples;
  const std::size_t update = config.noise_update_frames ? config.noise_update_frames
                                                        : std::max<std::size_t>(1, window / 4);
  for (std::size_t c = 0; c < in.size(); ++c) {
    const std::size_t offset = c * update / in.size();
    std::vector<double> magnitudes;
    const std::size_t most = std::max<std::size_t>(1, window / stride);
    const std::size_t least = std::min(most / 8, update / stride);
    float noise = 0;
    float level = config.levels.empty()       ? kNan
                  : config.levels.size() == 1 ? config.levels[0]
                                              : config.levels[c];
    float before = kNan;
    std::size_t ready = 0;
    for (std::size_t n = 0; n < in[c].size(); ++n) {
      const bool is_due = config.levels.empty() && n >= update && (n - update) % update == offset;
      if (is_due && magnitudes.size() >= least) {
        noise = static_cast<float>(plain_noise(magnitudes, most));
        level = static_cast<float>(config.noise_factor * static_cast<double>(noise));
        if (level == 0) level = kNan;
        if (config.crossing == Crossing::kFall) level = -level;
      }
      const float x = in[c][n];
      if (!std::isfinite(x)) continue;
      if (n % stride == 0 && std::abs(x) > 1e-4F * noise) {
        magnitudes.push_back(std::abs(static_cast<double>(x)));
      }
      const bool either = config.crossing == Crossing::kEither;
      const float high = either ? std::abs(level) : level;
      const float low = either ? -std::abs(level) : level;
      const bool rises = config.crossing != Crossing::kFall && before < high && x >= high;
      const bool falls = config.crossing != Crossing::kRise && before > low && x <= low;
      before = x;
      if ((!rises && !falls) || n < ready) continue;
      ready = n + std::max(config.refractory_frames, config.peak_frames) + 1;
      std::size_t peak = n;
      for (std::size_t i = n; i < in[c].size() && i <= n + config.peak_frames; ++i) {
        if (!std::isfinite(in[c][i])) continue;
        if (rises ? in[c][i] > in[c][peak] : in[c][i] < in[c][peak]) peak = i;
      }
      events.push_back({first_frame + static_cast<std::int64_t>(peak),
                        first_frame + static_cast<std::int64_t>(n), in[c][peak],
                        static_cast<std::uint32_t>(c)});
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.crossing, a.channel) < std::tie(b.crossing, b.channel);
  });
  return events;
}

TEST(EventDetector, FindsThePlainEventsWhateverTheCalls) {
  std::size_t found = 0;
  const std::uint64_t seeds = test::full_sweep() ? 1'000 : 120;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EventDetectorConfig config;
    config.channels = test::between(random, 1, 6);
    config.crossing = static_cast<Crossing>(seed % 3);
    if (seed % 2 == 0) {
      const std::size_t levels = seed % 4 == 0 ? 1 : config.channels;
      for (std::size_t i = 0; i < levels; ++i) {
        config.levels.push_back(0.1F * static_cast<float>(test::between(random, 0, 40)) - 2);
      }
    } else {
      config.noise_factor = 0.5 * static_cast<double>(test::between(random, 1, 7));
      config.noise_window_frames = test::between(random, 1, 2'000);
      config.noise_samples = test::between(random, 1, 300);
      config.noise_update_frames = seed % 3 == 0 ? 0 : test::between(random, 1, 500);
    }
    if (seed % 5 < 3) config.refractory_frames = test::between(random, 0, 50);
    if (seed % 7 < 4) config.peak_frames = test::between(random, 0, 60);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", peak " << config.peak_frames
                                    << ", refractory " << config.refractory_frames);
    constexpr std::size_t kFrames = 4'000;
    std::normal_distribution<float> normal;
    FloatSignal in(config.channels, std::vector<float>(kFrames));
    for (auto& plane : in) {
      for (float& x : plane) x = std::round(8 * normal(random)) / 8;  // levels are hit exactly
      if (seed % 6 == 0) continue;
      for (int i = 0; i < 200; ++i) {
        plane[test::between(random, 0, kFrames - 1)] = i % 3 == 0 ? kInfinity : kNan;
      }
    }
    if (seed % 11 == 0) in[0].assign(kFrames, 0.0F);
    const std::int64_t first_frame = static_cast<std::int64_t>(seed) * 1'000'000'007 - 5'000;
    const Events expected = plain_events(config, in, first_frame);
    found += expected.size();
    for (int variant = 0; variant < 3; ++variant) {
      EventDetector detector(config);
      const auto calls = variant == 0   ? std::vector<std::size_t>{kFrames}
                         : variant == 1 ? test::equal_calls(kFrames, 1)
                                        : test::random_calls(random, kFrames, 32, 700);
      Events events = detect(detector, in, calls, first_frame);
      const Events rest = flushed(detector);
      events.insert(events.end(), rest.begin(), rest.end());
      ASSERT_EQ(events, expected) << "variant " << variant;
      EXPECT_EQ(detector.gaps(), 0u);
      EXPECT_EQ(detector.lost_events(), 0u);
      EXPECT_THAT(flushed(detector), IsEmpty());
    }
  }
  EXPECT_GT(found, 10'000u);
}

TEST(EventDetector, EstimatesGaussianNoiseUnderSpikes) {
  Random random(1);
  std::normal_distribution<float> normal(0, 7);
  FloatSignal in(2, std::vector<float>(60'000));
  for (auto& plane : in) {
    for (float& x : plane) x = normal(random);
  }
  for (std::size_t n = 0; n < 60'000; n += 200) {
    for (std::size_t i = 0; i < 10; ++i) in[0][n + i] = -500;  // 5 % of the time
  }
  in[1][20'000] = kNan;
  EventDetector detector({.channels = 2});
  EXPECT_EQ(detector.noise(0), 0);
  detect(detector, in, test::equal_calls(60'000, 300));
  // 1,000 samples tell the median to 4 % or so; the spikes add a few per cent.
  EXPECT_NEAR(detector.noise(0), 7, 1);
  EXPECT_NEAR(detector.noise(1), 7, 1);
}

TEST(EventDetector, NeverFiresOnADeadChannelOrOnNan) {
  Random random(1);
  FloatSignal in(3, std::vector<float>(20'000));
  in[1].assign(20'000, kNan);
  in[2].assign(20'000, 3.0F);
  EventDetector detector(
      {.channels = 3, .crossing = Crossing::kEither, .noise_window_frames = 1'000});
  EXPECT_THAT(detect(detector, in, test::random_calls(random, 20'000, 64, 1'000)), IsEmpty());
  EXPECT_EQ(detector.noise(0), 0);
  EXPECT_EQ(detector.noise(1), 0);
  EXPECT_GT(detector.noise(2), 0);
}

TEST(EventDetector, TellsOpenEventsAtAGapAndFiresOnNoFirstSample) {
  EventDetector detector({.channels = 1,
                          .crossing = Crossing::kRise,
                          .levels = {1},
                          .refractory_frames = 100,
                          .peak_frames = 10});
  EXPECT_THAT(detect(detector, {{0, 2, 3, 2}}, {4}, 100), IsEmpty());
  // Above the level from its first sample on: there is nothing to tell where it was crossed.
  EXPECT_THAT(detect(detector, {{5, 6, 0, 4, 0}}, {5}, 120), ElementsAre(Event{102, 101, 3, 0}))
      << "what waited comes, the refractory time ends with the stream that it belonged to";
  EXPECT_THAT(flushed(detector), ElementsAre(Event{123, 123, 4, 0}));
  EXPECT_EQ(detector.gaps(), 1u);
  EXPECT_THAT(detect(detector, {{0, 2}}, {2}, 0), IsEmpty());
  EXPECT_EQ(detector.gaps(), 1u) << "a flush is no gap";
  detector.reset();
  EXPECT_THAT(flushed(detector), IsEmpty()) << "a reset forgets what waits";
}

TEST(EventDetector, KeepsItsNoiseOverAGap) {
  Random random(5);
  std::normal_distribution<float> normal;
  FloatSignal in(1, std::vector<float>(2'990));  // between two estimates
  for (float& x : in[0]) x = normal(random);
  EventDetector detector({.channels = 1, .noise_factor = 20, .noise_window_frames = 1'000});
  detect(detector, in, {2'990}, 0);
  const float noise = detector.noise(0);
  EXPECT_GT(noise, 0.5F);
  EXPECT_THAT(detect(detector, {{0, -40, 0}}, {3}, 9'000),
              ElementsAre(Event{9'001, 9'001, -40, 0}));
  EXPECT_EQ(detector.noise(0), noise);
  detector.reset();
  EXPECT_EQ(detector.noise(0), 0);
}

TEST(EventDetector, CountsWhatDoesNotFit) {
  FloatSignal in(3, std::vector<float>{0, 2, 0, 2, 0, 2, 0, 2});
  EventDetector detector({.channels = 3, .crossing = Crossing::kRise, .levels = {1}});
  std::vector<Event> buffer(6, Event{.frame = -1});
  const auto planes = test::from(in, 0);
  EventCount count = detector.process(planes.data(), 8, 0, buffer.data(), 5);
  EXPECT_EQ(count.events, 5u);
  EXPECT_EQ(count.lost, 7u);
  EXPECT_EQ(buffer[5].frame, -1) << "wrote past the end";
  count = detector.process(planes.data(), 8, 8, nullptr, 0);
  EXPECT_EQ(count.events, 0u);
  EXPECT_EQ(count.lost, 12u);
  EXPECT_EQ(detector.lost_events(), 19u);
}

// Such indices are nobody's; they must do no harm.
TEST(EventDetector, SurvivesTheEndsOfInt64) {
  using Limits = std::numeric_limits<std::int64_t>;
  FloatSignal in(1, std::vector<float>(100));
  for (std::size_t n = 0; n < 100; n += 2) in[0][n] = -1;
  for (const std::size_t peak : {0, 7}) {
    EventDetector detector({.channels = 1, .levels = {-1}, .peak_frames = peak});
    for (const std::int64_t first : {Limits::max() - 50, Limits::max(), Limits::min()}) {
      EXPECT_GE(detect(detector, in, test::equal_calls(25, 5), first).size(), 1u);
    }
  }
}

TEST(EventDetector, RefusesWhatItCannotDo) {
  const auto expect_refusal = [](const EventDetectorConfig& config, const std::string& message) {
    try {
      const EventDetector detector(config);
      ADD_FAILURE() << "not refused: " << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  expect_refusal({.channels = 0}, "channels is 0");
  expect_refusal({.channels = 3, .levels = {1, 2}}, "2 levels do not fit 3 channels");
  expect_refusal({.channels = 2, .levels = {1, kNan}}, "level 1 is nan");
  expect_refusal({.channels = 1, .noise_factor = 0}, "noise_factor is 0");
  expect_refusal({.channels = 1, .noise_window_frames = 0}, "noise_window_frames is 0");
  expect_refusal({.channels = 1, .noise_samples = 100'000},
                 "noise_samples is 100000; allowed: 1 to");
  expect_refusal({.channels = 1, .peak_frames = std::size_t{1} << 31}, "peak_frames is 2147483648");
}

// Zeros would bring the noise down, and with it the level: what is noise again then were events.
TEST(EventDetector, TakesNoSilenceForNoise) {
  constexpr std::size_t kWindow = 4'000;
  Random random(5);
  std::normal_distribution<float> noise(0, 10);
  for (const auto& [begin, end] : {std::pair<std::size_t, std::size_t>{0, 3 * kWindow},
                                   {2 * kWindow, 5 * kWindow},
                                   {2 * kWindow, 2 * kWindow + kWindow / 2}}) {
    SCOPED_TRACE(testing::Message() << "silent from frame " << begin << " to " << end);
    std::vector<float> samples(9 * kWindow);
    for (std::size_t n = 0; n < samples.size(); ++n) {
      const float sample = noise(random);
      samples[n] = n >= begin && n < end ? 0 : sample;
    }
    samples[8 * kWindow] = 500;
    EventDetector detector({.channels = 1,
                            .crossing = Crossing::kEither,
                            .noise_factor = 6,
                            .noise_window_frames = kWindow});
    std::vector<Event> events(100);
    std::size_t count = 0;
    for (std::size_t n = 0; n < samples.size(); n += 100) {
      const float* const planes[] = {samples.data() + n};
      count += detector
                   .process(planes, 100, static_cast<std::int64_t>(n), events.data() + count,
                            events.size() - count)
                   .events;
    }
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(events[0].frame, static_cast<std::int64_t>(8 * kWindow));
    EXPECT_NEAR(detector.noise(0), 10, 1);
  }
}

}  // namespace
}  // namespace firbank
