// LiveClock: when the frames of a stream would be captured, had a sound card brought them.
//
// Times are absolute, counted from start(): what comes late once does not shift what follows.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <ctime>

namespace firbank::program {

class LiveClock {
 public:
  explicit LiveClock(double sample_rate_hz) noexcept : ns_a_frame_(1e9 / sample_rate_hz) {}

  /// Frame 0 begins now.
  void start() noexcept;

  /// Sleeps until all frames before `frame` have been captured. False when a signal broke the sleep
  /// and asked to stop.
  bool wait_for(std::int64_t frame) const noexcept;

  /// Whether the capture of all frames before `frame` lies in the past.
  bool is_past(std::int64_t frame) const noexcept;

 private:
  std::int64_t time_of(std::int64_t frame) const noexcept;

  double ns_a_frame_;
  std::int64_t start_ns_ = 0;
};

}  // namespace firbank::program
