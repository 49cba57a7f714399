// UnsoundFrames: in which frames of a filtered stream hardly anything but made-up input is heard,
// so that nobody takes them for signal.
//
// A response is taken for its taps from `first` to `end`, which hold all but a thousandth of its
// energy (core_taps()). What is made up is heard from `first` frames behind its beginning to `end`
// frames behind its end; where the history was forgotten, or the stream begins, the silence before
// is heard for `end` frames; and what a lost device left silent is unsound by itself.
//
// Thread:   one at a time.
// Realtime: safe.
#pragma once

#include <algorithm>
#include <cstddef>

#include "io/block.hpp"
#include "kernels/backend.hpp"

namespace firbank {

class UnsoundFrames {
 public:
  /// Taps of the responses, [first, end).
  explicit UnsoundFrames(IndexRange taps) : taps_(taps), left_(taps.last) {}

  /// Which of the next `frames` frames, of a block with these flags, are unsound: one stretch.
  /// Where two are close, what lies between them counts as well.
  IndexRange take(std::size_t frames, BlockFlags flags) noexcept {
    if (has(flags, BlockFlags::kReset)) add({0, taps_.last});
    if (has(flags, BlockFlags::kFilled)) add({taps_.first, frames + taps_.last});
    if (has(flags, BlockFlags::kLost)) add({0, frames});
    const IndexRange unsound{std::min(before_, frames), std::min(before_ + left_, frames)};
    left_ -= unsound.last - unsound.first;
    before_ -= unsound.first;
    if (left_ == 0) before_ = 0;
    return unsound;
  }

  /// A stream begins.
  void reset() noexcept {
    before_ = 0;
    left_ = taps_.last;
  }

 private:
  void add(IndexRange stretch) noexcept {
    const std::size_t end = std::max(left_ > 0 ? before_ + left_ : 0, stretch.last);
    before_ = left_ > 0 ? std::min(before_, stretch.first) : stretch.first;
    left_ = end - before_;
  }

  IndexRange taps_;
  std::size_t before_ = 0;  // sound frames before the stretch that is known of
  std::size_t left_;        // of its frames that are yet to come
};

}  // namespace firbank
