// LoopbackRoom: a way from an output to an input that tests know everything about: delay, low-pass,
// gain, noise, DC, clicks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "io/random.hpp"

namespace firbank::program::test {

struct LoopbackRoom {
  double delay_frames = 0;
  /// Of half the sampling rate: where its linear-phase low-pass has fallen by 6 dB.
  double cutoff = 0.95;
  double gain = 1;
  double noise_rms = 0;
  double dc = 0;
  double clip = 1e9;       // magnitude that nothing passes
  double drift_ppm = 0;    // of the delay, a frame
  std::uint64_t seed = 1;  // of the noise
};

/// A low-pass between its samples: a sinc of 129 samples under Hann's window.
inline double lowpass(double t, double cutoff) {
  constexpr double kHalf = 65;
  constexpr double kPi = std::numbers::pi;
  if (std::abs(t) >= kHalf) return 0;
  const double window = 0.5 + 0.5 * std::cos(kPi * t / kHalf);
  return t == 0 ? cutoff : window * std::sin(kPi * cutoff * t) / (kPi * t);
}

/// Sum of twelve uniform numbers: near enough to a Gaussian of variance 1.
inline double gaussian(Xoshiro256& random) {
  double sum = -6;
  for (int n = 0; n < 12; ++n) sum += random.uniform();
  return sum;
}

/// What comes back of `played`, as long as that.
inline std::vector<float> through(const LoopbackRoom& room, std::span<const float> played) {
  constexpr std::ptrdiff_t kReach = 65;
  Xoshiro256 random(room.seed);
  const auto size = static_cast<std::ptrdiff_t>(played.size());
  std::vector<float> heard(played.size());
  std::vector<double> taps(2 * kReach + 1);
  double tapped = -1;  // the part of a frame that the taps are for
  for (std::ptrdiff_t n = 0; n < size; ++n) {
    const double delay = room.delay_frames + 1e-6 * room.drift_ppm * static_cast<double>(n);
    const double whole = std::floor(delay);
    if (delay - whole != tapped) {
      tapped = delay - whole;
      for (std::ptrdiff_t k = -kReach; k <= kReach; ++k) {
        taps[static_cast<std::size_t>(k + kReach)] =
            lowpass(static_cast<double>(k) - tapped, room.cutoff);
      }
    }
    const std::ptrdiff_t middle = n - static_cast<std::ptrdiff_t>(whole);
    double sum = 0;
    for (std::ptrdiff_t k = -kReach; k <= kReach; ++k) {
      const std::ptrdiff_t from = middle - k;
      if (from < 0 || from >= size) continue;
      sum += taps[static_cast<std::size_t>(k + kReach)] * played[static_cast<std::size_t>(from)];
    }
    sum = room.gain * sum + room.dc;
    if (room.noise_rms > 0) sum += room.noise_rms * gaussian(random);
    heard[static_cast<std::size_t>(n)] = static_cast<float>(std::clamp(sum, -room.clip, room.clip));
  }
  return heard;
}

}  // namespace firbank::program::test
