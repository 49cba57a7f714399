// Loudness: an upper bound for the energy of each channel's latest frames.
//
// What a transform reads shares its rounding errors, so the error of a quiet frame is known only
// with what was loud around it. Squares are summed in cells of 64 frames, and the latest cells
// added up: at least the frames that are asked for, at most a cell more and the newest call.
// Samples that are not finite are left out, as the engine does.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace firbank {

class Loudness {
 public:
  /// At least `frames` frames are looked back.
  Loudness(std::size_t channels, std::size_t frames)
      : cells_((frames + kCell - 1) / kCell + 1), sums_(channels * cells_) {}

  /// Frames of one channel; advance() follows when all channels have had theirs.
  void add(std::size_t channel, const double* samples, std::size_t frames) noexcept {
    std::size_t at = at_;
    std::size_t filled = filled_;
    for (std::size_t n = 0; n < frames;) {
      double& cell = sums_[channel * cells_ + at];
      if (filled == 0) cell = 0;
      const std::size_t count = std::min(frames - n, kCell - filled);
      double sum = 0;
      for (std::size_t i = n; i < n + count; ++i) {
        const double square = samples[i] * samples[i];
        sum += std::isfinite(square) ? square : 0;
      }
      cell += sum;
      n += count;
      next(at, filled, count);
    }
  }

  void advance(std::size_t frames) noexcept {
    while (frames > 0) {
      const std::size_t count = std::min(frames, kCell - filled_);
      next(at_, filled_, count);
      frames -= count;
    }
  }

  double energy(std::size_t channel) const noexcept {
    const double* const sums = &sums_[channel * cells_];
    double total = 0;
    for (std::size_t i = 0; i < cells_; ++i) total += sums[i];
    return total;
  }

  void reset() noexcept {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    at_ = filled_ = 0;
  }

 private:
  static constexpr std::size_t kCell = 64;

  void next(std::size_t& at, std::size_t& filled, std::size_t frames) const noexcept {
    filled += frames;
    if (filled < kCell) return;
    filled = 0;
    at = at + 1 == cells_ ? 0 : at + 1;
  }

  std::size_t cells_;
  std::vector<double> sums_;
  std::size_t at_ = 0;      // the cell that is being filled
  std::size_t filled_ = 0;  // frames in it
};

}  // namespace firbank
