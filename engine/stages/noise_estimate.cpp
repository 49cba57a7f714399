#include "engine/stages/noise_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {

NoiseEstimate::NoiseEstimate(std::size_t channels, std::size_t samples)
    : samples_(samples), magnitudes_(channels * samples), rings_(channels), scratch_(samples) {}

void NoiseEstimate::add(std::size_t channel, float sample) noexcept {
  Ring& ring = rings_[channel];
  magnitudes_[channel * samples_ + ring.next] = std::abs(sample);
  ring.next = ring.next + 1 == samples_ ? 0 : ring.next + 1;
  ring.count = std::min(ring.count + 1, samples_);
}

float NoiseEstimate::estimate(std::size_t channel) noexcept {
  const std::size_t count = rings_[channel].count;
  if (count == 0) return 0;
  // A ring that is not full holds its samples in front.
  std::copy_n(magnitudes_.data() + channel * samples_, count, scratch_.data());
  float* const middle = scratch_.data() + count / 2;
  std::nth_element(scratch_.data(), middle, scratch_.data() + count);
  double median = static_cast<double>(*middle);
  if (count % 2 == 0) {
    median = 0.5 * (median + static_cast<double>(*std::max_element(scratch_.data(), middle)));
  }
  return static_cast<float>(median / kMedianOfNoise);
}

void NoiseEstimate::reset() noexcept {
  std::fill(rings_.begin(), rings_.end(), Ring{});
}

}  // namespace firbank
