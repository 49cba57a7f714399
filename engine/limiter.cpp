#include "engine/limiter.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {

Limiter::Limiter(double sample_rate_hz, double release_seconds) noexcept
    : release_(static_cast<float>(-std::expm1(-1 / (sample_rate_hz * release_seconds)))) {}

void Limiter::process(float* const* planes, std::size_t channels, std::size_t frames) noexcept {
  constexpr float kAsGoodAsNone = 1e-5f;  // 0.0001 dB
  // What is left to 1, as small differences from 1 would be rounded away.
  float reduction = reduction_;
  float smallest = smallest_gain();
  std::int64_t limited = 0;
  std::uint64_t times = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    float peak = 0;
    for (std::size_t c = 0; c < channels; ++c) peak = std::max(peak, std::abs(planes[c][n]));
    if (peak <= 1 && reduction == 0) continue;

    if (reduction == 0) ++times;
    reduction -= reduction * release_;
    if (reduction < kAsGoodAsNone) reduction = 0;
    if (peak * (1 - reduction) > 1) reduction = 1 - 1 / peak;
    const float gain = 1 - reduction;
    smallest = std::min(smallest, gain);
    ++limited;
    // The gain is rounded, and so is the product.
    for (std::size_t c = 0; c < channels; ++c) {
      planes[c][n] = std::clamp(planes[c][n] * gain, -1.0f, 1.0f);
    }
  }
  reduction_ = reduction;
  if (limited == 0) return;
  limited_frames_.store(limited_frames() + limited, std::memory_order_relaxed);
  times_.store(this->times() + times, std::memory_order_relaxed);
  smallest_gain_.store(smallest, std::memory_order_relaxed);
}

}  // namespace firbank
