#include "engine/live_session.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "engine/bypass_mix.hpp"
#include "engine/dry_path.hpp"
#include "engine/limiter.hpp"
#include "engine/ramp.hpp"
#include "engine/ring_drive.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kLeastGainDb = -120;
constexpr double kMostGainDb = 60;
constexpr std::size_t kMostDryDelay = 1'000'000;
constexpr std::size_t kMostTapSamples = 1'000'000;

// The largest sample of a 16-bit converter is the least that may have been more.
constexpr float kInputClipsFrom = 32'767.0f / 32'768.0f;
// Full scale itself is still played as it is.
const float kOutputClipsFrom = std::nextafter(1.0f, 2.0f);

std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double linear(double db) noexcept {
  return std::pow(10.0, db / 20);
}

void require(const char* field, double value, double least, double most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorKind::kConfiguration,
              fmt::format("{} is {}; allowed: {} to {}", field, value, least, most));
}

const LiveConfig& checked(const LiveConfig& config) {
  require("gain_db", config.gain_db, kLeastGainDb, kMostGainDb);
  require("fade_in_seconds", config.fade_in_seconds, 0, 60);
  require("control_seconds", config.control_seconds, 0.001, 60);
  require("release_seconds", config.release_seconds, 0.001, 60);
  require("dry_delay_frames", static_cast<double>(config.dry_delay_frames), 0, kMostDryDelay);
  require("tap_samples", static_cast<double>(config.tap_samples), 0, kMostTapSamples);
  return config;
}

void add(std::atomic<std::int64_t>& counter, std::int64_t count) noexcept {
  counter.store(counter.load(kRelaxed) + count, kRelaxed);
}

}  // namespace

class LiveSession::Impl {
 public:
  Impl(const LiveConfig& config, const FilterBank& bank, const Routing& routing)
      : config_(checked(config)),
        engine_(config.engine, bank, routing),
        rings_(make_rings()),
        dry_(engine_.inputs(), engine_.outputs(), latency_frames() + config.dry_delay_frames,
             engine_.max_frames()),
        limiter_(config.engine.sample_rate_hz, config.release_seconds),
        bypass_mix_(config.bypass, config.bypass_fade, engine_.max_frames()),
        input_tap_(std::max<std::size_t>(config.tap_samples, 1)),
        output_tap_(std::max<std::size_t>(config.tap_samples, 1)),
        gain_db_(config.gain_db),
        bypass_(config.bypass),
        limiter_on_(config.limiter),
        gains_(engine_.max_frames()),
        wet_samples_(engine_.outputs() * engine_.max_frames()),
        in_(engine_.inputs()),
        wet_(engine_.outputs()),
        out_(engine_.outputs()) {
    const double rate = config.engine.sample_rate_hz;
    for (std::size_t c = 0; c < engine_.inputs(); ++c) {
      input_meters_.push_back(std::make_unique<LiveMeter>(rate, kInputClipsFrom));
    }
    for (std::size_t c = 0; c < engine_.outputs(); ++c) {
      output_meters_.push_back(std::make_unique<LiveMeter>(rate, kOutputClipsFrom));
      wet_[c] = wet_samples_.data() + c * engine_.max_frames();
    }
  }

  void process(const float* const* in, float* const* out, std::size_t frames) noexcept {
    const std::int64_t start = now_ns();
    for (std::size_t done = 0; done < frames;) {
      const std::size_t part = std::min(frames - done, engine_.max_frames());
      for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = in[c] + done;
      for (std::size_t c = 0; c < out_.size(); ++c) out_[c] = out[c] + done;
      process_part(part);
      done += part;
    }
    if (frames == 0) return;
    const double lasts_ns = 1e9 * static_cast<double>(frames) / config_.engine.sample_rate_hz;
    const std::int64_t took = now_ns() - start;
    load_.record(took, lasts_ns);
    call_was_late_ = static_cast<double>(took) > lasts_ns;
    if (call_was_late_) note(LiveEventKind::kLateCall);
    add(frames_, static_cast<std::int64_t>(frames));
  }

  void note_glitch(const DeviceGlitches& glitches) noexcept {
    if (!glitches.any()) return;
    xruns_.store(xruns_.load(kRelaxed) + 1, kRelaxed);
    if (call_was_late_) {
      xruns_after_late_call_.store(xruns_after_late_call_.load(kRelaxed) + 1, kRelaxed);
    }
    if (glitches.input_overflow) note(LiveEventKind::kInputOverflow);
    if (glitches.input_underflow) note(LiveEventKind::kInputUnderflow);
    if (glitches.output_underflow) note(LiveEventKind::kOutputUnderflow);
    if (glitches.output_overflow) note(LiveEventKind::kOutputOverflow);
  }

  void note_gap(double seconds) {
    call_was_late_ = false;
    note(LiveEventKind::kGap);
    gaps_.store(gaps_.load(kRelaxed) + 1, kRelaxed);
    gap_seconds_.store(gap_seconds_.load(kRelaxed) + seconds, kRelaxed);
    if (rings_) {
      rings_->restart();
    } else {
      engine_.reset();
    }
    dry_.reset();
    limiter_.reset();
    gain_.set(0);
  }

  std::uint64_t swap(const FilterBank& bank, std::size_t crossfade_frames) {
    // Two blocks more than needed: some come while the spectra are made here.
    const std::size_t lead = engine_.plan().swap_lead_frames() + 2 * config_.engine.block_frames;
    return engine_.swap(bank, engine_.position() + static_cast<std::int64_t>(lead),
                        crossfade_frames);
  }

  void set_gain_db(double gain_db) noexcept {
    gain_db_.store(std::isnan(gain_db) ? 0.0 : std::clamp(gain_db, kLeastGainDb, kMostGainDb),
                   kRelaxed);
  }
  void set_bypass(bool bypass) noexcept { bypass_.store(bypass, kRelaxed); }
  void set_limiter(bool on) noexcept { limiter_on_.store(on, kRelaxed); }

  const Engine& engine() const noexcept { return engine_; }
  const LoadMeter& load() const noexcept { return load_; }
  const LiveMeter& input_meter(std::size_t input) const noexcept { return *input_meters_[input]; }
  const LiveMeter& output_meter(std::size_t output) const noexcept {
    return *output_meters_[output];
  }
  const SampleTap& input_tap() const noexcept { return input_tap_; }
  const SampleTap& output_tap() const noexcept { return output_tap_; }
  std::vector<LiveEvent> events() const { return events_.newest(); }
  double sample_rate_hz() const noexcept { return config_.engine.sample_rate_hz; }
  std::size_t latency_frames() const noexcept { return rings_ ? rings_->latency_frames() : 0; }

  LiveStatus status() const noexcept {
    LiveStatus status;
    status.frames = frames_.load(kRelaxed);
    status.seconds = 1e-9 * static_cast<double>(now_ns() - made_ns_);
    status.gain_db = gain_db_.load(kRelaxed);
    status.bypass = bypass_.load(kRelaxed);
    status.limiter = limiter_on_.load(kRelaxed);
    status.limited_frames = limiter_.limited_frames();
    status.limiter_times = limiter_.times();
    status.limiter_most_db =
        std::abs(20 * std::log10(static_cast<double>(limiter_.smallest_gain())));
    status.silenced_frames = silenced_frames_.load(kRelaxed);
    status.late_frames = rings_ ? rings_->late_frames() : 0;
    status.refused_frames = rings_ ? rings_->refused_frames() : 0;
    status.xruns = xruns_.load(kRelaxed);
    status.xruns_after_late_call = xruns_after_late_call_.load(kRelaxed);
    status.gaps = gaps_.load(kRelaxed);
    status.gap_seconds = gap_seconds_.load(kRelaxed);
    status.load = load_.reading();
    status.engine = engine_.stats();
    return status;
  }

 private:
  std::unique_ptr<RingDrive> make_rings() {
    if (engine_.backend().starts_with("cpu")) return nullptr;
    const std::size_t slack =
        config_.gpu_slack_frames != 0 ? config_.gpu_slack_frames : config_.engine.block_frames;
    return std::make_unique<RingDrive>(engine_, slack);
  }

  /// in_ to out_, at most the engine's max_frames().
  void process_part(std::size_t frames) noexcept {
    for (std::size_t c = 0; c < in_.size(); ++c) input_meters_[c]->add(in_[c], frames);
    // An output may lie where an input did.
    if (config_.tap_samples > 0) input_tap_.add(in_.data(), in_.size(), frames);
    dry_.process(in_.data(), frames);
    if (rings_) {
      rings_->process(in_.data(), wet_.data(), frames);
    } else {
      engine_.process(in_.data(), wet_.data(), frames);
    }
    bypass_mix_.process(bypass_.load(kRelaxed), frames_of(config_.control_seconds), wet_.data(),
                        dry_.planes(), out_.data(), out_.size(), frames);
    apply_gain(frames);
    silence_what_is_not_finite(frames);  // after the gain, under which a large one may overflow
    if (limiter_on_.load(kRelaxed)) {
      limiter_.process(out_.data(), out_.size(), frames);
    } else {
      limiter_.reset();
    }
    for (std::size_t c = 0; c < out_.size(); ++c) output_meters_[c]->add(out_[c], frames);
    if (config_.tap_samples > 0) output_tap_.add(out_.data(), out_.size(), frames);
  }

  std::size_t frames_of(double seconds) const noexcept {
    return static_cast<std::size_t>(std::llround(seconds * config_.engine.sample_rate_hz));
  }

  void silence_what_is_not_finite(std::size_t frames) noexcept {
    bool all_finite = true;
    for (const float* const plane : out_) {
      float zero = 0;  // 0 x sample: NaN for what is not finite
      for (std::size_t n = 0; n < frames; ++n) zero += plane[n] * 0.0f;
      all_finite = all_finite && !std::isnan(zero);
    }
    if (all_finite) return;
    std::int64_t silenced = 0;
    for (std::size_t n = 0; n < frames; ++n) {
      bool finite = true;
      for (float* const plane : out_) {
        if (std::isfinite(plane[n])) continue;
        plane[n] = 0;
        finite = false;
      }
      if (!finite) ++silenced;
    }
    add(silenced_frames_, silenced);
  }

  void apply_gain(std::size_t frames) noexcept {
    // From silence on, whatever the gain that is wanted by now, the whole fade-in.
    const bool from_silence = gain_.value() == 0;
    const double wanted = linear(gain_db_.load(kRelaxed));
    // A gain that is changed during the fade-in takes what is left of it, and not a jump.
    if (from_silence) fade_in_left_ = frames_of(config_.fade_in_seconds);
    const std::size_t takes = std::max(fade_in_left_, frames_of(config_.control_seconds));
    gain_.move_to(wanted, from_silence ? fade_in_left_ : takes);
    fade_in_left_ -= std::min(fade_in_left_, frames);
    if (gain_.is_resting() && gain_.target() == 1) return;
    gain_.fill(gains_.data(), frames);
    for (float* const plane : out_) {
      for (std::size_t n = 0; n < frames; ++n) plane[n] *= gains_[n];
    }
  }

  void note(LiveEventKind kind) noexcept {
    LiveEvent event;
    event.kind = kind;
    event.frame = frames_.load(kRelaxed);
    event.time_ns = now_ns() - made_ns_;
    event.after_late_call = call_was_late_ && kind != LiveEventKind::kLateCall;
    events_.add(event);
  }

  LiveConfig config_;
  Engine engine_;
  std::unique_ptr<RingDrive> rings_;  // with a GPU
  DryPath dry_;
  Limiter limiter_;
  BypassMix bypass_mix_;
  SampleTap input_tap_;
  SampleTap output_tap_;
  Ramp gain_{0};
  std::size_t fade_in_left_ = 0;

  std::atomic<double> gain_db_;
  std::atomic<bool> bypass_;
  std::atomic<bool> limiter_on_;

  std::vector<float> gains_;
  std::vector<float> wet_samples_;
  std::vector<const float*> in_;  // of the part being processed, as are the others
  std::vector<float*> wet_;
  std::vector<float*> out_;

  bool call_was_late_ = false;
  std::vector<std::unique_ptr<LiveMeter>> input_meters_;
  std::vector<std::unique_ptr<LiveMeter>> output_meters_;
  LoadMeter load_;
  LiveEvents events_;
  std::int64_t made_ns_ = now_ns();
  std::atomic<std::int64_t> frames_{0};
  std::atomic<std::int64_t> silenced_frames_{0};
  std::atomic<std::uint64_t> xruns_{0};
  std::atomic<std::uint64_t> xruns_after_late_call_{0};
  std::atomic<std::uint64_t> gaps_{0};
  std::atomic<double> gap_seconds_{0};
};

LiveSession::LiveSession(const LiveConfig& config, const FilterBank& bank, const Routing& routing)
    : impl_(std::make_unique<Impl>(config, bank, routing)) {}

LiveSession::~LiveSession() = default;

void LiveSession::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  impl_->process(in, out, frames);
}
void LiveSession::note_glitch(const DeviceGlitches& glitches) noexcept {
  impl_->note_glitch(glitches);
}
void LiveSession::note_gap(double seconds) {
  impl_->note_gap(seconds);
}

void LiveSession::set_gain_db(double gain_db) noexcept {
  impl_->set_gain_db(gain_db);
}
void LiveSession::set_bypass(bool bypass) noexcept {
  impl_->set_bypass(bypass);
}
void LiveSession::set_limiter(bool on) noexcept {
  impl_->set_limiter(on);
}

std::uint64_t LiveSession::swap(const FilterBank& bank, std::size_t crossfade_frames) {
  return impl_->swap(bank, crossfade_frames);
}
std::optional<std::int64_t> LiveSession::live_frame(std::uint64_t ticket) const noexcept {
  return impl_->engine().live_frame(ticket);
}

std::size_t LiveSession::inputs() const noexcept {
  return impl_->engine().inputs();
}
std::size_t LiveSession::outputs() const noexcept {
  return impl_->engine().outputs();
}
double LiveSession::sample_rate_hz() const noexcept {
  return impl_->sample_rate_hz();
}
std::size_t LiveSession::latency_frames() const noexcept {
  return impl_->latency_frames();
}
const Engine& LiveSession::engine() const noexcept {
  return impl_->engine();
}

LiveStatus LiveSession::status() const noexcept {
  return impl_->status();
}
LevelReading LiveSession::input_level(std::size_t input) const noexcept {
  return impl_->input_meter(input).reading();
}
LevelReading LiveSession::output_level(std::size_t output) const noexcept {
  return impl_->output_meter(output).reading();
}
const LoadMeter& LiveSession::load() const noexcept {
  return impl_->load();
}
const SampleTap& LiveSession::input_tap() const noexcept {
  return impl_->input_tap();
}
const SampleTap& LiveSession::output_tap() const noexcept {
  return impl_->output_tap();
}
std::vector<LiveEvent> LiveSession::events() const {
  return impl_->events();
}

}  // namespace firbank
