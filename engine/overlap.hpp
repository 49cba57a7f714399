// OverlapAccumulator: where results that overlap in time are added up.
//
// The engine's form is overlap-add: a block of B input frames met by a partition of B taps that
// begins at tap D answers in 2 B - 1 frames from D after the block's first one, and every output
// frame is the sum of all the answers that reach it. The accumulator holds one ring of such sums
// per output: add() a result wherever it belongs, take() the frames that are complete.
//
// Thread:   one at a time.
// Realtime: add() and take() are safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/aligned_vector.hpp"

namespace firbank {

template <class Sample>
class OverlapAccumulator {
 public:
  /// `capacity` is the reach of the farthest result: from the next frame to be taken to its end.
  OverlapAccumulator(std::size_t outputs, std::size_t capacity)
      : capacity_(capacity), sums_(outputs * capacity) {}

  /// Index of the next frame to be taken.
  std::int64_t clock() const noexcept { return clock_; }

  /// Adds `count` samples from frame `first_frame` on, which must lie in [clock, clock + capacity).
  void add(std::size_t output, std::int64_t first_frame, const Sample* samples,
           std::size_t count) noexcept {
    for_stretches(output, first_frame, count, [&](Sample* sums, std::size_t at, std::size_t part) {
      for (std::size_t n = 0; n < part; ++n) sums[n] += samples[at + n];
    });
  }

  /// Moves the next `count` frames out, of one output. advance() comes after all outputs.
  void take(std::size_t output, Sample* out, std::size_t count) noexcept {
    for_stretches(output, clock_, count, [&](Sample* sums, std::size_t at, std::size_t part) {
      std::copy_n(sums, part, out + at);
      std::fill_n(sums, part, Sample{0});
    });
  }

  void advance(std::size_t count) noexcept { clock_ += static_cast<std::int64_t>(count); }

 private:
  template <class Visit>
  void for_stretches(std::size_t output, std::int64_t first_frame, std::size_t count,
                     Visit visit) noexcept {
    std::size_t done = 0;
    while (done < count) {
      const std::size_t at =
          static_cast<std::size_t>(first_frame + static_cast<std::int64_t>(done)) % capacity_;
      const std::size_t part = std::min(count - done, capacity_ - at);
      visit(sums_.data() + output * capacity_ + at, done, part);
      done += part;
    }
  }

  std::size_t capacity_;
  AlignedVector<Sample> sums_;  // [output][capacity], a ring each
  std::int64_t clock_ = 0;
};

}  // namespace firbank
