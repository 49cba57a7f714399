// ServeMarks: what senders said of frames of the input, for the packets that these frames go on in:
// made up (kFilled), spoiled (kSpoiled), or lost (kLost).
//
// Thread: add() and clear() one, of() another one.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "io/block.hpp"

namespace firbank::program {

class ServeMarks {
 public:
  static constexpr BlockFlags kPassedOn =
      BlockFlags::kFilled | BlockFlags::kSpoiled | BlockFlags::kLost;

  /// Of frames [first, end); later ones lie behind.
  void add(std::int64_t first, std::int64_t end, BlockFlags flags) {
    flags = flags & kPassedOn;
    if (flags == BlockFlags::kNone) return;
    const std::lock_guard lock(mutex_);
    marks_.push_back({first, end, flags});
  }

  /// Of all frames in [first, end) together; what lies before is forgotten.
  BlockFlags of(std::int64_t first, std::int64_t end) {
    BlockFlags flags = BlockFlags::kNone;
    const std::lock_guard lock(mutex_);
    while (!marks_.empty() && marks_.front().end <= first) marks_.pop_front();
    for (const Mark& mark : marks_) {
      if (mark.first >= end) break;
      flags |= mark.flags;
    }
    return flags;
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    marks_.clear();
  }

 private:
  struct Mark {
    std::int64_t first;
    std::int64_t end;
    BlockFlags flags;
  };

  std::mutex mutex_;
  std::deque<Mark> marks_;
};

}  // namespace firbank::program
