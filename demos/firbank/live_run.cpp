#include "demos/firbank/live_run.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/keyboard.hpp"
#include "demos/firbank/live_backends.hpp"
#include "demos/firbank/live_card.hpp"
#include "demos/firbank/live_devices.hpp"
#include "demos/firbank/live_filters.hpp"
#include "demos/firbank/live_keys.hpp"
#include "demos/firbank/live_player.hpp"
#include "demos/firbank/live_screen.hpp"
#include "demos/firbank/monitor/live_readings.hpp"
#include "demos/firbank/monitor/run_monitor.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/files.hpp"
#include "io/stream_recorder.hpp"

namespace firbank::program {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 40;
constexpr auto kRetryInterval = std::chrono::milliseconds(500);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class LiveRun {
 public:
  explicit LiveRun(const LiveSettings& settings)
      : settings_(settings),
        devices_(choose_devices(settings)),
        filters_(settings, devices_),
        backends_(settings),
        screen_(!settings.quiet && !settings.stdout_taken, filters_.names()),
        keyboard_(settings.keys) {
    make_session();
    make_recorder();
    player_ = std::make_unique<LivePlayer>(*session_, recorder_.get());
    card_ = std::make_unique<LiveCard>(settings, devices_, session_->inputs(), session_->outputs(),
                                       *player_);
    make_monitor();
  }

  LiveReport run() {
    card_->open();
    start_ = Clock::now();
    bool told_setup = false;
    while (!is_over()) {
      take_requests();
      session_->free_old_engines();
      if (take_reload_request() || (settings_.watch && filters_.have_changed())) {
        reload_is_wanted_ = true;
      }
      // One after the other: what comes meanwhile is not refused.
      if (reload_is_wanted_ && !session_->is_changing_engine()) reload();
      if (!told_setup && card_->blocks() > 0) {
        tell_setup();
        told_setup = true;
      }
      tell_changes();
      screen_.update(*session_, filters_.choice());
      if (card_->is_lost()) survive_loss();
    }
    LiveReport report = describe();
    monitor_.reset();
    card_->close();
    screen_.clear();
    report.seconds = seconds_since(start_);
    report.interrupted = interrupt_requested();
    finish(report);
    return report;
  }

 private:
  bool is_over() const {
    return done_ || interrupt_requested() ||
           (settings_.seconds && seconds_since(start_) >= *settings_.seconds);
  }

  void make_session() {
    LiveConfig config;
    config.engine = settings_.engine.config(devices_.rate_hz, PlanGoal::kLive);
    config.engine.max_taps = filters_.most_taps();
    config.engine.costs = settings_.engine.chosen_costs(settings_.notice).model;
    // Slots for callbacks that are much shorter than a block.
    config.engine.ring_blocks = std::max<std::size_t>(config.engine.ring_blocks, 64);
    config.gpu_slack_frames =
        std::max(settings_.engine.block_frames, settings_.device_block_frames);
    config.gain_db = settings_.gain_db;
    config.limiter = settings_.limiter;
    config.bypass = settings_.bypass;
    config.may_change_engine = true;
    if (settings_.monitor.port) config.tap_samples = LiveReadings::tap_samples(devices_.rate_hz);
    const SignalsForMainThread guard;
    session_ = std::make_unique<LiveSession>(config, filters_.bank(), filters_.routing());
  }

  void make_recorder() {
    if (settings_.record.empty()) return;
    StreamFormat format;
    format.channels = session_->inputs() + session_->outputs();
    format.sample_rate_hz = devices_.rate_hz;
    const SignalsForMainThread guard;
    recorder_ = std::make_unique<StreamRecorder>(create_sink(settings_.record, format),
                                                 format.channels, devices_.rate_hz);
  }

  void make_monitor() {
    if (!settings_.monitor.port) return;
    const SignalsForMainThread guard;
    readings_ = std::make_unique<LiveReadings>(*session_, facts());
    monitor_ = std::make_unique<RunMonitor>(settings_.monitor, *readings_);
    // Told even when all else is quiet: without it nobody would know the port.
    tell("firbank: monitor: {}\n", monitor_->url());
  }

  LiveFacts facts() const {
    LiveFacts facts;
    facts.input_device = devices_.input.full_name();
    facts.output_device = devices_.output.full_name();
    facts.filters = filters_.names();
    facts.choice = filters_.choice();
    facts.backends = backends_.names();
    facts.device_is_there = card_->is_open();
    facts.device_block_frames = card_->block_frames();
    facts.device_input_latency_seconds = card_->input_latency_seconds();
    facts.device_output_latency_seconds = card_->output_latency_seconds();
    return facts;
  }

  void note(const std::string& line) {
    if (settings_.quiet) return;
    screen_.clear();
    settings_.notice(line);
  }

  void tell_setup() {
    if (settings_.quiet) return;
    const LiveReport report = describe();
    const std::string devices =
        report.input_device == report.output_device
            ? report.output_device
            : fmt::format("{} to {}", report.input_device, report.output_device);
    fmt::print(
        "device     {}\nstream     {}, {} Hz\nfilters    {} taps, {} on {}\nlatency    {}\n",
        devices,
        fmt::format("{} in, {} out", counted(report.channels_in, "channel"), report.channels_out),
        report.sample_rate_hz, filters_.bank().longest(), report.plan, report.backend,
        latency(report));
    std::fflush(stdout);
  }

  /// Whatever is asked of the run, by a key or over the network.
  void take_requests() {
    if (const auto key = keyboard_.wait(kTickMs)) obey(*key);
    if (!monitor_) return;
    monitor_->serve([this](const ControlRequest& request) {
      ControlAnswer answer = carry_out(request);
      // The answer tells what there is by then.
      readings_->publish(facts());
      return answer;
    });
    readings_->publish(facts());
  }

  void obey(char key) {
    if (key == 'q') {
      done_ = true;
      return;
    }
    const auto request =
        request_of(key, session_->status(), filters_.choice(), filters_.names().size());
    if (!request) return;
    const ControlAnswer answer = carry_out(*request);
    if (answer.outcome != ControlAnswer::Outcome::kDone) note(answer.why);
  }

  ControlAnswer carry_out(const ControlRequest& request) {
    if (const auto* const bypass = std::get_if<SetBypass>(&request)) {
      session_->set_bypass(bypass->on);
    } else if (const auto* const limiter = std::get_if<SetLimiter>(&request)) {
      session_->set_limiter(limiter->on);
    } else if (const auto* const gain = std::get_if<SetGain>(&request)) {
      session_->set_gain_db(gain->gain_db);
    } else if (const auto* const backend = std::get_if<SetBackend>(&request)) {
      return backends_.change(backend->name, *session_);
    } else {
      return filters_.choose(std::get<Choose>(request), *session_);
    }
    return {};
  }

  void reload() {
    reload_is_wanted_ = false;
    screen_.clear();
    try {
      filters_.reload(*session_);
      screen_.rename(filters_.names());
      note("the files were read again");
    } catch (const Error& error) {
      tell("firbank: what was read again is not used, and what was heard plays on: {}\n",
           error.what());
    }
  }

  void tell_changes() {
    backends_.tell_heard(*session_, [this](const LiveEngineFacts& engine) {
      if (screen_.is_drawn()) return;
      const LiveReport report = describe();
      note(fmt::format("{} computes from {} on; latency {}", engine.backend,
                       position(engine.heard_from, devices_.rate_hz), latency(report)));
    });
    filters_.tell_heard(*session_, [this](const std::string& name, std::int64_t frame) {
      // The screen shows it anyway.
      if (screen_.is_drawn()) return;
      note(fmt::format("{} is heard from {} on", name, position(frame, devices_.rate_hz)));
    });
  }

  void survive_loss() {
    screen_.clear();
    const Clock::time_point lost = Clock::now();
    tell("firbank: '{}' has gone; trying until it is back\n", devices_.output.full_name());
    card_->close();
    Clock::time_point next_try = Clock::now() + kRetryInterval;
    while (!card_->is_open() && !is_over()) {
      take_requests();
      if (Clock::now() < next_try) continue;
      try {
        card_->prepare();
        session_->note_gap(seconds_since(lost));
        card_->start();
      } catch (const Error&) {
        next_try = Clock::now() + kRetryInterval;
      }
    }
    if (card_->is_open()) {
      tell("firbank: '{}' is back after {}\n", devices_.output.full_name(),
           duration(seconds_since(lost)));
      return;
    }
    session_->note_gap(seconds_since(lost));
    done_ = true;
  }

  LiveReport describe() const {
    LiveReport report;
    report.input_device = devices_.input.full_name();
    report.output_device = devices_.output.full_name();
    report.filters = filters_.names();
    report.sample_rate_hz = devices_.rate_hz;
    report.channels_in = session_->inputs();
    report.channels_out = session_->outputs();
    const LiveEngineFacts engine = session_->engine_facts();
    report.backend = engine.backend;
    report.plan = engine.plan;
    report.latency_frames = engine.latency_frames;
    report.device_block_frames = card_->block_frames();
    report.device_input_latency_seconds = card_->input_latency_seconds();
    report.device_output_latency_seconds = card_->output_latency_seconds();
    return report;
  }

  /// What is known once no callback comes any more.
  void finish(LiveReport& report) {
    report.status = session_->status();
    for (std::size_t c = 0; c < session_->inputs(); ++c) {
      report.inputs.push_back(session_->input_level(c));
    }
    for (std::size_t c = 0; c < session_->outputs(); ++c) {
      report.outputs.push_back(session_->output_level(c));
    }
    report.events = session_->events();
    if (!recorder_) return;
    recorder_->finish();
    report.record = settings_.record;
    report.record_dropped_frames = recorder_->dropped_frames();
    report.first_record_dropped_frame = recorder_->first_dropped_frame();
  }

  const LiveSettings& settings_;
  LiveDevices devices_;
  LiveFilters filters_;
  LiveBackends backends_;
  LiveScreen screen_;
  Keyboard keyboard_;
  std::unique_ptr<LiveSession> session_;
  std::unique_ptr<StreamRecorder> recorder_;
  std::unique_ptr<LivePlayer> player_;
  std::unique_ptr<LiveReadings> readings_;
  std::unique_ptr<RunMonitor> monitor_;
  std::unique_ptr<LiveCard> card_;  // last, as its callback uses the others
  Clock::time_point start_ = Clock::now();
  bool reload_is_wanted_ = false;
  bool done_ = false;
};

}  // namespace

LiveReport run_live(const LiveSettings& settings) {
  return LiveRun(settings).run();
}

}  // namespace firbank::program
