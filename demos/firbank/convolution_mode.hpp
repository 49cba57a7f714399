// ConvolutionMode: which frames of the full convolution are kept, as numpy.convolve means them.
//
// For N input frames and a longest filter of L taps the full convolution has N + L - 1 frames:
//   causal  its first N frames: as long as the input, and what a live stream would give;
//   full    all of them;
//   same    the max(N, L) frames in the middle, from frame (min(N, L) - 1) / 2 on, rounded down;
//   valid   the max(N, L) - min(N, L) + 1 frames that no edge of the shorter one touches, from
//   frame
//           min(N, L) - 1 on.
// Shorter filters of the same bank are cut by the longest filter's frames.
#pragma once

#include <cstdint>
#include <string_view>

namespace firbank::program {

enum class ConvolutionMode { kCausal, kFull, kSame, kValid };

/// "causal", "full", "same" or "valid"; anything else is kCausal.
ConvolutionMode convolution_mode(std::string_view text) noexcept;

/// Frames of the full convolution, [first, last).
struct FrameWindow {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// What `mode` keeps; both lengths are at least 1. `first` depends on `frames` only as far as
/// min(frames, taps) does.
FrameWindow frame_window(ConvolutionMode mode, std::int64_t frames, std::int64_t taps) noexcept;

}  // namespace firbank::program
