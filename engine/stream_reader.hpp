// StreamReader: one of the places from which the output of Engine::start/push is read, with a
// cursor of its own.
//
// Everything that is put out after it was opened comes to it, in order. A lossless reader that does
// not read stops the stream, once the ring is full; a lossy one does not, and is told with the next
// block what it has missed.
//
// Thread:   one at a time. It may outlive Engine::stop(), and must not outlive the engine.
// Realtime: pull(), peek() and advance() are safe; they cost one system call while the pipeline's
//           thread waits for room.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "io/block.hpp"
#include "io/broadcast_queue.hpp"

namespace firbank {

template <class Sample>
struct OutputRing;

template <class Sample>
class BasicStreamReader {
 public:
  BasicStreamReader(BasicStreamReader&&) noexcept;
  BasicStreamReader& operator=(BasicStreamReader&&) noexcept;
  ~BasicStreamReader();

  /// Copies up to `block.frames` frames of the outputs into `block.planes`, of `block.channels`
  /// channels or as many as there are, sets its other fields, and returns how many frames; 0 when
  /// there is nothing yet, or when kEndOfStream is set. One call never crosses a gap, nor a change
  /// of kFilled, kTransient or kLost.
  std::size_t pull(BasicBlock<Sample>& block) noexcept;

  /// The same for frames that are to lie in another form: take(view, offset) gets what follows one
  /// another, `offset` frames behind the first. The block that is returned tells of all of it.
  template <class Take>
  BasicBlock<const Sample> read(std::size_t most_frames, Take&& take) noexcept {
    BasicBlock<const Sample> all;
    while (all.frames < most_frames) {
      const BasicBlock<const Sample> next = peek(most_frames - all.frames);
      const std::size_t offset = all.frames;
      if (offset == 0) all = next;
      if (next.frames == 0 || (offset > 0 && !goes_on(all, next))) break;
      take(next, offset);
      all.flags |= next.flags;
      all.frames = offset + next.frames;
      advance(next.frames);
    }
    all.planes = nullptr;
    return all;
  }

  /// Without a copy: up to `most_frames` of what comes next, where it lies; no frames when
  /// there is nothing yet, or when kEndOfStream is set. It stays there until advance(). With
  /// kEndOfStream, kMissed and gap_before tell what was missed before the end.
  BasicBlock<const Sample> peek(std::size_t most_frames) noexcept;
  /// Done with the first `frames` of what peek() gave.
  void advance(std::size_t frames) noexcept;

  /// Sleeps until there is something to read, or the end of the stream; false when that took
  /// longer than `timeout`.
  /// Realtime: no.
  bool wait(std::chrono::nanoseconds timeout) noexcept;

  /// Frames that were put out since it was opened and passed by, because this reader was too slow;
  /// told with the next block, whose gap_before counts what the stream itself lacks there as well.
  /// Thread:   any.
  std::int64_t missed_frames() const noexcept;

 private:
  template <class>
  friend class Pipeline;
  class Impl;
  explicit BasicStreamReader(std::unique_ptr<Impl> impl) noexcept;

  /// Whether all that is said of `block` can be said of `next` as well.
  static bool goes_on(const BasicBlock<const Sample>& block,
                      const BasicBlock<const Sample>& next) noexcept {
    constexpr BlockFlags kOfFirstFrame = BlockFlags::kReset | BlockFlags::kMissed;
    constexpr BlockFlags kOfEveryFrame =
        BlockFlags::kFilled | BlockFlags::kTransient | BlockFlags::kLost;
    return next.gap_before == 0 && (next.flags & kOfFirstFrame) == BlockFlags::kNone &&
           (next.flags & kOfEveryFrame) == (block.flags & kOfEveryFrame);
  }

  std::unique_ptr<Impl> impl_;
};

extern template class BasicStreamReader<float>;
extern template class BasicStreamReader<double>;

using StreamReader = BasicStreamReader<float>;

}  // namespace firbank
