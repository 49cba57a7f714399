// Xoshiro256: a small fast generator of random numbers that gives the same numbers everywhere.
//
// xoshiro256++ of Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM
// Transactions on Mathematical Software 47 (2021), seeded by SplitMix64 as they advise. Standard
// generators are portable too, standard distributions are not; hence uniform() here.
//
// Thread: one at a time.  Realtime: safe.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace firbank {

/// Steps `state` and returns a well mixed number: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
constexpr std::uint64_t split_mix(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Xoshiro256 {
 public:
  /// Streams of one seed are independent of each other.
  constexpr explicit Xoshiro256(std::uint64_t seed, std::uint64_t stream = 0) noexcept {
    std::uint64_t mixed_stream = stream;
    std::uint64_t mixer = seed ^ split_mix(mixed_stream);
    for (std::uint64_t& word : state_) word = split_mix(mixer);
  }

  constexpr std::uint64_t operator()() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace firbank
