// The detector on beats that are known exactly, since they are made here: where it finds them, what
// it says of intervals, and of what was not to be seen.
#include "demos/ecg/qrs_detector.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

constexpr int kRateHz = 360;
constexpr std::int64_t kWindow = 54;  // frames: 150 ms
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

using Frames = std::vector<std::int64_t>;
using Stretches = std::vector<std::pair<std::int64_t, std::int64_t>>;

struct Findings {
  Frames beats;
  Frames intervals;
  Stretches unknown;
};

/// A wave of 10 Hz, highest at `frame`, that fades within about 2 * `fade_s`: as it is, a QRS
/// complex behind 5 to 15 Hz.
void add_wave(std::vector<double>& band, std::int64_t frame, double height, double fade_s = 0.04) {
  for (std::int64_t n = -72; n <= 72; ++n) {
    if (frame + n < 0 || frame + n >= static_cast<std::int64_t>(band.size())) continue;
    const double t = static_cast<double>(n) / kRateHz;
    band[static_cast<std::size_t>(frame + n)] += height * std::cos(2 * 3.14159265358979 * 10 * t) *
                                                 std::exp(-0.5 * (t / fade_s) * (t / fade_s));
  }
}

std::vector<double> band_of(std::size_t frames, const Frames& beats) {
  std::vector<double> band(frames);
  for (const std::int64_t beat : beats) add_wave(band, beat, 1);
  return band;
}

Frames every(std::int64_t interval, std::int64_t from, std::int64_t end) {
  Frames frames;
  for (std::int64_t frame = from; frame < end; frame += interval) frames.push_back(frame);
  return frames;
}

void forget(std::vector<double>& band, std::int64_t begin, std::int64_t end) {
  for (std::int64_t n = begin; n < end; ++n) band[static_cast<std::size_t>(n)] = kUnknown;
}

void note(const qrs_event& event, Findings& findings) {
  if (event.kind == QRS_BEAT) {
    findings.beats.push_back(event.frame);
    findings.intervals.push_back(event.rr_frames);
  } else if (event.kind == QRS_UNKNOWN) {
    findings.unknown.emplace_back(event.frame, event.end);
  }
}

/// The last 200 ms have to be unknown, as they are behind a filter.
Findings found_in(std::vector<double> band) {
  forget(band, static_cast<std::int64_t>(band.size()) - 72, static_cast<std::int64_t>(band.size()));
  qrs_detector detector;
  EXPECT_TRUE(qrs_init(&detector, kRateHz));
  Findings findings;
  for (const double sample : band) note(qrs_take(&detector, sample), findings);
  note(qrs_end(&detector), findings);
  return findings;
}

TEST(QrsDetector, FindsEachBeatWhereItIs) {
  const Frames beats = every(300, 200, 10'000);
  const Findings findings = found_in(band_of(10'080, beats));
  EXPECT_EQ(findings.beats, beats);
  EXPECT_EQ(findings.intervals.front(), 0) << "nobody saw the beat before the first one";
  EXPECT_EQ(Frames(findings.intervals.begin() + 1, findings.intervals.end()),
            Frames(beats.size() - 1, 300));
  EXPECT_EQ(findings.unknown, (Stretches{{10'080 - 72 - kWindow, 10'080}}));
}

TEST(QrsDetector, TakesALongWaveOfHalfTheSlopeSoonAfterABeatForItsTWave) {
  // Such a wave has energy enough for a beat; only its slope tells.
  const Frames beats = every(600, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  for (const std::int64_t beat : beats) add_wave(band, beat + 100, 0.47, 0.07);
  EXPECT_EQ(found_in(band).beats, beats);
  for (const std::int64_t beat : beats) add_wave(band, beat + 100, 0.13, 0.07);
  EXPECT_GE(found_in(band).beats.size(), 2 * beats.size() - 1) << "0.6 of the slope is a beat";
}

// Energy goes with the square of the height. With the mean of all as the noise, the thresholds are
// about four and two tenths of what beats have.

TEST(QrsDetector, FindsASmallBeatByTheIntervalThatItBreaks) {
  const Frames beats = every(300, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  add_wave(band, beats[20], -1);
  add_wave(band, beats[20], 0.55);
  EXPECT_EQ(found_in(band).beats, beats);
  add_wave(band, beats[20], -0.15);
  Frames others = beats;
  others.erase(others.begin() + 20);
  EXPECT_EQ(found_in(band).beats, others) << "0.4 of the height is below both";
}

TEST(QrsDetector, FindsASmallBeatMoreWhileTheRhythmIsIrregular) {
  Frames beats = every(300, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  add_wave(band, 9'630, 0.55);
  EXPECT_EQ(found_in(band).beats, beats) << "it is not overdue";
  for (std::size_t k = 1; k < beats.size(); k += 2) beats[k] -= 60;
  band = band_of(10'080, beats);
  add_wave(band, 9'630, 0.55);
  beats.insert(beats.end() - 1, 9'630);
  EXPECT_EQ(found_in(band).beats, beats);
}

TEST(QrsDetector, SaysWhatIsUnknownAndTellsNoIntervalAcrossIt) {
  const Frames beats = every(300, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  forget(band, 4'990, 5'010);  // the beat at 5,000
  const Findings findings = found_in(band);
  Frames others = beats;
  others.erase(others.begin() + 16);
  EXPECT_EQ(findings.beats, others);
  EXPECT_EQ(findings.intervals[15], 300);
  EXPECT_EQ(findings.intervals[16], 0) << "600 frames would be a pause that nobody saw";
  EXPECT_EQ(findings.intervals[17], 300);
  ASSERT_EQ(findings.unknown.size(), 2u);
  EXPECT_EQ(findings.unknown[0], std::make_pair(4'990 - kWindow, 5'010 + kWindow));
}

TEST(QrsDetector, LeavesOpenWhatMayBeTheTWaveOfABeatThatWasNotSeen) {
  const Frames beats = every(300, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  forget(band, 4'990, 5'010);         // the beat at 5,000
  add_wave(band, 5'100, 0.47, 0.07);  // its T wave
  const Findings findings = found_in(band);
  Frames others = beats;
  others.erase(others.begin() + 16);
  EXPECT_EQ(findings.beats, others);
  ASSERT_EQ(findings.unknown.size(), 3u);
  EXPECT_EQ(findings.unknown[1], std::make_pair(5'010 + kWindow, std::int64_t{5'101}));
}

TEST(QrsDetector, MissesNoBeatOutsideOfWhatItCallsUnknown) {
  // A single frame is lost, at each place round a beat.
  const Frames beats = every(300, 200, 5'000);
  for (std::int64_t lost = 3'050; lost < 3'350; ++lost) {
    std::vector<double> band = band_of(5'080, beats);
    forget(band, lost, lost + 1);
    const Findings findings = found_in(band);
    ASSERT_EQ(findings.unknown.size(), 2u) << lost;
    Frames expected;
    for (const std::int64_t beat : beats) {
      if (beat < findings.unknown[0].first || beat >= findings.unknown[0].second) {
        expected.push_back(beat);
      }
    }
    ASSERT_EQ(findings.beats, expected) << "with frame " << lost << " lost";
  }
}

TEST(QrsDetector, LearnsAnewWhereLearningWasInterrupted) {
  const Frames beats = every(300, 200, 10'000);
  std::vector<double> band = band_of(10'080, beats);
  forget(band, 400, 410);
  const Findings findings = found_in(band);
  EXPECT_EQ(findings.unknown.front(), std::make_pair(std::int64_t{0}, 410 + kWindow));
  EXPECT_EQ(findings.beats, Frames(beats.begin() + 1, beats.end()));
}

TEST(QrsDetector, KnowsNothingOfLessThanItLearnsFrom) {
  const Findings findings = found_in(band_of(700, {200, 500}));
  EXPECT_EQ(findings.beats, Frames{});
  EXPECT_EQ(findings.unknown, (Stretches{{0, 700}}));
}

TEST(QrsDetector, RefusesRatesThatItsHistoryIsTooShortFor) {
  qrs_detector detector;
  EXPECT_FALSE(qrs_init(&detector, 99));
  EXPECT_FALSE(qrs_init(&detector, 2001));
  EXPECT_FALSE(qrs_init(&detector, kUnknown));
  EXPECT_TRUE(qrs_init(&detector, 100));
  EXPECT_TRUE(qrs_init(&detector, 2000));
}

}  // namespace
