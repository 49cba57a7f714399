// LiveHistory: the newest input of all channels, written by a callback, read by another thread that
// needs the past, as a new engine does.
//
// A ring that the writer never waits for: it writes over the oldest frames, whether they were read
// or not. A reader copies, and sees afterwards whether what it copied was written over meanwhile.
// Frames are named by a count that begins with 0 at construction.
//
// Thread:   write(): one real-time thread. forget(): any, while nothing is written. The rest: any,
//           without a lock.
// Realtime: everything but construction is safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace firbank {

class LiveHistory {
 public:
  /// Keeps the newest `frames` frames, 1 or more, of each channel.
  LiveHistory(std::size_t channels, std::size_t frames);

  /// At most as many frames as are kept.
  void write(const float* const* planes, std::size_t frames) noexcept;

  /// What was written so far is not given any more.
  void forget() noexcept { forgotten_.store(end(), std::memory_order_release); }

  /// The frame behind the newest, and the oldest that may be read; it may be written over soon.
  std::int64_t end() const noexcept { return done_.load(std::memory_order_acquire); }
  std::int64_t first() const noexcept;

  /// Copies frames [from, from + frames) of each channel. False when some are not kept, or were
  /// written over meanwhile; `planes` hold nothing then.
  bool read(std::int64_t from, std::size_t frames, float* const* planes) const noexcept;

 private:
  std::size_t place(std::int64_t frame) const noexcept {
    return static_cast<std::size_t>(frame) % kept_;
  }

  std::size_t channels_;
  std::size_t kept_;
  std::vector<std::atomic<float>> samples_;  // [channel][frame modulo kept_]
  std::atomic<std::int64_t> begun_{0};       // frames that are written, or being written
  std::atomic<std::int64_t> done_{0};
  std::atomic<std::int64_t> forgotten_{0};
};

}  // namespace firbank
