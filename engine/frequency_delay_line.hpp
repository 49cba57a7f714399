// FrequencyDelayLine: which slot of a backend's delay line holds which block's spectrum.
//
// The newest block lies at newest(); the block p before it at (newest() + p) mod slots. So
// partitions and blocks both run upwards through memory. filled() blocks before the newest are
// complete; older slots hold leftovers and must not be read.
#pragma once

#include <algorithm>
#include <cstddef>

namespace firbank {

class FrequencyDelayLine {
 public:
  explicit FrequencyDelayLine(std::size_t slots) : slots_(slots) {}

  std::size_t slots() const noexcept { return slots_; }
  std::size_t newest() const noexcept { return newest_; }
  std::size_t after_newest() const noexcept { return newest_ == 0 ? slots_ - 1 : newest_ - 1; }
  /// Where the block lies that is `blocks` before the newest.
  std::size_t before_newest(std::size_t blocks) const noexcept {
    return (newest_ + blocks) % slots_;
  }
  std::size_t filled() const noexcept { return filled_; }

  /// The newest block is complete; the next one begins.
  void advance() noexcept { *this = after(1); }

  /// What this is when `blocks` more are complete.
  FrequencyDelayLine after(std::size_t blocks) const noexcept {
    if (blocks == 0) return *this;
    FrequencyDelayLine later = *this;
    const std::size_t back = blocks % slots_;
    later.newest_ = newest_ < back ? newest_ + slots_ - back : newest_ - back;
    later.filled_ = std::min(filled_ + blocks, slots_);
    return later;
  }

  /// Forgets every block.
  void reset() noexcept { filled_ = 0; }

 private:
  std::size_t slots_;
  std::size_t newest_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace firbank
