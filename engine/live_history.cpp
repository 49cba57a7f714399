#include "engine/live_history.hpp"

#include <algorithm>

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

LiveHistory::LiveHistory(std::size_t channels, std::size_t frames)
    : channels_(channels), kept_(frames), samples_(channels * frames) {}

void LiveHistory::write(const float* const* planes, std::size_t frames) noexcept {
  const std::int64_t from = done_.load(kRelaxed);
  const std::int64_t to = from + static_cast<std::int64_t>(frames);
  begun_.store(to, kRelaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::size_t first = std::min(frames, kept_ - place(from));
  for (std::size_t c = 0; c < channels_; ++c) {
    std::atomic<float>* const ring = samples_.data() + c * kept_;
    for (std::size_t n = 0; n < first; ++n) ring[place(from) + n].store(planes[c][n], kRelaxed);
    for (std::size_t n = first; n < frames; ++n) ring[n - first].store(planes[c][n], kRelaxed);
  }
  done_.store(to, std::memory_order_release);
}

std::int64_t LiveHistory::first() const noexcept {
  return std::max(forgotten_.load(std::memory_order_acquire),
                  end() - static_cast<std::int64_t>(kept_));
}

bool LiveHistory::read(std::int64_t from, std::size_t frames, float* const* planes) const noexcept {
  if (from < first() || from + static_cast<std::int64_t>(frames) > end()) return false;
  const std::size_t stretch = std::min(frames, kept_ - place(from));
  for (std::size_t c = 0; c < channels_; ++c) {
    const std::atomic<float>* const ring = samples_.data() + c * kept_;
    for (std::size_t n = 0; n < stretch; ++n) planes[c][n] = ring[place(from) + n].load(kRelaxed);
    for (std::size_t n = stretch; n < frames; ++n) planes[c][n] = ring[n - stretch].load(kRelaxed);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return from >= begun_.load(kRelaxed) - static_cast<std::int64_t>(kept_);
}

}  // namespace firbank
