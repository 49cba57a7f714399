#include "engine/sample_tap.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {

void SampleTap::add(const float* const* planes, std::size_t channels, std::size_t frames) noexcept {
  const std::uint64_t first = begun_.load(std::memory_order_relaxed);
  begun_.store(first + frames, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::size_t mask = ring_.size() - 1;
  const float share = channels > 0 ? 1.0f / static_cast<float>(channels) : 0.0f;
  for (std::size_t n = frames - std::min(frames, ring_.size()); n < frames; ++n) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += planes[c][n];
    ring_[(first + n) & mask].store(std::isfinite(sum) ? sum * share : 0.0f,
                                    std::memory_order_relaxed);
  }
  done_.store(first + frames, std::memory_order_release);
}

bool SampleTap::newest(float* to, std::size_t samples) const noexcept {
  constexpr int kAttempts = 4;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (copy_newest(to, std::min(samples, kept_))) return true;
  }
  return false;
}

bool SampleTap::copy_newest(float* to, std::size_t samples) const noexcept {
  const std::uint64_t last = done_.load(std::memory_order_acquire);
  const auto held = static_cast<std::size_t>(std::min<std::uint64_t>(last, samples));
  std::fill(to, to + (samples - held), 0.0f);
  const std::uint64_t first = last - held;
  const std::size_t mask = ring_.size() - 1;
  for (std::size_t n = 0; n < held; ++n) {
    to[samples - held + n] = ring_[(first + n) & mask].load(std::memory_order_relaxed);
  }
  // Where the writer had begun upon what was copied, old and new samples may be mixed.
  std::atomic_thread_fence(std::memory_order_acquire);
  return begun_.load(std::memory_order_relaxed) - first <= ring_.size();
}

}  // namespace firbank
