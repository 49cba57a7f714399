// StreamPosition: the frame that a stage expects next, and whether a call begins there.
//
// All stages deal with a gap alike: a call that begins at any other frame than the one behind the
// last call's end, ahead or back, begins a new stream, and is counted. Whoever would have the
// missing frames made up instead has the engine do it before (EngineConfig::gap_policy).
#pragma once

#include <cstddef>
#include <cstdint>

namespace firbank {

/// `first_frame` + `frames`. Indices beyond the last that int64 counts go on at the other end:
/// wrong as they are, they do no harm.
constexpr std::int64_t frame_after(std::int64_t first_frame, std::size_t frames) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first_frame) + frames);
}

class StreamPosition {
 public:
  /// A call of `frames` frames from `first_frame` on. False when it begins a new stream behind a
  /// gap; the first call of all, and the first one after forget(), may begin anywhere.
  bool take(std::int64_t first_frame, std::size_t frames) noexcept {
    const bool follows = !known_ || first_frame == expected_;
    if (!follows) ++gaps_;
    known_ = true;
    expected_ = frame_after(first_frame, frames);
    return follows;
  }

  void forget() noexcept { known_ = false; }

  /// Calls that did not begin where the one before ended.
  std::uint64_t gaps() const noexcept { return gaps_; }

 private:
  bool known_ = false;
  std::int64_t expected_ = 0;
  std::uint64_t gaps_ = 0;
};

}  // namespace firbank
