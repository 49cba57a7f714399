// Quantizer: turns samples of full scale +-1 into integers of a given width.
//
// A sample x becomes x * 2^(bits - 1), plus dither on request, rounded to the nearest integer (ties
// to even). What lies outside the integers of that width is limited to them and counted; NaN becomes
// 0 and is counted too. +1 itself is one step above the largest integer and counts as limited.
//
// Dither is triangular, the sum of two uniform numbers of one least significant bit each (Lipshitz,
// Wannamaker and Vanderkooy, "Quantization and dither", J. Audio Eng. Soc. 40, 1992). Every channel
// has a stream of its own, so the result does not depend on how the frames are cut into blocks.
//
// Thread: one at a time.  Realtime: safe after construction.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/endpoint.hpp"
#include "io/random.hpp"

namespace firbank {

/// Adds one limited sample at `frame` to the count.
inline void count_clipped(ClipCount& count, std::int64_t frame) noexcept {
  if (count.first_frame < 0 || frame < count.first_frame) count.first_frame = frame;
  ++count.samples;
}

class Quantizer {
 public:
  /// `bits` is 2 to 32.
  Quantizer(int bits, std::size_t channels, bool dither)
      : scale_(std::ldexp(1.0, bits - 1)), highest_(scale_ - 1) {
    if (!dither) return;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      dither_.emplace_back(kDitherSeed, channel);
    }
  }

  /// Calls store(n, integer) for n from 0 to frames - 1. `first_frame` is the place of samples[0]
  /// in the stream; a channel's frames must come in order.
  template <class Sample, class Store>
  void quantize(const Sample* samples, std::size_t frames, std::size_t channel,
                std::int64_t first_frame, Store store) noexcept {
    if (dither_.empty()) {
      for (std::size_t n = 0; n < frames; ++n) {
        const double value = static_cast<double>(samples[n]) * scale_;
        store(n, limit(std::nearbyint(value), first_frame + static_cast<std::int64_t>(n)));
      }
    } else {
      Xoshiro256& random = dither_[channel];
      for (std::size_t n = 0; n < frames; ++n) {
        const double dither = random.uniform() + random.uniform() - 1.0;
        const double value = static_cast<double>(samples[n]) * scale_ + dither;
        store(n, limit(std::nearbyint(value), first_frame + static_cast<std::int64_t>(n)));
      }
    }
  }

  ClipCount clipped() const noexcept { return clipped_; }

 private:
  static constexpr std::uint64_t kDitherSeed = 0x666972'62616e6b;

  std::int32_t limit(double value, std::int64_t frame) noexcept {
    if (value >= -scale_ && value <= highest_) [[likely]] {
      return static_cast<std::int32_t>(value);
    }
    count_clipped(clipped_, frame);
    if (std::isnan(value)) return 0;
    return static_cast<std::int32_t>(value < 0 ? -scale_ : highest_);
  }

  double scale_;    // of full scale, 2^(bits - 1)
  double highest_;  // integer
  std::vector<Xoshiro256> dither_;  // one for each channel, or none
  ClipCount clipped_;
};

}  // namespace firbank
