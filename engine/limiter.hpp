// Limiter: keeps samples within full scale, -1 to 1, without delay.
//
// One gain for all channels, so that the image stays: it falls at once to what the loudest sample
// of a frame needs, and returns to 1 exponentially. While it is 1, samples pass bit by bit.
//
// Thread:   one at a time; the counts may be read from any.
// Realtime: safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace firbank {

class Limiter {
 public:
  /// After `release_seconds` (above 0) of quiet, a reduction is 1/e of what it was.
  Limiter(double sample_rate_hz, double release_seconds) noexcept;

  /// In place; every sample is finite.
  void process(float* const* planes, std::size_t channels, std::size_t frames) noexcept;

  /// Forgets the reduction, not the counts.
  void reset() noexcept { reduction_ = 0; }

  /// Frames that did not pass as they were.
  std::int64_t limited_frames() const noexcept {
    return limited_frames_.load(std::memory_order_relaxed);
  }
  /// How often it began to act.
  std::uint64_t times() const noexcept { return times_.load(std::memory_order_relaxed); }
  /// The smallest gain so far, 0 to 1.
  float smallest_gain() const noexcept { return smallest_gain_.load(std::memory_order_relaxed); }

 private:
  float release_;        // of the way back, a frame
  float reduction_ = 0;  // 1 less the gain
  std::atomic<std::int64_t> limited_frames_{0};
  std::atomic<std::uint64_t> times_{0};
  std::atomic<float> smallest_gain_{1};
};

}  // namespace firbank
