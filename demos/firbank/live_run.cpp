#include "demos/firbank/live_run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/keyboard.hpp"
#include "demos/firbank/live_choices.hpp"
#include "demos/firbank/live_devices.hpp"
#include "demos/firbank/live_player.hpp"
#include "demos/firbank/live_screen.hpp"
#include "demos/firbank/monitor/live_monitor.hpp"
#include "demos/firbank/quiet_stderr.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/file_watch.hpp"
#include "io/files.hpp"
#include "io/one_line.hpp"
#include "io/portaudio_device.hpp"
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
        choices_(settings.load(devices_.rate_hz, devices_.input.input_channels)),
        choice_(settings.first_choice),
        most_taps_(std::max(settings.max_taps, choices_.longest_taps)),
        screen_(!settings.quiet && !settings.stdout_taken, choices_.names),
        keyboard_(settings.keys) {
    refuse_missing_channels();
    watch_.watch(choices_.files);
    stream_.input_device = devices_.input.full_name();
    stream_.output_device = devices_.output.full_name();
    stream_.input_channels = choices_.routing.inputs();
    stream_.output_channels = choices_.routing.outputs();
    stream_.input_map = settings.input_map;
    stream_.output_map = settings.output_map;
    stream_.sample_rate_hz = devices_.rate_hz;
    stream_.block_frames = settings.device_block_frames;
    stream_.latency_seconds = settings.latency_seconds;
    make_session();
    make_recorder();
    player_ = std::make_unique<LivePlayer>(*session_, recorder_.get());
    make_monitor();
  }

  LiveReport run() {
    open_device();
    const Clock::time_point start = Clock::now();
    bool told_setup = false;
    while (!done_ && !interrupt_requested()) {
      if (settings_.seconds && seconds_since(start) >= *settings_.seconds) break;
      take_requests();
      if (take_reload_request() || (settings_.watch && watch_.changed())) reload();
      if (!told_setup && device_->blocks() > 0) {
        tell_setup();
        told_setup = true;
      }
      tell_swaps();
      screen_.update(*session_, choice_);
      if (device_->is_lost(patience_seconds())) survive_loss(start);
    }
    LiveReport report = describe();
    monitor_.reset();
    device_.reset();
    screen_.clear();
    report.seconds = seconds_since(start);
    report.interrupted = interrupt_requested();
    finish(report);
    return report;
  }

 private:
  void refuse_missing_channels() const {
    const auto refuse = [](const char* way, std::size_t wanted, const AudioDevice& device,
                           std::size_t most) {
      if (wanted <= most) return;
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("{} is {} for these filters; '{}' has 1 to {}", way,
                              counted(wanted, "channel"), device.full_name(), most));
    };
    refuse("the input", choices_.routing.inputs(), devices_.input, devices_.input.input_channels);
    refuse("the output", choices_.routing.outputs(), devices_.output,
           devices_.output.output_channels);
  }

  void make_session() {
    LiveConfig config;
    config.engine = settings_.engine.config(devices_.rate_hz, PlanGoal::kLive);
    config.engine.max_taps = most_taps_;
    config.engine.costs = settings_.engine.chosen_costs(settings_.notice).model;
    // Slots for callbacks that are much shorter than a block.
    config.engine.ring_blocks = std::max<std::size_t>(config.engine.ring_blocks, 64);
    config.gpu_slack_frames =
        std::max(settings_.engine.block_frames, settings_.device_block_frames);
    config.gain_db = settings_.gain_db;
    config.limiter = settings_.limiter;
    config.bypass = settings_.bypass;
    if (settings_.monitor.port) config.tap_samples = LiveMonitor::tap_samples(devices_.rate_hz);
    const SignalsForMainThread guard;
    session_ = std::make_unique<LiveSession>(config, choices_.banks[choice_], choices_.routing);
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
    monitor_ = std::make_unique<LiveMonitor>(settings_.monitor, *session_, facts());
    // Told even when all else is quiet: without it nobody would know the port.
    tell("firbank: monitor: {}\n", monitor_->url());
  }

  RunFacts facts() const {
    RunFacts facts;
    facts.input_device = devices_.input.full_name();
    facts.output_device = devices_.output.full_name();
    facts.filters = choices_.names;
    facts.choice = choice_;
    facts.device_is_there = device_ != nullptr;
    if (device_) {
      facts.device_block_frames = device_->block_frames();
      facts.device_input_latency_seconds = device_->input_latency_seconds();
      facts.device_output_latency_seconds = device_->output_latency_seconds();
    }
    return facts;
  }

  /// Without a block, until the device counts as lost; some bring few, and long ones.
  double patience_seconds() const {
    constexpr double kLeastSeconds = 1.5;
    const std::size_t frames = std::max(device_->block_frames(), settings_.device_block_frames);
    return kLeastSeconds + 4 * static_cast<double>(frames) / devices_.rate_hz;
  }

  void open_device() {
    const QuietStderr quiet;
    const SignalsForMainThread guard;
    device_ = std::make_unique<PortaudioDevice>(stream_, *player_);
    device_->start();
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
        report.sample_rate_hz, choices_.banks[choice_].longest(), report.plan, report.backend,
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
      monitor_->publish(facts());
      return answer;
    });
    monitor_->publish(facts());
  }

  void obey(char key) {
    constexpr double kGainStepDb = 1;
    const LiveStatus status = session_->status();
    const std::size_t choices = choices_.banks.size();
    switch (key) {
      case 'b':
        return obey(SetBypass{!status.bypass});
      case 'l':
        return obey(SetLimiter{!status.limiter});
      case '+':
      case '=':
        return obey(SetGain{status.gain_db + kGainStepDb});
      case '-':
      case '_':
        return obey(SetGain{status.gain_db - kGainStepDb});
      case 'n':
        return obey(Choose{(choice_ + 1) % choices, {}});
      case 'p':
        return obey(Choose{(choice_ + choices - 1) % choices, {}});
      case 'q':
        done_ = true;
        return;
      default:
        if (key >= '1' && key <= '9' && static_cast<std::size_t>(key - '1') < choices) {
          obey(Choose{static_cast<std::size_t>(key - '1'), {}});
        }
    }
  }

  void obey(const ControlRequest& request) {
    const ControlAnswer answer = carry_out(request);
    if (answer.outcome != ControlAnswer::Outcome::kDone) note(answer.why);
  }

  ControlAnswer carry_out(const ControlRequest& request) {
    if (const auto* const bypass = std::get_if<SetBypass>(&request)) {
      session_->set_bypass(bypass->on);
    } else if (const auto* const limiter = std::get_if<SetLimiter>(&request)) {
      session_->set_limiter(limiter->on);
    } else if (const auto* const gain = std::get_if<SetGain>(&request)) {
      session_->set_gain_db(gain->gain_db);
    } else {
      return choose(std::get<Choose>(request));
    }
    return {};
  }

  ControlAnswer choose(const Choose& wanted) {
    const auto begin = choices_.names.begin();
    const std::size_t choice = wanted.index.value_or(
        static_cast<std::size_t>(std::find(begin, choices_.names.end(), wanted.name) - begin));
    if (choice >= choices_.names.size()) {
      const std::string what =
          wanted.index ? fmt::format("{}", choice + 1) : fmt::format("'{}'", one_line(wanted.name));
      return {ControlAnswer::Outcome::kRefused,
              fmt::format("choice is {}; allowed: 1 to {}, or their names", what,
                          choices_.names.size())};
    }
    if (choice == choice_) return {};
    try {
      hear(choices_, choice);
    } catch (const Error& error) {
      return {ControlAnswer::Outcome::kRefused,
              fmt::format("{} is not heard yet: {}", choices_.names[choice], error.what())};
    }
    return {};
  }

  /// Throws: Error when the session refuses the bank.
  void hear(const LiveChoices& choices, std::size_t choice) {
    const auto crossfade =
        static_cast<std::size_t>(std::llround(settings_.crossfade_seconds * devices_.rate_hz));
    pending_.push_back({session_->swap(choices.banks[choice], crossfade), choices.names[choice]});
    choice_ = choice;
  }

  /// Reads everything again. What cannot be heard in the place of the old leaves it playing.
  void reload() {
    screen_.clear();
    try {
      const SignalsForMainThread guard;
      LiveChoices fresh = settings_.load(devices_.rate_hz, devices_.input.input_channels);
      refuse_other_shape(fresh);
      hear(fresh, same_choice(fresh));
      choices_ = std::move(fresh);
      screen_.rename(choices_.names);
      watch_.watch(choices_.files);
      note("the files were read again");
    } catch (const Error& error) {
      tell("firbank: what was read again is not used, and what was heard plays on: {}\n",
           error.what());
    }
  }

  void refuse_other_shape(const LiveChoices& fresh) const {
    const auto refuse = [](const std::string& what) {
      throw Error(ErrorKind::kConfiguration, what);
    };
    if (fresh.routing.inputs() != choices_.routing.inputs() ||
        fresh.routing.outputs() != choices_.routing.outputs()) {
      refuse(fmt::format("it has {} in and {} out; the run has {} and {}",
                         counted(fresh.routing.inputs(), "channel"), fresh.routing.outputs(),
                         choices_.routing.inputs(), choices_.routing.outputs()));
    }
    if (fresh.routing.edges() != choices_.routing.edges()) {
      refuse("it connects channels in another way than the run began with");
    }
    if (fresh.longest_taps > most_taps_) {
      refuse(fmt::format("its longest filter has {} taps; the run has room for {} (--max-taps)",
                         fresh.longest_taps, most_taps_));
    }
  }

  /// The choice of the same name, or the first.
  std::size_t same_choice(const LiveChoices& fresh) const {
    const auto begin = fresh.names.begin();
    const auto found = std::find(begin, fresh.names.end(), choices_.names[choice_]);
    return found == fresh.names.end() ? 0 : static_cast<std::size_t>(found - begin);
  }

  void tell_swaps() {
    while (!pending_.empty()) {
      const auto frame = session_->live_frame(pending_.front().ticket);
      if (!frame) return;
      // The screen shows it anyway.
      if (!screen_.is_drawn()) {
        note(fmt::format("{} is heard from {} on", pending_.front().name,
                         position(*frame, devices_.rate_hz)));
      }
      pending_.erase(pending_.begin());
    }
  }

  void survive_loss(Clock::time_point start) {
    screen_.clear();
    const Clock::time_point lost = Clock::now();
    tell("firbank: '{}' has gone; trying until it is back\n", devices_.output.full_name());
    {
      const QuietStderr quiet;
      device_.reset();
    }
    Clock::time_point next_try = Clock::now() + kRetryInterval;
    while (!device_ && !done_ && !interrupt_requested()) {
      if (settings_.seconds && seconds_since(start) >= *settings_.seconds) break;
      take_requests();
      if (Clock::now() < next_try) continue;
      try {
        const QuietStderr quiet;
        const SignalsForMainThread guard;
        auto device = std::make_unique<PortaudioDevice>(stream_, *player_);
        session_->note_gap(seconds_since(lost));
        device->start();
        device_ = std::move(device);
      } catch (const Error&) {
        next_try = Clock::now() + kRetryInterval;
      }
    }
    if (device_) {
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
    report.filters = choices_.names;
    report.sample_rate_hz = devices_.rate_hz;
    report.channels_in = session_->inputs();
    report.channels_out = session_->outputs();
    report.backend = session_->engine().backend();
    report.plan = session_->engine().plan().describe();
    report.latency_frames = session_->latency_frames();
    if (device_) {
      report.device_block_frames = device_->block_frames();
      report.device_input_latency_seconds = device_->input_latency_seconds();
      report.device_output_latency_seconds = device_->output_latency_seconds();
    }
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

  struct PendingSwap {
    std::uint64_t ticket = 0;
    std::string name;
  };

  const LiveSettings& settings_;
  LiveDevices devices_;
  LiveChoices choices_;
  std::size_t choice_ = 0;
  std::size_t most_taps_;
  FileWatch watch_;
  LiveScreen screen_;
  Keyboard keyboard_;
  AudioStreamConfig stream_;
  std::unique_ptr<LiveSession> session_;
  std::unique_ptr<StreamRecorder> recorder_;
  std::unique_ptr<LivePlayer> player_;
  std::unique_ptr<LiveMonitor> monitor_;
  std::unique_ptr<PortaudioDevice> device_;  // last, as its callback uses the others
  std::vector<PendingSwap> pending_;
  bool done_ = false;
};

}  // namespace

LiveReport run_live(const LiveSettings& settings) {
  return LiveRun(settings).run();
}

}  // namespace firbank::program
