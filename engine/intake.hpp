// Intake: a piece of every input on its way into the history.
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
    const Sample* const in = in_[input] + offset_ + first;
    const std::int64_t clock = history_.clock() + static_cast<std::int64_t>(first);
    history_.write(input, clock, frames, [&](Sample* to, std::size_t offset, std::size_t count) {
      guard_.clean(input, clock + static_cast<std::int64_t>(offset), in + offset, to, count);
    });
  }

  /// Frames [first, last) of the piece, as far as it has them, will be written soon.
  void fetch(std::size_t input, std::size_t first, std::size_t last) const noexcept {
    last = std::min(last, frames_);
    if (first < last) fetch_to_read(in_[input] + offset_ + first, last - first);
  }

  /// Of as many outputs as inputs: whether storing a piece of some of them leaves the inputs of all
  /// other numbers as they are, because each output lies where its input does, or all outputs lie
  /// before or behind all inputs.
  bool outlasts(Sample* const* out) const noexcept {
    bool is_in_place = true;
    Span inputs, outputs;
    for (std::size_t k = 0; k < history_.channels(); ++k) {
      const Sample* const in = in_[k] + offset_;
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

}  // namespace firbank
