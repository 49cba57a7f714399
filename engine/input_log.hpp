// InputLog: the latest input of all channels, in the order in which it came.
//
// What came together lies together, one channel behind the other, so that a call is written from
// end to end: where there are thousands of channels, a ring of each would be written in thousands
// of places, and every one of them be fetched for it.
//
// Thread:   one at a time.
// Realtime: append() is as safe as WorkerPool::run().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/fifo.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/fetch.hpp"
#include "kernels/worker_pool.hpp"

namespace firbank {

template <class Sample>
class InputLog {
 public:
  /// Keeps at least the last `frames` frames when no call has more than `most_frames`.
  InputLog(std::size_t channels, std::size_t frames, std::size_t most_frames)
      : channels_(channels),
        capacity_(frames + most_frames),
        samples_(channels * capacity_),
        stretches_(capacity_ + 1) {}

  std::int64_t clock() const noexcept { return clock_; }  // of the next frame

  /// Takes in[channel][first .. first + frames), up to most_frames, on the pool's threads.
  void append(const Sample* const* in, std::size_t first, std::size_t frames,
              WorkerPool& pool) noexcept {
    while (frames > 0) {
      const std::size_t at = static_cast<std::size_t>(clock_) % capacity_;
      const std::size_t count = std::min(frames, capacity_ - at);
      const std::int64_t end = clock_ + static_cast<std::int64_t>(count);
      forget(end - static_cast<std::int64_t>(capacity_));
      stretches_.push() = {clock_, count};
      Sample* const to = samples_.data() + at * channels_;
      const std::size_t ahead = rows_ahead<Sample>(count);
      pool.run(channels_, items_of_share(count * sizeof(Sample)),
               [&](IndexRange channels, std::size_t) noexcept {
                 for (std::size_t channel = channels.first; channel < channels.last; ++channel) {
                   if (channel + ahead < channels.last) {
                     fetch_to_read(in[channel + ahead] + first, std::min(count, kRowFetched));
                   }
                   std::copy_n(in[channel] + first, count, to + channel * count);
                 }
               });
      clock_ = end;
      first += count;
      frames -= count;
    }
  }

  /// Copies the `frames` frames from `clock` on, which are kept, to planes of each channel.
  void read(std::int64_t clock, std::size_t frames, Sample* const* planes) noexcept {
    const std::int64_t end = clock + static_cast<std::int64_t>(frames);
    for (std::size_t k = 0; k < stretches_.size(); ++k) {
      const Stretch stretch = stretches_.at(k);
      const std::int64_t first = std::max(clock, stretch.first);
      const std::int64_t last = std::min(end, stretch.end());
      if (first >= last) continue;
      const std::size_t at = static_cast<std::size_t>(stretch.first) % capacity_;
      const Sample* from = samples_.data() + at * channels_ + (first - stretch.first);
      for (std::size_t channel = 0; channel < channels_; ++channel, from += stretch.frames) {
        std::copy_n(from, last - first, planes[channel] + (first - clock));
      }
    }
  }

 private:
  /// What came together and lies together.
  struct Stretch {
    std::int64_t first = 0;  // frame
    std::size_t frames = 0;

    std::int64_t end() const noexcept { return first + static_cast<std::int64_t>(frames); }
  };

  /// Stretches with frames before `clock` are overwritten, some of their channels as a whole.
  void forget(std::int64_t clock) noexcept {
    while (!stretches_.empty() && stretches_.front().first < clock) stretches_.pop();
  }

  std::size_t channels_;
  std::size_t capacity_;
  AlignedVector<Sample> samples_;
  Fifo<Stretch> stretches_;
  std::int64_t clock_ = 0;
};

}  // namespace firbank
