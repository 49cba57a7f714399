// StartUp: how much of a stream's beginning the filters have yet to fill.
//
// The first T - 1 output frames of a stream, T being the longest response, hear the silence before
// it: they are the start-up transient.
//
// Thread:   that of whoever computes.
// Realtime: safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace firbank {

class StartUp {
 public:
  /// A stream begins.
  void begin(std::size_t tail_frames) noexcept { left_ = tail_frames; }

  /// Of the next frames, at most how many are of the transient.
  std::size_t left() const noexcept { return left_; }
  /// Goes on; returns how many of these frames, the first ones, are of the transient.
  std::size_t take(std::size_t frames) noexcept {
    const std::size_t taken = std::min(frames, left_);
    left_ -= taken;
    return taken;
  }

 private:
  std::size_t left_ = 0;
};

}  // namespace firbank
