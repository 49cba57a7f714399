// Case: one of the workloads that GPUs are measured with, and its samples and taps.
//
// Both are functions of their indices, so that every program measures the same and an oracle needs
// no copy: noise, rounded to float, the samples periodic. A period is coprime with every block, so
// no two partitions of a filter ever meet the same samples.
//
// Thread: any.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace firbank::bench {

enum class Wiring { kRows, kBank, kMatrix };

struct Case {
  std::string name;
  Wiring wiring = Wiring::kRows;
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t taps = 0;
  std::size_t block_frames = 0;
  double sample_rate_hz = 0;

  double period_us() const { return 1e6 * static_cast<double>(block_frames) / sample_rate_hz; }
  std::size_t partitions() const { return (taps + block_frames - 1) / block_frames; }
  std::size_t signal_period() const { return 16 * block_frames + 1; }  // frames

  // Output o is the sum over t below terms() of filter filter(o, t) on input input(o, t).
  std::size_t filters() const { return wiring == Wiring::kMatrix ? inputs * outputs : outputs; }
  std::size_t terms() const { return wiring == Wiring::kMatrix ? inputs : 1; }
  std::size_t input(std::size_t output, std::size_t term) const {
    return wiring == Wiring::kMatrix ? term : wiring == Wiring::kRows ? output : 0;
  }
  std::size_t filter(std::size_t output, std::size_t term) const {
    return wiring == Wiring::kMatrix ? term * outputs + output : output;
  }
};

/// Case "G1", "G2" or "G3"; with `quick` a tiny one of the same kind. An empty name: there is none.
inline Case find_case(const std::string& name, bool quick) {
  if (name == "G1") {
    return quick ? Case{name, Wiring::kMatrix, 4, 4, 500, 32, 48'000}
                 : Case{name, Wiring::kMatrix, 64, 64, 96'000, 128, 48'000};
  }
  if (name == "G2") {
    return quick ? Case{name, Wiring::kRows, 12, 12, 128, 32, 30'000}
                 : Case{name, Wiring::kRows, 10'000, 10'000, 1'024, 32, 30'000};
  }
  if (name == "G3") {
    return quick ? Case{name, Wiring::kBank, 1, 12, 256, 64, 48'000}
                 : Case{name, Wiring::kBank, 1, 10'000, 4'096, 256, 48'000};
  }
  return {};
}

/// Uniform in [-1, 1), a multiple of 2^-23: a hash of its indices.
inline float noise(std::uint64_t row, std::uint64_t column) {
  std::uint64_t x = (row << 32 | column) * 0xd6e8feb86659fd93U + 0x632be59bd9b4e019U;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
  x = (x ^ x >> 29) * 0xa0761d6478bd642fU;
  return static_cast<float>(static_cast<std::int64_t>(x >> 40) - (1 << 23)) * 0x1p-23F;
}

inline float sample_of(const Case& which, std::size_t input, std::size_t frame) {
  return noise(input, frame % which.signal_period());
}

/// `scale` is tap_scale(); filters sum to about the loudness of their input.
inline float tap_of(std::size_t filter, std::size_t tap, float scale) {
  return noise((std::uint64_t{1} << 31) + filter, tap) * scale;
}

inline float tap_scale(const Case& which) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(which.taps * which.terms())));
}

}  // namespace firbank::bench
