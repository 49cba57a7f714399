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
#include <limits>

namespace firbank {

class StartUp {
 public:
  /// A stream begins.
  void begin() noexcept { heard_ = 0; }

  /// How many of the next frames are of the transient, where the longest response in use is
  /// `tail_frames` + 1 frames long.
  std::size_t left(std::size_t tail_frames) const noexcept {
    return tail_frames - std::min(tail_frames, heard_);
  }
  void go_on(std::size_t frames) noexcept {
    heard_ = std::min(heard_, std::numeric_limits<std::size_t>::max() - frames) + frames;
  }

 private:
  std::size_t heard_ = 0;  // frames since the stream began
};

}  // namespace firbank
