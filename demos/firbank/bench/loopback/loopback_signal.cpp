#include "demos/firbank/bench/loopback/loopback_signal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "demos/firbank/bench/loopback/fractional_delay.hpp"
#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

constexpr double kSettleSeconds = 0.25;
constexpr double kFadeSeconds = 0.02;
// Behind the last period, so that where it ends is seen as well as where it begins.
constexpr std::size_t kSilentPeriods = 2;

std::size_t frames_of(double seconds, double sample_rate_hz) {
  return static_cast<std::size_t>(std::llround(seconds * sample_rate_hz));
}

/// From 0 to 1 as a raised cosine.
double fade_gain(std::size_t frame, std::size_t frames) {
  const double share = (static_cast<double>(frame) + 1) / (static_cast<double>(frames) + 1);
  return 0.5 - 0.5 * std::cos(std::numbers::pi * share);
}

}  // namespace

LoopbackTimeline::LoopbackTimeline(const LoopbackSetting& setting)
    : sequence_frames(program::sequence_frames(setting.sequence_order)),
      periods(kWarmUpRepeats + setting.repeats),
      // What a delay by part of a frame spreads an impulse over needs silence before it.
      first_frame(std::max(frames_of(kSettleSeconds, setting.sample_rate_hz), kDelaySpreadFrames)),
      fade_frames(std::min(frames_of(kFadeSeconds, setting.sample_rate_hz), sequence_frames / 4)),
      total_frames(first_frame + (periods + kSilentPeriods) * sequence_frames) {}

std::vector<float> loopback_signal(const LoopbackSetting& setting) {
  const double delay = setting.extra_delay_frames;
  if (!(delay >= 0 && delay <= static_cast<double>(kMostExtraDelayFrames))) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("an extra delay of {} frames is not allowed; 0 to {} are", delay,
                            kMostExtraDelayFrames));
  }
  const std::vector<double> sequence = maximum_length_sequence(setting.sequence_order);
  const LoopbackTimeline timeline(setting);
  const double level = std::pow(10.0, setting.level_dbfs / 20);
  const std::size_t frames = timeline.periods * sequence.size() + timeline.fade_frames;
  std::vector<double> signal(timeline.total_frames);
  for (std::size_t n = 0; n < frames; ++n) {
    double gain = level;
    if (n < timeline.fade_frames) gain *= fade_gain(n, timeline.fade_frames);
    const std::size_t left = frames - 1 - n;
    if (left < timeline.fade_frames) gain *= fade_gain(left, timeline.fade_frames);
    signal[timeline.first_frame + n] = gain * sequence[n % sequence.size()];
  }
  signal = delayed(signal, delay);
  double peak = 0;
  for (const double sample : signal) peak = std::max(peak, std::abs(sample));
  if (!(peak <= 1)) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("a level of {} dBFS is not allowed: the signal would reach {:.1f} dBFS, and 0 "
                    "is full scale",
                    setting.level_dbfs, 20 * std::log10(peak)));
  }
  return {signal.begin(), signal.end()};
}

}  // namespace firbank::program
