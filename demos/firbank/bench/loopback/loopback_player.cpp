#include "demos/firbank/bench/loopback/loopback_player.hpp"

#include <algorithm>
#include <utility>

namespace firbank::program {

LoopbackPlayer::LoopbackPlayer(std::vector<float> signal, std::size_t fade_frames)
    : signal_(std::move(signal)),
      recording_(signal_.size()),
      glitches_(kMostGlitches),
      fade_frames_(std::max<std::size_t>(fade_frames, 1)) {}

void LoopbackPlayer::process(const float* const* in, float* const* out, std::size_t frames,
                             const AudioGlitches& glitches) noexcept {
  const std::size_t begin = position_.load(std::memory_order_relaxed);
  const std::size_t taken = std::min(frames, signal_.size() - begin);
  std::copy_n(signal_.data() + begin, taken, out[0]);
  std::fill_n(out[0] + taken, frames - taken, 0.0f);
  std::copy_n(in[0], taken, recording_.data() + begin);

  if (stopping_.load(std::memory_order_relaxed)) {
    for (std::size_t n = 0; n < frames; ++n) {
      faded_frames_ = std::min(faded_frames_ + 1, fade_frames_);
      out[0][n] *= 1.0f - static_cast<float>(faded_frames_) / static_cast<float>(fade_frames_);
    }
  }

  const std::size_t noted = glitch_count_.load(std::memory_order_relaxed);
  if (glitches.any() && taken > 0 && noted < glitches_.size()) {
    glitches_[noted] = begin;
    glitch_count_.store(noted + 1, std::memory_order_release);
  }
  if (frames > longest_call_frames()) {
    longest_call_frames_.store(frames, std::memory_order_relaxed);
  }
  position_.store(begin + taken, std::memory_order_release);
  const bool is_over = begin + taken == signal_.size() || faded_frames_ == fade_frames_;
  if (is_over) done_.store(true, std::memory_order_release);
}

}  // namespace firbank::program
