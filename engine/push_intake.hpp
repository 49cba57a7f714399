// PushIntake: what an engine does with samples before they are filtered: bad channels are silenced,
// packets that come again are counted.
//
// Thread:   silence_bad_channels() and count_backward(): the producer's. The rest: any.
// Realtime: safe, but for construction.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/stats.hpp"
#include "io/block.hpp"

namespace firbank {

/// What push() is told of frames that are yet to be written.
struct PushMarks {
  std::size_t channels = 0;
  std::size_t frames = 0;
  std::int64_t first_frame = 0;
  std::int64_t timestamp_ns = 0;  // 0 when unknown
};

/// Writes frames [offset, offset + frames) of what is pushed to planes[input][0] on.
template <class Sample>
using PushFill = void (*)(void* context, Sample* const* planes, std::size_t offset,
                          std::size_t frames);

class PushIntake {
 public:
  explicit PushIntake(std::size_t inputs) : bad_(inputs) {}

  void set_bad(std::size_t input, bool bad) noexcept {
    if (bad_[input].exchange(bad, std::memory_order_relaxed) != bad) {
      bad_count_.fetch_add(bad ? 1 : -1, std::memory_order_relaxed);
    }
  }
  bool is_bad(std::size_t input) const noexcept {
    return bad_[input].load(std::memory_order_relaxed);
  }
  bool any_bad() const noexcept { return bad_count_.load(std::memory_order_relaxed) > 0; }

  template <class Sample>
  void silence_bad_channels(Sample* const* planes, std::size_t frames) const noexcept {
    if (!any_bad()) return;
    for (std::size_t input = 0; input < bad_.size(); ++input) {
      if (is_bad(input)) std::fill_n(planes[input], frames, Sample{0});
    }
  }

  void count_backward(std::int64_t first_frame) noexcept {
    if (jumps_.fetch_add(1, std::memory_order_relaxed) == 0) {
      first_jump_.store(first_frame, std::memory_order_relaxed);
    }
  }
  void add_to(Stats& stats) const noexcept {
    stats.backward_jumps = jumps_.load(std::memory_order_relaxed);
    stats.first_backward_frame = first_jump_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<std::atomic<bool>> bad_;
  std::atomic<int> bad_count_{0};
  std::atomic<std::uint64_t> jumps_{0};
  std::atomic<std::int64_t> first_jump_{Stats::kNone};
};

}  // namespace firbank
