#include "engine/live_session.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "engine/live_dropouts.hpp"
#include "engine/live_output.hpp"
#include "engine/live_path.hpp"
#include "engine/path_switch.hpp"
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

}  // namespace

class LiveSession::Impl {
 public:
  Impl(const LiveConfig& config, const FilterBank& bank, const Routing& routing)
      : config_(checked(config)),
        engine_config_(config.engine),
        most_taps_(std::max(config.engine.max_taps, bank.longest())),
        bank_(bank),
        routing_(routing),
        past_frames_(most_taps_ + routing.max_delay()),
        paths_(std::make_unique<LivePath>(path_config(config.engine), bank, routing),
               config.may_change_engine ? kept_frames() : 0),
        output_(config, paths_.max_frames()),
        dropouts_(config.engine.sample_rate_hz),
        input_tap_(std::max<std::size_t>(config.tap_samples, 1)),
        output_tap_(std::max<std::size_t>(config.tap_samples, 1)),
        in_(routing.inputs()),
        out_(routing.outputs()) {
    const double rate = config.engine.sample_rate_hz;
    for (std::size_t c = 0; c < in_.size(); ++c) {
      input_meters_.push_back(std::make_unique<LiveMeter>(rate, kInputClipsFrom));
    }
    for (std::size_t c = 0; c < out_.size(); ++c) {
      output_meters_.push_back(std::make_unique<LiveMeter>(rate, kOutputClipsFrom));
    }
  }

  void process(const float* const* in, float* const* out, std::size_t frames) noexcept {
    if (frames == 0) return;
    const std::int64_t frame = frames_.load(kRelaxed);
    dropouts_.begin_call(frame, 1e9 * static_cast<double>(frames) / config_.engine.sample_rate_hz);
    for (std::size_t done = 0; done < frames;) {
      const std::size_t part = std::min(frames - done, paths_.max_frames());
      for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = in[c] + done;
      for (std::size_t c = 0; c < out_.size(); ++c) out_[c] = out[c] + done;
      process_part(part);
      done += part;
    }
    dropouts_.end_call(paths_.missing_frames());
    frames_.store(frame + static_cast<std::int64_t>(frames), kRelaxed);
  }

  void note_gap(double seconds) {
    dropouts_.note_gap(frames_.load(kRelaxed), seconds);
    paths_.restart();
    output_.restart();
  }

  std::uint64_t swap(const FilterBank& bank, std::size_t crossfade_frames) {
    free_old_engines();
    // Asked in this order: it may take the place of the other one at any time.
    LivePath* const coming = paths_.coming();
    LivePath& heard = paths_.heard();
    const bool two = coming != nullptr && coming != &heard;
    std::uint64_t ticket = 0;
    if (!two || !comes_with_other_edges_) ticket = heard.swap(bank, crossfade_frames);
    if (two) ticket = coming->swap(bank, crossfade_frames);
    bank_ = bank;
    last_ticket_ = ticket;
    return ticket;
  }

  std::optional<std::int64_t> live_frame(std::uint64_t ticket) {
    const auto known = live_frames_.find(ticket);
    if (known != live_frames_.end()) return known->second;
    const auto frame = paths_.heard().live_frame(ticket);
    if (frame) keep_live_frame(ticket, *frame);
    return frame;
  }

  void change_engine(const EngineConfig& wanted, const FilterBank& bank, const Routing& routing,
                     std::size_t crossfade_frames) {
    const auto refuse = [](const std::string& what) {
      throw Error(ErrorKind::kConfiguration, what);
    };
    if (!config_.may_change_engine) {
      refuse("may_change_engine is false; a change of the engine needs it to be true");
    }
    free_old_engines();
    if (paths_.is_changing()) {
      refuse("another engine is about to be heard; one change at a time is allowed");
    }
    if (routing.inputs() != in_.size() || routing.outputs() != out_.size()) {
      refuse(fmt::format("the routing is for {} inputs and {} outputs; allowed: {} and {}",
                         routing.inputs(), routing.outputs(), in_.size(), out_.size()));
    }
    const std::size_t past_frames = most_taps_ + routing.max_delay();
    if (past_frames > past_frames_) {
      refuse(fmt::format("the routing's longest delay is {} frames; allowed here: up to {}",
                         routing.max_delay(), past_frames_ - most_taps_));
    }
    EngineConfig engine = wanted;
    engine.sample_rate_hz = config_.engine.sample_rate_hz;
    engine.max_frames = std::max(paths_.max_frames(), engine.block_frames);
    engine.max_taps = most_taps_;
    if (!engine.backend.starts_with("cuda")) engine.gpu_mode = GpuMode::kWhole;
    auto next = std::make_unique<LivePath>(path_config(engine), bank, routing, last_ticket_);
    paths_.change_to(std::move(next), past_frames, crossfade_frames);
    comes_with_other_edges_ = routing.edges() != routing_.edges();
    engine_config_ = engine;
    bank_ = bank;
    routing_ = routing;
  }

  void change_engine(const EngineConfig& engine, std::size_t crossfade_frames) {
    change_engine(engine, bank_, routing_, crossfade_frames);
  }

  bool is_changing_engine() const noexcept { return paths_.is_changing(); }
  const EngineConfig& engine_config() const noexcept { return engine_config_; }

  void free_old_engines() {
    paths_.free_old([this](const LivePath& old) {
      const std::uint64_t kept = std::min<std::uint64_t>(last_ticket_, kTicketsKept);
      for (std::uint64_t ticket = last_ticket_ - kept + 1; ticket <= last_ticket_; ++ticket) {
        const auto frame = old.live_frame(ticket);
        if (frame) keep_live_frame(ticket, *frame);
      }
    });
  }

  LiveOutput& output() noexcept { return output_; }
  LiveDropouts& dropouts() noexcept { return dropouts_; }

  std::size_t inputs() const noexcept { return in_.size(); }
  std::size_t outputs() const noexcept { return out_.size(); }
  const LiveMeter& input_meter(std::size_t input) const noexcept { return *input_meters_[input]; }
  const LiveMeter& output_meter(std::size_t output) const noexcept {
    return *output_meters_[output];
  }
  const SampleTap& input_tap() const noexcept { return input_tap_; }
  const SampleTap& output_tap() const noexcept { return output_tap_; }
  double sample_rate_hz() const noexcept { return config_.engine.sample_rate_hz; }
  std::size_t latency_frames() const noexcept {
    return paths_.read([](const LivePath& path) { return path.latency_frames(); });
  }

  LiveEngineFacts engine_facts() const {
    return paths_.read([](const LivePath& path) {
      const Engine& engine = path.engine();
      return LiveEngineFacts{engine.backend(), engine.instruction_set(), engine.plan().describe(),
                             path.latency_frames(), path.heard_from()};
    });
  }

  LiveStatus status() const noexcept {
    const LivePathCounts counts = paths_.read([](const LivePath& path) { return path.counts(); });
    LiveStatus status;
    output_.tell(status);
    dropouts_.tell(status);
    status.frames = frames_.load(kRelaxed);
    status.late_frames = counts.late_frames;
    status.refused_frames = counts.refused_frames;
    status.engine_changes = paths_.changes();
    status.engine = counts.engine;
    return status;
  }

 private:
  static constexpr std::size_t kTicketsKept = 256;

  LivePathConfig path_config(const EngineConfig& engine) const {
    return {engine, config_.gpu_slack_frames, config_.dry_delay_frames};
  }

  /// What a path has to hear, and as much again as may come until it has.
  std::size_t kept_frames() const {
    const EngineConfig& engine = config_.engine;
    return past_frames_ + static_cast<std::size_t>(std::ceil(engine.sample_rate_hz)) +
           4 * std::max(engine.max_frames, engine.block_frames);
  }

  void keep_live_frame(std::uint64_t ticket, std::int64_t frame) {
    live_frames_.emplace(ticket, frame);
    if (live_frames_.size() > kTicketsKept) live_frames_.erase(live_frames_.begin());
  }

  /// in_ to out_, at most the paths' max_frames().
  void process_part(std::size_t frames) noexcept {
    for (std::size_t c = 0; c < in_.size(); ++c) input_meters_[c]->add(in_[c], frames);
    // An output may lie where an input did.
    if (config_.tap_samples > 0) input_tap_.add(in_.data(), in_.size(), frames);
    paths_.process(in_.data(), frames);
    output_.process(paths_.wet(), paths_.dry(), out_.data(), out_.size(), frames);
    for (std::size_t c = 0; c < out_.size(); ++c) output_meters_[c]->add(out_[c], frames);
    if (config_.tap_samples > 0) output_tap_.add(out_.data(), out_.size(), frames);
  }

  LiveConfig config_;

  // The owner's: of the engine that was made last.
  EngineConfig engine_config_;
  std::size_t most_taps_;
  FilterBank bank_;
  Routing routing_;
  bool comes_with_other_edges_ = false;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, std::int64_t> live_frames_;  // of the newest tickets
  std::size_t past_frames_;

  PathSwitch paths_;
  LiveOutput output_;
  LiveDropouts dropouts_;
  SampleTap input_tap_;
  SampleTap output_tap_;
  std::vector<std::unique_ptr<LiveMeter>> input_meters_;
  std::vector<std::unique_ptr<LiveMeter>> output_meters_;
  std::vector<const float*> in_;  // of the part being processed, as is the other
  std::vector<float*> out_;
  std::atomic<std::int64_t> frames_{0};
};

LiveSession::LiveSession(const LiveConfig& config, const FilterBank& bank, const Routing& routing)
    : impl_(std::make_unique<Impl>(config, bank, routing)) {}

LiveSession::~LiveSession() = default;

void LiveSession::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  impl_->process(in, out, frames);
}
void LiveSession::note_glitch(const DeviceGlitches& glitches) noexcept {
  impl_->dropouts().note_glitch(glitches);
}
void LiveSession::note_gap(double seconds) {
  impl_->note_gap(seconds);
}

void LiveSession::set_gain_db(double gain_db) noexcept {
  impl_->output().set_gain_db(gain_db);
}
void LiveSession::set_bypass(bool bypass) noexcept {
  impl_->output().set_bypass(bypass);
}
void LiveSession::set_limiter(bool on) noexcept {
  impl_->output().set_limiter(on);
}

std::uint64_t LiveSession::swap(const FilterBank& bank, std::size_t crossfade_frames) {
  return impl_->swap(bank, crossfade_frames);
}
std::optional<std::int64_t> LiveSession::live_frame(std::uint64_t ticket) {
  return impl_->live_frame(ticket);
}

void LiveSession::change_engine(const EngineConfig& engine, const FilterBank& bank,
                                const Routing& routing, std::size_t crossfade_frames) {
  impl_->change_engine(engine, bank, routing, crossfade_frames);
}
void LiveSession::change_engine(const EngineConfig& engine, std::size_t crossfade_frames) {
  impl_->change_engine(engine, crossfade_frames);
}
bool LiveSession::is_changing_engine() const noexcept {
  return impl_->is_changing_engine();
}
void LiveSession::free_old_engines() {
  impl_->free_old_engines();
}
const EngineConfig& LiveSession::engine_config() const noexcept {
  return impl_->engine_config();
}

std::size_t LiveSession::inputs() const noexcept {
  return impl_->inputs();
}
std::size_t LiveSession::outputs() const noexcept {
  return impl_->outputs();
}
double LiveSession::sample_rate_hz() const noexcept {
  return impl_->sample_rate_hz();
}
std::size_t LiveSession::latency_frames() const noexcept {
  return impl_->latency_frames();
}
LiveEngineFacts LiveSession::engine_facts() const {
  return impl_->engine_facts();
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
  return impl_->dropouts().load();
}
const SampleTap& LiveSession::input_tap() const noexcept {
  return impl_->input_tap();
}
const SampleTap& LiveSession::output_tap() const noexcept {
  return impl_->output_tap();
}
std::vector<LiveEvent> LiveSession::events() const {
  return impl_->dropouts().events();
}

}  // namespace firbank
