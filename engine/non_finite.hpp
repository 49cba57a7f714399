// NonFiniteGuard: keeps NaN and infinity out of the transforms, and puts NaN where they belong.
//
// One NaN inside a transform would spoil every bin of a block, and through the delay line seconds
// of output. So inputs are cleaned (non-finite samples become 0) and their places remembered, one
// bit a frame; after the arithmetic, exactly those output frames are set to NaN that a direct
// convolution would have spoiled: frame n of an edge's output, when a bad sample lies in
// (n - delay - taps, n - delay].
//
// Finite samples beyond kLoud pass unchanged; but sums over them may leave the range of the type
// inside a transform, where a direct convolution would not, and then spoil a few partitions' worth
// of frames. While they are in reach the outputs themselves are looked at, so that none is lost
// without being counted.
//
// Copies with the best vectors that the processor has, whatever the backend: all give the same.
//
// Thread:   one at a time; but different inputs may be cleaned on different threads at once.
// Realtime: everything but construction is safe. While inputs are finite it costs a scan alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/checked_copy.hpp"

namespace firbank {

/// What an output hears of an input: its frames delay to delay + taps - 1, if any.
struct Reach {
  std::size_t input = 0;
  std::size_t delay = 0;
  std::size_t taps = 0;
};

template <class Sample>
class NonFiniteGuard {
 public:
  /// `reach` is the longest delay + taps of any edge, `piece_frames` the most frames at a time,
  /// `transform_frames` the longest transform.
  NonFiniteGuard(std::size_t inputs, std::size_t reach, std::size_t piece_frames,
                 std::size_t transform_frames);

  /// Copies a piece of one input that begins at `clock`, bad samples as 0, and remembers where
  /// they were. Pieces of an input follow one another without a hole, but for reset().
  void clean(std::size_t input, std::int64_t clock, const Sample* in, Sample* out,
             std::size_t frames, bool past_caches = false) noexcept;

  /// The same where neither a bad nor a loud sample is among them, and they are copied otherwise.
  void pass(std::size_t input, std::int64_t clock, std::size_t frames) noexcept {
    enter(input, clock, frames);
  }

  /// Whether any output of a piece that begins at `clock` can be spoiled at all.
  bool is_quiet(std::int64_t clock) const noexcept {
    return clock >= quiet_from_.load(std::memory_order_relaxed) && !is_loud(clock);
  }

  /// Whether a loud sample may have overflowed in a piece that begins at `clock`.
  bool is_loud(std::int64_t clock) const noexcept {
    return clock < loud_until_.load(std::memory_order_relaxed);
  }

  /// 2^96 in float, 2^960 in double.
  static constexpr Sample kLoud =
      sizeof(Sample) == sizeof(float) ? Sample(0x1p96) : Sample(0x1p960);

  /// Sets `flags[n]` for each frame of the piece that one of the edges spoils.
  void mark_spoiled(const std::vector<Reach>& edges, std::int64_t clock, std::uint8_t* flags,
                    std::size_t frames) const noexcept;

  /// Sets `flags[n]` where out[n] is not finite.
  static void mark_overflow(const Sample* out, std::uint8_t* flags, std::size_t frames) noexcept;

  /// Forgets every bad sample. The next piece may begin at any later clock.
  void reset() noexcept;

 private:
  void enter(std::size_t input, std::int64_t clock, std::size_t frames) noexcept;
  bool is_bad(std::size_t input, std::int64_t clock) const noexcept;
  /// The latest bad frame of an input in [first, last]; first - 1 when there is none.
  std::int64_t latest_bad(std::size_t input, std::int64_t first, std::int64_t last) const noexcept;
  std::uint64_t* words(std::size_t input) noexcept { return bits_.data() + input * words_; }
  const std::uint64_t* words(std::size_t input) const noexcept {
    return bits_.data() + input * words_;
  }

  const CheckedCopy<Sample>& copy_;
  std::size_t reach_;
  std::size_t words_;  // a power of two: the ring of one input, 64 frames a word
  std::vector<std::uint64_t> bits_;
  std::vector<std::int64_t> last_bad_;    // of each input
  std::atomic<std::int64_t> quiet_from_;  // no bad sample reaches this frame or a later one
  std::size_t transform_frames_;
  // no loud sample is in any transform of this frame or a later one
  std::atomic<std::int64_t> loud_until_;
};

extern template class NonFiniteGuard<float>;
extern template class NonFiniteGuard<double>;

}  // namespace firbank
