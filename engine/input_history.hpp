// InputHistory: the latest samples of every input, as the filters see them.
//
// A ring per channel. It holds the longest response and what is in flight, so that a plan, a bank
// or a backend can be changed without losing the past. Frames are named by a clock that
// counts from 0 at construction and never runs backwards.
//
// A stretch of up to `window` frames is contiguous wherever it begins: the ring's first `window`
// frames are stored a second time behind its end.
//
// Thread:   one at a time; but different channels may be written, cleared and read on different
//           threads between one advance() and the next.
// Realtime: everything but construction is safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/aligned_vector.hpp"

namespace firbank {

template <class Sample>
class InputHistory {
 public:
  InputHistory(std::size_t channels, std::size_t capacity, std::size_t window)
      : channels_(channels),
        capacity_(capacity),
        window_(window),
        stride_((capacity + window + kPadding) / kPadding * kPadding + kPadding),
        samples_(channels * stride_) {}

  std::size_t channels() const noexcept { return channels_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::int64_t clock() const noexcept { return clock_; }  // of the next frame to be written

  /// Writes `frames` frames of one channel from `clock` on, up to a whole ring: fill(to, offset,
  /// count) is asked for each stretch, first to last. What follows the clock is written in order;
  /// advance() comes after all channels.
  template <class Fill>
  void write(std::size_t channel, std::int64_t clock, std::size_t frames, Fill fill) noexcept {
    std::size_t offset = 0;
    while (offset < frames) {
      const std::size_t at = slot(clock + static_cast<std::int64_t>(offset));
      const std::size_t count = std::min(frames - offset, capacity_ - at);
      Sample* const to = ring(channel) + at;
      fill(to, offset, count);
      if (at < window_) std::copy_n(to, std::min(count, window_ - at), to + capacity_);
      offset += count;
    }
  }

  /// Makes `frames` frames of one channel from `clock` on zero.
  void clear(std::size_t channel, std::int64_t clock, std::size_t frames) noexcept {
    write(channel, clock, frames,
          [](Sample* to, std::size_t, std::size_t count) { std::fill_n(to, count, Sample{0}); });
  }

  /// Makes the `frames` frames before the clock zero, in every channel.
  void clear_past(std::size_t frames) noexcept {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      clear(channel, clock_ - static_cast<std::int64_t>(frames), frames);
    }
  }

  void advance(std::size_t frames) noexcept {
    now_ = slot(clock_ + static_cast<std::int64_t>(frames));
    clock_ += static_cast<std::int64_t>(frames);
  }

  /// Frame `clock`, with up to `before` frames readable before it; before + the frames read from
  /// it on are at most the window.
  const Sample* at(std::size_t channel, std::int64_t clock, std::size_t before = 0) const noexcept {
    return ring(channel) + slot(clock - static_cast<std::int64_t>(before)) + before;
  }

 private:
  static constexpr std::size_t kPadding = kCacheLineBytes / sizeof(Sample);

  Sample* ring(std::size_t channel) noexcept { return samples_.data() + channel * stride_; }
  const Sample* ring(std::size_t channel) const noexcept {
    return samples_.data() + channel * stride_;
  }

  /// At most a whole ring before the clock.
  std::size_t slot(std::int64_t clock) const noexcept {
    const auto capacity = static_cast<std::int64_t>(capacity_);
    const std::int64_t slot = static_cast<std::int64_t>(now_) + (clock - clock_);
    return static_cast<std::size_t>(slot < 0              ? slot + capacity
                                    : slot < capacity     ? slot
                                    : slot < 2 * capacity ? slot - capacity
                                                          : slot % capacity);
  }

  std::size_t channels_;
  std::size_t capacity_;
  std::size_t window_;
  std::size_t stride_;
  AlignedVector<Sample> samples_;
  std::int64_t clock_ = 0;
  std::size_t now_ = 0;  // where the clock's frame lies
};

}  // namespace firbank
