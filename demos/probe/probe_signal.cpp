#include "demos/probe/probe_signal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace firbank::probe {
namespace {

constexpr std::size_t kNoiseSamples = std::size_t{1} << 20;
constexpr std::size_t kPhases = 8;  // parts of a frame at which a peak may lie
constexpr double kBeforeSeconds = 0.0006;
constexpr double kAfterSeconds = 0.0016;
constexpr double kSlowHz = 2.5;
constexpr double kHumHz = 50;

/// What a channel sees of a unit that is 0, 1, 2 channels away.
constexpr float kFootprint[] = {1.0f, 0.45f, 0.15f};
constexpr std::int64_t kReach = 2;

/// Extracellular: a narrow trough, then a low and wide hump. `width` stretches it.
double shape(double seconds, double width) {
  const auto bell = [&](double centre, double deviation) {
    const double x = (seconds - centre * width) / (deviation * width);
    return std::exp(-x * x / 2);
  };
  return -bell(0, 0.00010) + 0.3 * bell(0.00045, 0.00022);
}

/// The largest magnitude of the convolution.
double filtered_peak(const std::vector<double>& samples, const std::vector<double>& filter) {
  double peak = 0;
  for (std::size_t n = 0; n + 1 < samples.size() + filter.size(); ++n) {
    double sum = 0;
    const std::size_t first = n < filter.size() ? 0 : n - filter.size() + 1;
    for (std::size_t i = first; i <= std::min(n, samples.size() - 1); ++i) {
      sum += samples[i] * filter[n - i];
    }
    peak = std::max(peak, std::abs(sum));
  }
  return peak;
}

}  // namespace

ProbeSignal::ProbeSignal(const ProbeConfig& config)
    : config_(config), random_(config.seed), noise_(kNoiseSamples), units_(config.channels) {
  for (float& sample : noise_) {
    sample = static_cast<float>(gaussian() * config_.noise_uv / config_.step_uv);
  }
  for (Unit& unit : units_) {
    make_unit(unit);
    unit.next_peak = interval();
  }
}

void ProbeSignal::make_unit(Unit& unit) {
  const double width = 0.8 + 0.5 * random_.uniform();
  const double rate = config_.sample_rate_hz;
  const auto before = static_cast<std::size_t>(kBeforeSeconds * rate);
  const auto length = before + static_cast<std::size_t>(kAfterSeconds * rate);
  double energy = 0;
  for (const double tap : config_.filter) energy += tap * tap;
  const double noise = config_.noise_uv * std::sqrt(energy);
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    std::vector<double> samples(length);
    for (std::size_t i = 0; i < length; ++i) {
      const double frames = static_cast<double>(i) - static_cast<double>(before) -
                            static_cast<double>(phase) / kPhases;
      samples[i] = shape(frames / rate, width);
    }
    const double uv = config_.peak_snr * noise / filtered_peak(samples, config_.filter);
    std::vector<float>& waveform = unit.waveforms.emplace_back();
    for (const double sample : samples) {
      waveform.push_back(static_cast<float>(sample * uv / config_.step_uv));
    }
  }
}

/// From one spike of a unit to the next, in frames.
double ProbeSignal::interval() {
  const double mean = 1 / config_.firing_rate_hz - config_.dead_time_seconds;
  const double seconds = config_.dead_time_seconds - mean * std::log(1 - random_.uniform());
  return seconds * config_.sample_rate_hz;
}

/// By Box and Muller's transform.
double ProbeSignal::gaussian() {
  const double radius = std::sqrt(-2 * std::log(1 - random_.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random_.uniform());
}

/// Every spike that begins before frame `end`.
void ProbeSignal::fire(std::int64_t end) {
  const auto before = static_cast<std::int64_t>(kBeforeSeconds * config_.sample_rate_hz);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    Unit& unit = units_[u];
    while (unit.next_peak < static_cast<double>(end + before)) {
      const auto eighths = static_cast<std::int64_t>(unit.next_peak * kPhases);
      const std::int64_t whole = eighths / static_cast<std::int64_t>(kPhases);
      const auto phase = static_cast<std::size_t>(eighths) % kPhases;
      shots_.push_back({whole - before, u, phase});
      waiting_.push_back({whole + (phase >= kPhases / 2 ? 1 : 0), u});
      unit.next_peak += interval();
    }
  }
}

void ProbeSignal::add(const Shot& shot, std::size_t frames) {
  const std::vector<float>& waveform = units_[shot.unit].waveforms[shot.phase];
  const auto channels = static_cast<std::int64_t>(config_.channels);
  const std::int64_t from = std::max(shot.first_frame, position_);
  const std::int64_t to = std::min(shot.first_frame + static_cast<std::int64_t>(waveform.size()),
                                   position_ + static_cast<std::int64_t>(frames));
  const auto unit = static_cast<std::int64_t>(shot.unit);
  for (std::int64_t c = std::max<std::int64_t>(unit - kReach, 0);
       c <= std::min(unit + kReach, channels - 1); ++c) {
    const float share = kFootprint[std::abs(c - unit)];
    for (std::int64_t n = from; n < to; ++n) {
      block_[static_cast<std::size_t>((n - position_) * channels + c)] +=
          share * waveform[static_cast<std::size_t>(n - shot.first_frame)];
    }
  }
}

void ProbeSignal::next(std::size_t frames, std::vector<std::int16_t>& samples,
                       std::vector<Spike>& spikes) {
  const std::size_t channels = config_.channels;
  block_.resize(frames * channels);
  const auto step = static_cast<float>(config_.step_uv);
  for (std::size_t n = 0; n < frames; ++n) {
    const double seconds =
        static_cast<double>(position_ + static_cast<std::int64_t>(n)) / config_.sample_rate_hz;
    const double turn = 2 * std::numbers::pi * seconds;
    const auto common = static_cast<float>(config_.slow_wave_uv * std::sin(turn * kSlowHz) +
                                           config_.hum_uv * std::sin(turn * kHumHz) +
                                           config_.common_noise_uv * gaussian()) /
                        step;
    const std::size_t at = random_() % (noise_.size() - channels);
    float* const row = block_.data() + n * channels;
    const float* const noise = noise_.data() + at;
    for (std::size_t c = 0; c < channels; ++c) row[c] = noise[c] + common;
  }

  const std::int64_t end = position_ + static_cast<std::int64_t>(frames);
  fire(end);
  for (const Shot& shot : shots_) add(shot, frames);
  const auto length = static_cast<std::int64_t>(units_[0].waveforms[0].size());
  std::erase_if(shots_, [&](const Shot& shot) { return shot.first_frame + length <= end; });

  samples.resize(block_.size());
  for (std::size_t i = 0; i < block_.size(); ++i) {
    // Rounded by a truncation above 0, which is many samples an instruction everywhere.
    const float limited = std::clamp(block_[i], -32'768.0f, 32'767.0f);
    samples[i] = static_cast<std::int16_t>(static_cast<int>(limited + 32'768.5f) - 32'768);
  }
  position_ = end;

  const auto is_later = [&](const Spike& spike) { return spike.frame >= end; };
  const auto first_later = std::stable_partition(waiting_.begin(), waiting_.end(),
                                                 [&](const Spike& s) { return !is_later(s); });
  const auto added = static_cast<std::ptrdiff_t>(spikes.size());
  spikes.insert(spikes.end(), waiting_.begin(), first_later);
  waiting_.erase(waiting_.begin(), first_later);
  std::sort(spikes.begin() + added, spikes.end(), [](const Spike& a, const Spike& b) {
    return a.frame != b.frame ? a.frame < b.frame : a.channel < b.channel;
  });
}

}  // namespace firbank::probe
