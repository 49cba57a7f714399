// Intake: a piece of every input on its way into the history, or to a backend that keeps samples.
//
// A level says when: it may write each input just before it transforms it, while the samples are
// in the cache, and on the thread that does.
//
// Thread:   different inputs may be written on different threads at once.
// Realtime: safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/input_history.hpp"
#include "engine/non_finite.hpp"
#include "kernels/backend.hpp"
#include "kernels/fetch.hpp"

namespace firbank {

template <class Sample>
class Intake {
 public:
  /// `in[input][offset .. offset + frames)` is what follows the history's clock.
  Intake(InputHistory<Sample>& history, NonFiniteGuard<Sample>& guard, const Sample* const* in,
         std::size_t offset, std::size_t frames) noexcept
      : history_(history), guard_(guard), in_(in), offset_(offset), frames_(frames) {}

  InputHistory<Sample>& history() const noexcept { return history_; }
  std::size_t frames() const noexcept { return frames_; }

  /// `frames` frames of an input, from the piece's frame `first` on. Each frame once, in order.
  void write(std::size_t input, std::size_t first, std::size_t frames) const noexcept {
    const Sample* const in = raw(input) + first;
    const std::int64_t clock = history_.clock() + static_cast<std::int64_t>(first);
    history_.write(input, clock, frames, [&](Sample* to, std::size_t offset, std::size_t count) {
      guard_.clean(input, clock + static_cast<std::int64_t>(offset), in + offset, to, count);
    });
  }

  /// All frames of an input to elsewhere, in place of write().
  void take(std::size_t input, Sample* to, bool past_caches) const noexcept {
    guard_.clean(input, history_.clock(), raw(input), to, frames_, past_caches);
  }

  /// The same where somebody else has taken them and none is beyond 1.
  void pass(std::size_t input) const noexcept { guard_.pass(input, history_.clock(), frames_); }

  /// The piece of an input as it came.
  const Sample* raw(std::size_t input) const noexcept { return in_[input] + offset_; }

  /// Frames [first, last) of the piece, as far as it has them, will be written soon.
  void fetch(std::size_t input, std::size_t first, std::size_t last) const noexcept {
    last = std::min(last, frames_);
    if (first < last) fetch_to_read(raw(input) + first, last - first);
  }

  /// Of as many outputs as inputs: whether storing a piece of some of them leaves the inputs of all
  /// other numbers as they are, because each output lies where its input does, or all outputs lie
  /// before or behind all inputs.
  bool outlasts(Sample* const* out) const noexcept {
    bool is_in_place = true;
    Span inputs, outputs;
    for (std::size_t k = 0; k < history_.channels(); ++k) {
      const Sample* const in = raw(k);
      is_in_place = is_in_place && in == out[k];
      inputs.take(in);
      outputs.take(out[k]);
    }
    const std::uintptr_t bytes = frames_ * sizeof(Sample);
    return is_in_place || inputs.last + bytes <= outputs.first ||
           outputs.last + bytes <= inputs.first;
  }

 private:
  /// Addresses of planes; as numbers, for they may belong to different arrays.
  struct Span {
    std::uintptr_t first = UINTPTR_MAX;
    std::uintptr_t last = 0;

    void take(const Sample* plane) noexcept {
      const auto address = reinterpret_cast<std::uintptr_t>(plane);
      first = std::min(first, address);
      last = std::max(last, address);
    }
  };

  InputHistory<Sample>& history_;
  NonFiniteGuard<Sample>& guard_;
  const Sample* const* in_;
  std::size_t offset_;
  std::size_t frames_;
};

/// A piece for a backend that keeps samples.
template <class Sample>
class IntakeSamples final : public NewSamples<Sample> {
 public:
  explicit IntakeSamples(const Intake<Sample>& intake) noexcept : intake_(intake) {}

  std::size_t frames() const noexcept override { return intake_.frames(); }
  const Sample* raw(std::size_t input) const noexcept override { return intake_.raw(input); }
  void take(IndexRange inputs, Sample* to, std::size_t stride,
            bool past_caches) const noexcept override {
    const std::size_t ahead = rows_ahead<Sample>(frames());
    for (std::size_t input = inputs.first; input < inputs.last; ++input, to += stride) {
      if (input + ahead < inputs.last) intake_.fetch(input + ahead, 0, kRowFetched);
      intake_.take(input, to, past_caches);
    }
  }
  void pass(IndexRange inputs) const noexcept override {
    for (std::size_t input = inputs.first; input < inputs.last; ++input) intake_.pass(input);
  }

 private:
  const Intake<Sample>& intake_;
};

}  // namespace firbank
