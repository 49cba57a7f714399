// LiveMeter: the level of one channel, as a meter shows it.
//
// Thread:   add(): one real-time thread. reading(): any, without a lock; its figures may come from
//           successive calls of add().
// Realtime: add() is safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace firbank {

/// Amplitudes: 1 is full scale.
struct LevelReading {
  float peak = 0;          // rises at once, falls by 20 dB a second
  float rms = 0;           // over about 0.3 s
  float highest = 0;       // peak since the beginning
  std::int64_t clips = 0;  // samples that were clipped, or will be
};

class LiveMeter {
 public:
  /// A sample counts as clipped from an amplitude of `clips_from` on.
  LiveMeter(double sample_rate_hz, float clips_from) noexcept
      : sample_rate_hz_(sample_rate_hz), clips_from_(clips_from) {}

  /// Samples that are not finite are left out.
  void add(const float* samples, std::size_t frames) noexcept;

  LevelReading reading() const noexcept;

 private:
  double sample_rate_hz_;
  float clips_from_;
  double mean_square_ = 0;
  std::atomic<float> peak_{0};
  std::atomic<float> rms_{0};
  std::atomic<float> highest_{0};
  std::atomic<std::int64_t> clips_{0};
};

}  // namespace firbank
