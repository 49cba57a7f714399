// SampleTap: the newest samples of a stream, mixed to one channel, for somebody who watches.
//
// A ring that the writer never waits for: it writes over the oldest samples, whether they were read
// or not. A reader copies, and sees afterwards whether what it copied was written over meanwhile.
//
// Thread:   add(): one real-time thread. newest(), count(): any, without a lock.
// Realtime: add() is safe.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace firbank {

class SampleTap {
 public:
  /// Keeps at least `samples`, 1 or more, and as many again, so that a reader has time.
  explicit SampleTap(std::size_t samples) : kept_(samples), ring_(std::bit_ceil(2 * samples)) {}

  /// The mean of `channels` (0: silence) planes of `frames` frames. A sum that is not finite counts
  /// as 0.
  void add(const float* const* planes, std::size_t channels, std::size_t frames) noexcept;

  /// Samples since construction.
  std::uint64_t count() const noexcept { return done_.load(std::memory_order_acquire); }

  /// The most that newest() gives.
  std::size_t kept() const noexcept { return kept_; }

  /// Copies the newest `samples`, at most kept(), oldest first, with zeros for what came before the
  /// first one. False when the writer was faster, several times in a row; `to` holds nothing then.
  bool newest(float* to, std::size_t samples) const noexcept;

 private:
  bool copy_newest(float* to, std::size_t samples) const noexcept;

  std::size_t kept_;
  std::vector<std::atomic<float>> ring_;  // a power of two
  std::atomic<std::uint64_t> begun_{0};   // samples that are written, or being written
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace firbank
