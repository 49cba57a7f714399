#include "engine/live_output.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kLeastGainDb = -120;
constexpr double kMostGainDb = 60;

double linear(double db) noexcept {
  return std::pow(10.0, db / 20);
}

std::size_t frames_of(const LiveConfig& config, double seconds) {
  return static_cast<std::size_t>(std::llround(seconds * config.engine.sample_rate_hz));
}

}  // namespace

LiveOutput::LiveOutput(const LiveConfig& config, std::size_t max_frames)
    : fade_in_frames_(frames_of(config, config.fade_in_seconds)),
      control_frames_(frames_of(config, config.control_seconds)),
      limiter_(config.engine.sample_rate_hz, config.release_seconds),
      bypass_mix_(config.bypass, config.bypass_fade, max_frames),
      gains_(max_frames),
      gain_db_(config.gain_db),
      bypass_(config.bypass),
      limiter_on_(config.limiter) {}

void LiveOutput::process(const float* const* wet, const float* const* dry, float* const* out,
                         std::size_t channels, std::size_t frames) noexcept {
  bypass_mix_.process(bypass_.load(kRelaxed), control_frames_, wet, dry, out, channels, frames);
  apply_gain(out, channels, frames);
  // After the gain, under which a large one may overflow.
  silence_what_is_not_finite(out, channels, frames);
  if (limiter_on_.load(kRelaxed)) {
    limiter_.process(out, channels, frames);
  } else {
    limiter_.reset();
  }
}

void LiveOutput::restart() noexcept {
  limiter_.reset();
  gain_.set(0);
}

void LiveOutput::silence_what_is_not_finite(float* const* out, std::size_t channels,
                                            std::size_t frames) noexcept {
  bool all_finite = true;
  for (std::size_t c = 0; c < channels; ++c) {
    float zero = 0;  // 0 x sample: NaN for what is not finite
    for (std::size_t n = 0; n < frames; ++n) zero += out[c][n] * 0.0f;
    all_finite = all_finite && !std::isnan(zero);
  }
  if (all_finite) return;
  std::int64_t silenced = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    bool finite = true;
    for (std::size_t c = 0; c < channels; ++c) {
      if (std::isfinite(out[c][n])) continue;
      out[c][n] = 0;
      finite = false;
    }
    if (!finite) ++silenced;
  }
  silenced_frames_.store(silenced_frames_.load(kRelaxed) + silenced, kRelaxed);
}

void LiveOutput::apply_gain(float* const* out, std::size_t channels, std::size_t frames) noexcept {
  // From silence on, whatever the gain that is wanted by now, the whole fade-in.
  const bool from_silence = gain_.value() == 0;
  const double wanted = linear(gain_db_.load(kRelaxed));
  // A gain that is changed during the fade-in takes what is left of it, and not a jump.
  if (from_silence) fade_in_left_ = fade_in_frames_;
  const std::size_t takes = std::max(fade_in_left_, control_frames_);
  gain_.move_to(wanted, from_silence ? fade_in_left_ : takes);
  fade_in_left_ -= std::min(fade_in_left_, frames);
  if (gain_.is_resting() && gain_.target() == 1) return;
  gain_.fill(gains_.data(), frames);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t n = 0; n < frames; ++n) out[c][n] *= gains_[n];
  }
}

void LiveOutput::set_gain_db(double gain_db) noexcept {
  gain_db_.store(std::isnan(gain_db) ? 0.0 : std::clamp(gain_db, kLeastGainDb, kMostGainDb),
                 kRelaxed);
}

void LiveOutput::tell(LiveStatus& status) const noexcept {
  status.gain_db = gain_db_.load(kRelaxed);
  status.bypass = bypass_.load(kRelaxed);
  status.limiter = limiter_on_.load(kRelaxed);
  status.limited_frames = limiter_.limited_frames();
  status.limiter_times = limiter_.times();
  status.limiter_most_db = std::abs(20 * std::log10(static_cast<double>(limiter_.smallest_gain())));
  status.silenced_frames = silenced_frames_.load(kRelaxed);
}

}  // namespace firbank
