// RateMeter: how many frames a second come, as against how many were promised.
//
// Frames are counted over windows of two seconds, so that packets which come in bursts do not show.
// Those that were lost on the way count too: the sender has taken them.
//
// Thread: one at a time.  Realtime: safe.
#pragma once

#include <chrono>
#include <cstdint>

namespace firbank {

class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{2};

  /// A stream begins.
  void reset() noexcept { *this = RateMeter(); }

  /// `frames` more have come, or are known to be missing. The first ones only start the clock: it
  /// is not known how long they took.
  void take(std::int64_t frames, Time now) noexcept {
    if (!has_begun_) {
      has_begun_ = true;
      begin_ = now;
      return;
    }
    frames_ += static_cast<double>(frames);
    if (now - begin_ < kWindow) return;
    rate_hz_ = frames_ / std::chrono::duration<double>(now - begin_).count();
    begin_ = now;
    frames_ = 0;
  }

  /// Of the last window, or of this one where nothing has ended it for long; 0 while unknown.
  double rate_hz(Time now) const noexcept {
    if (!has_begun_ || now - begin_ < 2 * kWindow) return rate_hz_;
    return frames_ / std::chrono::duration<double>(now - begin_).count();
  }

 private:
  bool has_begun_ = false;
  Time begin_{};
  double frames_ = 0;
  double rate_hz_ = 0;
};

}  // namespace firbank
