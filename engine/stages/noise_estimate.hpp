// NoiseEstimate: the standard deviation of each channel's noise, from the median of its latest
// magnitudes: median(|x|) / 0.6745, which is exact for Gaussian noise and hardly moved by the
// spikes on top of it (R. Quian Quiroga, Z. Nadasdy, Y. Ben-Shaul, "Unsupervised spike detection
// and sorting with wavelets and superparamagnetic clustering", Neural Computation 16, 2004,
// section 3.1).
//
// Thread:   one at a time.
// Realtime: everything but construction is safe. An estimate takes a few ns a sample of the window.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank {

class NoiseEstimate {
 public:
  /// The median of |x| of Gaussian noise with standard deviation 1.
  static constexpr double kMedianOfNoise = 0.6745;

  /// Each channel's latest `samples` (at least 1) are kept.
  NoiseEstimate(std::size_t channels, std::size_t samples);

  /// One sample, which is finite.
  void add(std::size_t channel, float sample) noexcept;

  /// How many are kept of a channel.
  std::size_t count(std::size_t channel) const noexcept { return rings_[channel].count; }

  /// From those that are kept; 0 before the first one.
  float estimate(std::size_t channel) noexcept;

  void reset() noexcept;

 private:
  struct Ring {
    std::size_t next = 0;
    std::size_t count = 0;
  };

  std::size_t samples_;
  std::vector<float> magnitudes_;
  std::vector<Ring> rings_;
  std::vector<float> scratch_;
};

}  // namespace firbank
