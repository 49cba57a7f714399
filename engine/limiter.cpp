#include "engine/limiter.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {

Limiter::Limiter(double sample_rate_hz, double release_seconds) noexcept
    : release_(static_cast<float>(-std::expm1(-1 / (sample_rate_hz * release_seconds)))) {}

void Limiter::process(float* const* planes, std::size_t channels, std::size_t frames) noexcept {
  constexpr float kAsGoodAsOne = 1 - 1e-5f;  // 0.0001 dB
  float gain = gain_;
  float smallest = smallest_gain();
  std::int64_t limited = 0;
  std::uint64_t times = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    float peak = 0;
    for (std::size_t c = 0; c < channels; ++c) peak = std::max(peak, std::abs(planes[c][n]));
    if (peak <= 1 && gain == 1) continue;

    if (gain == 1) ++times;
    gain += (1 - gain) * release_;
    if (gain > kAsGoodAsOne) gain = 1;
    if (peak * gain > 1) gain = 1 / peak;
    smallest = std::min(smallest, gain);
    ++limited;
    // 1 / peak is rounded, and so is the product.
    for (std::size_t c = 0; c < channels; ++c) {
      planes[c][n] = std::clamp(planes[c][n] * gain, -1.0f, 1.0f);
    }
  }
  gain_ = gain;
  if (limited == 0) return;
  limited_frames_.store(limited_frames() + limited, std::memory_order_relaxed);
  times_.store(this->times() + times, std::memory_order_relaxed);
  smallest_gain_.store(smallest, std::memory_order_relaxed);
}

}  // namespace firbank
