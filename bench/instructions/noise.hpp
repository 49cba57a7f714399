// Samples to work on: noise that is the same on every machine, and does not begin anywhere but on a
// cache line, so that no copy has an odd beginning to deal with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/random.hpp"
#include "kernels/aligned_vector.hpp"

namespace firbank::bench {

/// Uniform between -1 and 1.
template <class Sample = float>
AlignedVector<Sample> noise(std::size_t samples, std::uint64_t seed = 1) {
  Xoshiro256 random(seed);
  AlignedVector<Sample> all(samples);
  for (Sample& sample : all) sample = static_cast<Sample>(2 * random.uniform() - 1);
  return all;
}

/// `count` filters of `taps` taps.
inline std::vector<std::vector<double>> noise_filters(std::size_t count, std::size_t taps) {
  Xoshiro256 random(2);
  std::vector<std::vector<double>> filters(count, std::vector<double>(taps));
  for (std::vector<double>& filter : filters) {
    for (double& tap : filter) tap = (2 * random.uniform() - 1) / static_cast<double>(taps);
  }
  return filters;
}

/// Planes of noise: `channels` of `frames` samples each.
template <class Sample = float>
class NoisePlanes {
 public:
  NoisePlanes(std::size_t channels, std::size_t frames)
      : stride_((frames + kLine - 1) / kLine * kLine), samples_(noise<Sample>(channels * stride_)) {
    for (std::size_t c = 0; c < channels; ++c) planes_.push_back(&samples_[c * stride_]);
  }
  NoisePlanes(const NoisePlanes&) = delete;
  NoisePlanes& operator=(const NoisePlanes&) = delete;

  Sample* const* planes() { return planes_.data(); }

 private:
  static constexpr std::size_t kLine = kCacheLineBytes / sizeof(Sample);

  std::size_t stride_;  // between planes
  AlignedVector<Sample> samples_;
  std::vector<Sample*> planes_;
};

}  // namespace firbank::bench
