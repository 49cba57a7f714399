#include "demos/firbank/level_meter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace firbank::program {
namespace {

/// The greatest magnitude; NaN when a sample is not finite. Many lanes, so that the compiler may
/// use vectors.
template <class Sample>
Sample peak_or_nan(const Sample* samples, std::size_t count) {
  constexpr std::size_t kLanes = 16;
  std::array<Sample, kLanes> peak{};
  std::array<Sample, kLanes> zero{};  // 0 x sample: NaN for what is not finite
  std::size_t n = 0;
  for (; n + kLanes <= count; n += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const Sample sample = samples[n + lane];
      const Sample magnitude = std::abs(sample);
      peak[lane] = magnitude > peak[lane] ? magnitude : peak[lane];
      zero[lane] += sample * Sample{0};
    }
  }
  for (; n < count; ++n) {
    peak[0] = std::max(peak[0], std::abs(samples[n]));
    zero[0] += samples[n] * Sample{0};
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    peak[0] = std::max(peak[0], peak[lane]);
    zero[0] += zero[lane];
  }
  return std::isnan(zero[0]) ? std::numeric_limits<Sample>::quiet_NaN() : peak[0];
}

}  // namespace

template <class Sample>
void LevelMeter::add(const BasicBlock<const Sample>& block) {
  bool finite = true;
  for (std::size_t channel = 0; channel < block.channels; ++channel) {
    const Sample peak = peak_or_nan(block.planes[channel], block.frames);
    if (std::isnan(peak)) {
      finite = false;
    } else {
      peak_ = std::max(peak_, static_cast<double>(peak));
    }
  }
  if (finite) return;

  for (std::size_t n = 0; n < block.frames; ++n) {
    bool frame_finite = true;
    for (std::size_t channel = 0; channel < block.channels; ++channel) {
      const Sample sample = block.planes[channel][n];
      if (std::isfinite(sample)) {
        peak_ = std::max(peak_, static_cast<double>(std::abs(sample)));
      } else {
        frame_finite = false;
      }
    }
    if (frame_finite) continue;
    if (spoiled_frames_++ == 0) {
      first_spoiled_frame_ = block.first_frame + static_cast<std::int64_t>(n);
    }
  }
}

template void LevelMeter::add(const BasicBlock<const float>&);
template void LevelMeter::add(const BasicBlock<const double>&);

}  // namespace firbank::program
