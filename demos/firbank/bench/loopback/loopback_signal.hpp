// What `firbank bench loopback` plays, and when: silence, in which streams settle; a maximum-length
// sequence again and again, of which the first time warms up; silence, in which the last of it
// comes back. It fades in and out, for the sake of ears and of loudspeakers.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank::program {

struct LoopbackSetting {
  std::size_t sequence_order = 15;
  std::size_t repeats = 10;  // that are measured
  double level_dbfs = -20;   // of the sequence: its peak and its RMS are one
  /// Added to all that is played, 0 to kMostExtraDelayFrames, so that it must be found again.
  double extra_delay_frames = 0;
  double sample_rate_hz = 48'000;
};

inline constexpr std::size_t kMostExtraDelayFrames = 8'192;
inline constexpr std::size_t kWarmUpRepeats = 1;

/// Frames are those of the whole run, played and recorded in step, from 0 on.
struct LoopbackTimeline {
  /// Precondition: an order that there is.
  explicit LoopbackTimeline(const LoopbackSetting& setting);

  std::size_t sequence_frames = 0;
  std::size_t periods = 0;      // that are played, warming up included
  std::size_t first_frame = 0;  // of the first one
  std::size_t fade_frames = 0;  // in, in the first period, and out, behind the last one
  /// Of the run: delays of up to two periods cost no repeat, longer ones those that end too late.
  std::size_t total_frames = 0;
};

/// The whole run, timeline.total_frames of it. Throws: Error (kConfiguration) when an order, a
/// level or a delay is not allowed, or when the signal would be clipped.
/// Thread: any.  Realtime: no.
std::vector<float> loopback_signal(const LoopbackSetting& setting);

}  // namespace firbank::program
