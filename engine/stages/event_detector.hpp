// EventDetector: finds where channels cross their thresholds, and tells frame, channel and value.
//
// With x' the finite sample before x[n] in its channel, frame n is a crossing when
//
//   rise:  x' < L <= x[n]           fall:  x' > L >= x[n]
//
// and L is the channel's level: a given one, or k times the noise (fall: -k times). kEither is a
// rise through |L| or a fall through -|L|. The noise is median(|x|) / 0.6745 over a running window
// (noise_estimate.hpp), made anew from time to time, in another frame for each channel.
//
// A crossing at frame n begins an event; none begins in the channel in the frames n + 1 to
// n + max(refractory_frames, peak_frames). The event is told when frame n + peak_frames has come:
// its frame and value are the highest sample's (of a fall: the lowest one's, of equal ones the
// first) of the frames n to n + peak_frames.
//
// What is not finite is no sample: it never fires, is no peak, and does not enter the noise. Nor
// does what is less than a ten-thousandth of the noise: a channel that is silenced for a while, or
// dead, has the level afterwards that it had before.
//
// Whatever the sizes of the calls, the same events come in the same order: by crossing, and by
// channel in one frame. Only which of them are lost, where the caller's buffer is too small, is the
// caller's.
//
// At a gap, events that wait for their peak are told with what has come, and the first sample
// behind it is no crossing. Noise and levels stay; frames that are missing do not count towards the
// window.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace firbank {

enum class Crossing { kRise, kFall, kEither };

struct Event {
  std::int64_t frame = 0;     // of the peak; of the crossing where peak_frames is 0
  std::int64_t crossing = 0;  // the first frame at or beyond the level
  float value = 0;            // of the sample at `frame`
  std::uint32_t channel = 0;

  bool operator==(const Event&) const = default;
};

struct EventDetectorConfig {
  std::size_t channels = 0;  // 1 to 2^32 - 1
  Crossing crossing = Crossing::kFall;

  /// L, finite: one for all channels, or one for each. None: by the noise.
  std::vector<float> levels = {};

  /// k, above 0.
  double noise_factor = 5;

  /// What the noise is estimated from: the latest frames, 1 to 2^30, and of those at most
  /// `noise_samples` (1 to 65,536), evenly spaced. The memory of a channel is 4 bytes a sample.
  std::size_t noise_window_frames = 30'000;
  std::size_t noise_samples = 1'000;

  /// Frames from one estimate of a channel to the next, at least 1; 0: a quarter of the window. A
  /// channel has no level, and no events, before its first one: that comes between one and two of
  /// these after the start, and is made of what has come: an eighth of the samples, or what comes
  /// between two estimates. A noise of 0, as of a channel that is dead, gives no level either.
  std::size_t noise_update_frames = 0;

  std::size_t refractory_frames = 0;  // 0 to 2^30
  std::size_t peak_frames = 0;        // 0 to 2^30
};

/// What became of a call.
struct EventCount {
  std::size_t events = 0;  // written to the caller's buffer
  std::size_t lost = 0;    // for which it had no room
};

class EventDetector {
 public:
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc.
  explicit EventDetector(const EventDetectorConfig& config);
  ~EventDetector();
  EventDetector(const EventDetector&) = delete;
  EventDetector& operator=(const EventDetector&) = delete;

  /// Looks at channels() planes of `frames` frames, any number, from index `first_frame` on, and
  /// writes up to `room` events.
  EventCount process(const float* const* in, std::size_t frames, std::int64_t first_frame,
                     Event* events, std::size_t room) noexcept;

  /// Tells the events that wait for their peak, at the end of a stream. What follows is as behind a
  /// gap, but not counted as one.
  EventCount flush(Event* events, std::size_t room) noexcept;

  /// Forgets everything but the counts, events that wait and the noise as well.
  void reset() noexcept;

  std::size_t channels() const noexcept;
  /// Of a channel that is there; 0 before the first estimate, and where levels are given.
  float noise(std::size_t channel) const noexcept;
  std::uint64_t gaps() const noexcept;
  std::uint64_t lost_events() const noexcept;  // since construction

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firbank
