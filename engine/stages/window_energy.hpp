// WindowEnergy: the energy of a channel's latest L samples, in every frame, without drift.
//
// A running sum that adds the newest square and takes the oldest away keeps every rounding error
// that it ever made, and after a loud stretch little else. Here nothing is ever subtracted. Time is
// cut into blocks of L frames; a window is the end of one block and the beginning of the next, so
//
//   E[n] = (sum of the block before, from the window's first frame on)
//        + (sum of this block, up to frame n)
//
// where the first comes from sums made from the block's end backwards, once a block, and the second
// grows by one square a frame (M. van Herk, Pattern Recognition Letters 13, 1992, has the scheme
// for maxima). All terms are positive and at most L + 1 are added in a row: the relative error is
// at most (L + 2) 2^-53, after hours as in the first second. A NaN is in the sums of the windows
// that hold it and of no others.
//
// Thread:   one at a time; but different channels at once.
// Realtime: everything but construction is safe. Two additions and a product a frame.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank {

class WindowEnergy {
 public:
  /// Of windows of `length` (at least 1) frames; samples before the first one are 0.
  WindowEnergy(std::size_t channels, std::size_t length);

  /// energy[n] = the sum of the squares of the `length` samples that end with samples[n].
  void add(std::size_t channel, const double* samples, std::size_t frames, double* energy) noexcept;

  void reset() noexcept;

 private:
  struct Channel {
    std::size_t at = 0;  // the next frame's place in its block
    double sum = 0;      // of this block so far
  };

  std::size_t length_;
  std::vector<Channel> channels_;
  std::vector<double> squares_;   // of this block
  std::vector<double> suffixes_;  // of the block before: from each place to its end; 0 at the end
};

}  // namespace firbank
