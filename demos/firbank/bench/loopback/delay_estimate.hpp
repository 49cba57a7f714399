// How late a maximum-length sequence came back, from a recording of the whole run.
//
// The recording is correlated with one period of the sequence (MatchedFilter). The correlation has
// a peak wherever a period begins; the earliest one as high as the others tells the whole frames of
// the delay, without ambiguity: nothing was played before it. Each period is then taken by itself,
// correlated with the sequence as the periodic signal that it is, and the highest point of the
// band-limited function through the result (band_limited_peak.hpp) is its delay: in white noise the
// most likely one (Knapp and Carter, IEEE Trans. Acoustics, Speech, and Signal Processing 24 (1976)
// 320-327). Where the way has a response of its own, such as a room's, it is the delay of that
// response's highest point. The noise is the median magnitude of the correlation over 0.6745, which
// for Gaussian noise is its RMS, and which the response itself, being short, hardly moves. Without
// any noise it is the -1 of the sequence.
//
// Thread: any.  Realtime: no.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "demos/firbank/bench/loopback/loopback_signal.hpp"

namespace firbank::program {

/// One period of the sequence, as it came back.
struct DelayRepeat {
  double at_frame = 0;  // at which it was played
  double delay_frames = 0;
  double peak_to_noise_db = 0;
};

struct ResponsePoint {
  double lag_frames = 0;  // from the highest point
  double value = 0;       // 1 there
};

struct RoundTrip {
  double frames = 0;         // median of the repeats
  double spread_frames = 0;  // their latest less their earliest
  double peak_to_noise_db = 0;
  int polarity = 1;
  double gain_db = 0;  // the response's highest point, of what was played
  /// By how much the delay grows, in parts of a million of the time: two clocks, or samples lost.
  /// None with fewer than three repeats.
  std::optional<double> drift_ppm;
  double drift_error_ppm = 0;  // standard error of it
  /// What the spread is without the drift.
  double spread_about_drift_frames = 0;
};

struct DelayEstimate {
  std::optional<RoundTrip> round_trip;
  /// Where there is none, why, in one line without the devices' names.
  std::string refusal;
  std::vector<DelayRepeat> repeats;  // that count
  std::size_t spoiled_repeats = 0;   // left out: samples were lost, or no clear peak was in them
  std::size_t late_repeats = 0;      // left out: they ended after the recording
  std::vector<ResponsePoint> response;
};

/// A peak must stand out of the noise by so much: of a million values of noise none does by 14.
inline constexpr double kLeastPeakToNoiseDb = 20;

/// `recording` is the whole run as it came back, `glitches` the frames before which samples were
/// lost, `margin_frames` how far around them they may be.
DelayEstimate estimate_delay(const LoopbackSetting& setting, std::span<const float> recording,
                             std::span<const std::size_t> glitches, std::size_t margin_frames);

}  // namespace firbank::program
