// ProbeSignal: what a probe with many channels in a brain would deliver, with known spikes.
//
// Each channel has white noise of its own; all have in common a slow wave, the hum of the mains and
// noise in the band of the spikes, which a common reference takes off. Each unit sits at a channel
// and is seen by its neighbours as well, by the less the farther they are. It fires as a Poisson
// process with a dead time. Its spikes are so large that, behind the filter that is given, their
// peak is `peak_snr` times the standard deviation of the channel's own noise.
//
// The noise of each packet is a stretch of one long table that begins anywhere: white as the table
// is, and many times faster than real time for hundreds of channels.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "io/random.hpp"

namespace firbank::probe {

struct ProbeConfig {
  std::size_t channels = 384;
  double sample_rate_hz = 30'000;
  double step_uv = 0.195;  // of a sample of 16 bits
  double noise_uv = 10;    // standard deviation of each channel's own noise
  double common_noise_uv = 15;
  double slow_wave_uv = 150;  // amplitude, 2.5 Hz
  double hum_uv = 200;        // amplitude, 50 Hz
  double firing_rate_hz = 20;
  double dead_time_seconds = 0.002;
  double peak_snr = 6;
  std::vector<double> filter = {1.0};  // behind which peak_snr is meant
  std::uint64_t seed = 1;
};

struct Spike {
  std::int64_t frame = 0;  // of its peak, to the nearest
  std::size_t channel = 0;
};

class ProbeSignal {
 public:
  explicit ProbeSignal(const ProbeConfig& config);

  /// The next `frames` frames, interleaved. Spikes whose peak lies in them are added to `spikes`,
  /// in order.
  void next(std::size_t frames, std::vector<std::int16_t>& samples, std::vector<Spike>& spikes);

  std::int64_t position() const noexcept { return position_; }

 private:
  struct Unit {
    std::vector<std::vector<float>> waveforms;  // in steps, one for each part of a frame
    double next_peak = 0;                       // in frames
  };
  struct Shot {
    std::int64_t first_frame;
    std::size_t unit;
    std::size_t phase;
  };

  void make_unit(Unit& unit);
  double interval();
  double gaussian();
  void fire(std::int64_t end);
  void add(const Shot& shot, std::size_t frames);

  ProbeConfig config_;
  Xoshiro256 random_;
  std::vector<float> noise_;  // in steps
  std::vector<Unit> units_;   // one a channel
  std::deque<Shot> shots_;    // that reach into what comes
  std::vector<Spike> waiting_;
  std::vector<float> block_;
  std::int64_t position_ = 0;
};

}  // namespace firbank::probe
