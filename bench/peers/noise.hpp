// Noise that every program of this folder can make again from two numbers, bit for bit: peers in
// other processes and languages get the same data without a file. Uniform in [-1, 1], so nothing is
// ever denormal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace peers {

/// Sample `frame` of stream `stream`.
inline float noise(std::uint32_t stream, std::uint32_t frame) {
  std::uint32_t h = stream * 0x9E3779B9u + frame;
  h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
  h = (h ^ (h >> 13)) * 0xC2B2AE35u;
  h ^= h >> 16;
  return static_cast<float>(static_cast<std::int32_t>(h)) * 0x1p-31f;
}

constexpr std::uint32_t kFilterStreams = 0x10000;  // filter f is stream kFilterStreams + f

inline void fill_noise(std::uint32_t stream, float* data, std::size_t frames) {
  for (std::size_t n = 0; n < frames; ++n) data[n] = noise(stream, static_cast<std::uint32_t>(n));
}

/// Taps are flat noise: an error in the last tap shows as much as one in the first.
inline std::vector<float> noise_taps(std::size_t filter, std::size_t taps) {
  std::vector<float> filled(taps);
  fill_noise(kFilterStreams + static_cast<std::uint32_t>(filter), filled.data(), taps);
  return filled;
}

}  // namespace peers
