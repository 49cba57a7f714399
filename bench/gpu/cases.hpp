// Case: one of the workloads that GPUs are measured with, and its samples and taps.
//
// Both are functions of their indices, so that every program measures the same and an oracle needs
// no copy: noise, rounded to float, the samples periodic. A period is coprime with every block and,
// of streams, longer than sixteen of them, of files longer than any filter, so no two partitions of
// a filter ever meet the same samples.
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
  std::size_t taps = 0;          // of the longest filter
  std::size_t block_frames = 0;  // of a file: as the plan proposes
  double sample_rate_hz = 0;
  std::size_t shortest_taps = 0;  // filters have these up to `taps`; 0: all have `taps`
  std::size_t file_frames = 0;    // of all of a file; 0: a stream without an end
  bool sixteen_bits = false;      // samples, as those of a 16-bit file are

  bool is_file() const { return file_frames > 0; }
  double period_us() const { return 1e6 * static_cast<double>(block_frames) / sample_rate_hz; }
  std::size_t partitions() const { return (taps + block_frames - 1) / block_frames; }
  std::size_t signal_period() const {
    return is_file() ? 65'537 : 16 * block_frames + 1;
  }  // frames

  // Output o is the sum over t below terms() of filter filter(o, t) on input input(o, t). In a bank
  // every filter meets every input.
  std::size_t filters() const {
    return wiring == Wiring::kMatrix ? inputs * outputs
           : wiring == Wiring::kBank ? outputs / inputs
                                     : outputs;
  }
  std::size_t terms() const { return wiring == Wiring::kMatrix ? inputs : 1; }
  std::size_t input(std::size_t output, std::size_t term) const {
    return wiring == Wiring::kMatrix ? term : wiring == Wiring::kBank ? output / filters() : output;
  }
  std::size_t filter(std::size_t output, std::size_t term) const {
    return wiring == Wiring::kMatrix ? term * outputs + output
           : wiring == Wiring::kBank ? output % filters()
                                     : output;
  }

  /// Taps of a filter: where they differ, evenly spread, but neighbours far from each other.
  std::size_t taps_of(std::size_t filter) const {
    constexpr std::size_t kStep = 7'919;  // a prime
    if (shortest_taps == 0) return taps;
    return shortest_taps + (taps - shortest_taps) * (filter * kStep % filters()) / (filters() - 1);
  }

  /// Products of a sample and a tap for each frame.
  double products() const {
    double sum = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t t = 0; t < terms(); ++t) sum += static_cast<double>(taps_of(filter(o, t)));
    }
    return sum;
  }
};

/// Case "G1" to "G5"; with `quick` a tiny one of the same kind. An empty name: there is none.
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
  if (name == "G4") {
    Case file{name, Wiring::kBank, 1'000, 64'000, 1'000, 0, 48'000};
    if (quick) file = {name, Wiring::kBank, 3, 12, 100, 0, 48'000};
    file.file_frames = 1'000'000;
    return file;
  }
  if (name == "G5") {
    Case file{name, Wiring::kRows, 10'000, 10'000, 20'000, 0, 30'000, 200};
    if (quick) file = {name, Wiring::kRows, 12, 12, 3'000, 0, 30'000, 20};
    file.file_frames = 1'000'000;
    return file;
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
  const float sample = noise(input, frame % which.signal_period());
  return which.sixteen_bits ? std::floor(sample * 0x1p15F) * 0x1p-15F : sample;
}

/// `scale` is tap_scale(); filters sum to about the loudness of their input.
inline float tap_of(std::size_t filter, std::size_t tap, float scale) {
  return noise((std::uint64_t{1} << 31) + filter, tap) * scale;
}

inline float tap_scale(const Case& which, std::size_t filter) {
  const std::size_t taps = which.taps_of(filter) * which.terms();
  return static_cast<float>(1 / std::sqrt(static_cast<double>(taps)));
}

}  // namespace firbank::bench
