#include "demos/firbank/serve_run.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "demos/firbank/serve_channels.hpp"
#include "demos/firbank/serve_delivery.hpp"
#include "demos/firbank/serve_losses.hpp"
#include "demos/firbank/serve_marks.hpp"
#include "demos/firbank/serve_monitor.hpp"
#include "demos/firbank/serve_notices.hpp"
#include "demos/firbank/serve_output.hpp"
#include "demos/firbank/serve_stages.hpp"
#include "demos/firbank/serve_stop.hpp"
#include "demos/firbank/serve_ways.hpp"
#include "demos/firbank/wording.hpp"
#include "io/frame_time.hpp"

namespace firbank::program {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick(100);
constexpr std::size_t kEventRows = 256;  // of a packet

/// Whether these are the names of channels that the configuration only counts.
bool are_numbers(const std::vector<std::string>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != fmt::format("in-{}", i + 1)) return false;
  }
  return true;
}

class ServeRun {
 public:
  explicit ServeRun(const ServeRunSettings& settings)
      : settings_(settings),
        config_(settings.config),
        serve_(*settings.config.serve),
        notices_({.quiet = settings.quiet,
                  .sample_rate_hz = settings.config.stream.sample_rate_hz,
                  .has_clock = serve_.input.kind != PacketWay::Kind::kStandardStream}) {
    stream_ = make_acquisition(config_, settings.preset, settings.engine, settings.notice);
    make_outputs();
    const SignalsForMainThread guard;
    WireExpectation expected;
    expected.channels = stream_->inputs();
    expected.sample_rate_hz = config_.stream.sample_rate_hz;
    source_ = open_packet_source(serve_, expected, input_);
    if (settings.monitor.port) {
      watch_ = std::make_unique<ServeWatch>(
          stream_->outputs(),
          config_.stream.sample_rate_hz / static_cast<double>(stream_->decimation()));
    }
    delivery_ = std::make_unique<ServeDelivery>(*stream_, lines_, watch_.get());
    channels_.emplace(*stream_, config_.inputs, serve_.bad_channels);
    make_monitor();
  }
  ServeRun(const ServeRun&) = delete;
  ServeRun& operator=(const ServeRun&) = delete;

  ServeReport run() {
    start_ = newest_packet_ = Clock::now();
    if (!settings_.quiet) tell("firbank: {}\n", readiness());
    for (bool done = false; !done && !interrupt_requested();) {
      switch (source_->read(kTick)) {
        case PacketEvent::kNothing:
          break;
        case PacketEvent::kStarted:
          has_sender_ = true;
          start_stream(source_->header());
          break;
        case PacketEvent::kPacket:
          take(source_->header(), source_->packet());
          break;
        case PacketEvent::kStopped:
          has_sender_ = false;
          tell_troubles();
          // One that broke off may go on when its sender is back.
          done = serve_.once;
          if (done || has_ended_) end_stream();
          break;
        case PacketEvent::kEnded:
          done = true;
          break;
      }
      if (notices_.is_due()) tell_troubles();
      if (!done && all_outputs_failed()) {
        tell("firbank: no output is left, so this ends\n");
        done = true;
      }
      if (monitor_) monitor_->attend();
    }
    monitor_.reset();
    end_stream();
    for (const auto& line : lines_) line->finish();
    tell_troubles();
    ServeReport report;
    report.status = status();
    report.unlisted_losses = losses_.unlisted();
    report.losses = losses_.take_listed();
    report.interrupted = interrupt_requested();
    return report;
  }

 private:
  void make_outputs() {
    const double rate_hz = config_.stream.sample_rate_hz;
    for (const ServeOutput& output : serve_.outputs) {
      ServeLine::Format format;
      format.sample_rate_hz = rate_hz;
      format.unit = serve_.unit;
      format.takes_unit = serve_.unit.empty() && output.kind != ServedKind::kEvents;
      format.packet_frames = settings_.engine.block_frames;
      format.waits = serve_.input.kind == PacketWay::Kind::kStandardStream ||
                     serve_.input.kind == PacketWay::Kind::kTcp;
      if (output.kind == ServedKind::kRaw) {
        format.channels = stream_->inputs();
        format.channel_names = config_.inputs;
        format.has_numbers = are_numbers(config_.inputs);
      } else if (output.kind == ServedKind::kFiltered) {
        format.channels = stream_->outputs();
        format.channel_names = config_.outputs;
        format.sample_rate_hz /= static_cast<double>(stream_->decimation());
      } else {
        format.channels = ServeDelivery::event_columns().size();
        format.channel_names = ServeDelivery::event_columns();
        format.packet_frames = kEventRows;
        format.is_table = true;
        format.unit.clear();
      }
      lines_.push_back(std::make_unique<ServeLine>(output, format, names_, settings_.notice));
      if (output.kind == ServedKind::kRaw) raw_lines_.push_back(lines_.back().get());
    }
    if (!raw_lines_.empty()) {
      raw_.emplace(stream_->inputs(), settings_.engine.block_frames);
    }
  }

  std::string readiness() const {
    std::string to;
    for (const auto& line : lines_) to += (to.empty() ? "" : ", ") + line->name();
    return fmt::format("ready: {}, {} at {} Hz, {}; to {}", input_,
                       counted(stream_->inputs(), "channel"), config_.stream.sample_rate_hz,
                       stream_->engine().backend(), to);
  }

  bool all_outputs_failed() const {
    for (const auto& line : lines_) {
      if (!line->has_failed()) return false;
    }
    return true;
  }

  void make_monitor() {
    if (!watch_) return;
    monitor_ = std::make_unique<ServeMonitor>(
        settings_.monitor, serve_facts(config_, settings_.preset, *stream_), *watch_,
        [this] { return status(); },
        [this](const MarkBad& request) { return channels_->mark(request); });
    // Told even when all else is quiet: without it nobody would know the port.
    tell("firbank: monitor: {}\n", monitor_->url());
  }

  void start_stream(const StreamHeader& header) {
    stream_->set_largest_in_reference(largest_in_reference(serve_, header));
    channels_->rename(header.channel_names);
    sender_unit_ = header.unit;
    const bool goes_on = is_running_ && header.stream_id != 0 && header.stream_id == stream_id_;
    stream_id_ = header.stream_id;
    has_ended_ = false;
    if (goes_on) return;
    end_stream();
    begin_stream(header);
  }

  void begin_stream(const StreamHeader& header) {
    if (streams_++ > 0) stream_->restart();
    expected_frame_.reset();
    for (const auto& line : lines_) line->begin_stream(header);
    delivery_->begin_stream();
    is_running_ = true;
  }

  /// Waits until all that came has gone out, or until too much time has passed since the stop.
  void end_stream() {
    if (!is_running_) return;
    await([this] { return stream_->flush(); });
    await([this] { return delivery_->is_done(); });
    delivery_->end_stream();
    for (const auto& line : lines_) line->end_stream();
    is_running_ = false;
  }

  /// Until it is so, or until too much time has passed since the stop. A page goes on meanwhile.
  template <class Condition>
  void await(Condition&& is_so) {
    while (!is_so() && !stop_.is_overdue()) {
      if (monitor_) monitor_->attend();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void take(const StreamHeader& header, const Packet& packet) {
    has_ended_ = has_ended_ || has(packet.flags, BlockFlags::kEndOfStream);
    if (packet.gap_before > 0) {
      notices_.lost(packet);
      losses_.add({streams_, packet.first_frame - packet.gap_before, packet.gap_before});
    }
    if (packet.frames == 0) return;
    newest_packet_ = Clock::now();
    if (has(packet.flags, BlockFlags::kReset) && expected_frame_) {
      notices_.begins_anew(packet, *expected_frame_);
      end_stream();
      begin_stream(header);
    }
    // Of what comes again only the rest is new.
    std::size_t from = 0;
    if (expected_frame_ && packet.first_frame < *expected_frame_) {
      const auto again = static_cast<std::uint64_t>(*expected_frame_) -
                         static_cast<std::uint64_t>(packet.first_frame);
      notices_.again(packet,
                     static_cast<std::int64_t>(std::min<std::uint64_t>(again, packet.frames)));
      if (again >= packet.frames) return;
      from = static_cast<std::size_t>(again);
    }
    expected_frame_ = packet.first_frame + static_cast<std::int64_t>(packet.frames);
    if (packet.gap_before > ServeLine::kMostSilence) {
      for (ServeLine* const line : raw_lines_) line->begin_file();
    }
    delivery_->note_arrival(packet.first_frame, *expected_frame_, packet.flags);
    write_raw(header, packet, from);
    while (from < packet.frames) {
      const PushResult pushed = stream_->push(header, packet, from);
      if (!pushed) {  // beyond the last frame that there can be
        const std::int64_t first_frame = packet.first_frame + static_cast<std::int64_t>(from);
        out_of_range_.add(first_frame, static_cast<std::int64_t>(packet.frames - from));
        return notices_.out_of_range(first_frame);
      }
      from += pushed.frames;
      if (pushed.frames > 0) continue;
      if (stop_.is_overdue()) {
        left_.add(packet.first_frame + static_cast<std::int64_t>(from),
                  static_cast<std::int64_t>(packet.frames - from));
        return;
      }
      // The outputs are slow; a page that stood still would not say so.
      if (monitor_) monitor_->attend();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  /// What is new with senders and receivers.
  void tell_troubles() {
    notices_.look(source_->stats(), is_running_ && !has_ended_);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      // What has failed has been told.
      if (!lines_[i]->has_failed()) notices_.look(i, lines_[i]->status().packets);
    }
  }

  void write_raw(const StreamHeader& header, const Packet& packet, std::size_t from) {
    if (!raw_) return;
    while (from < packet.frames) {
      const std::size_t frames = std::min(packet.frames - from, settings_.engine.block_frames);
      to_planes(header, packet, from, frames, raw_->planes());
      BasicBlock<const float> block;
      block.planes = raw_->planes();
      block.channels = header.channels;
      block.frames = frames;
      block.first_frame = packet.first_frame + static_cast<std::int64_t>(from);
      block.timestamp_ns = time_after(packet.timestamp_ns, static_cast<std::int64_t>(from),
                                      config_.stream.sample_rate_hz);
      block.flags = packet.flags & ServeMarks::kPassedOn;
      for (ServeLine* const line : raw_lines_) line->write(block);
      from += frames;
    }
  }

  ServeStatus status() const {
    ServeStatus status;
    status.input = input_;
    status.sample_rate_hz = config_.stream.sample_rate_hz;
    const Clock::time_point now = Clock::now();
    status.seconds = std::chrono::duration<double>(now - start_).count();
    status.stream = streams_;
    status.has_sender = has_sender_;
    status.silent_seconds = std::chrono::duration<double>(now - newest_packet_).count();
    status.input_names = channels_->names();
    status.unit = serve_.unit.empty() ? sender_unit_ : serve_.unit;
    status.newest_losses = losses_.newest();
    status.losses = losses_.count();
    status.out_of_range = out_of_range_;
    status.left = left_;
    status.packets = source_->stats();
    status.acquisition = stream_->stats();
    status.backend = stream_->engine().backend();
    status.delay_frames = stream_->delay_frames(0);
    status.latency = delivery_->latency().all();
    status.recent_latency = delivery_->latency().recent();
    status.bad_channels = channels_->bad();
    for (const auto& line : lines_) status.outputs.push_back(line->status());
    return status;
  }

  const ServeRunSettings& settings_;
  const RunConfig& config_;
  const ServeSettings& serve_;
  Clock::time_point start_ = Clock::now();
  std::unique_ptr<AcquisitionStream> stream_;
  ServeFileNames names_;
  std::vector<std::unique_ptr<ServeLine>> lines_;
  std::vector<ServeLine*> raw_lines_;  // written to here; the others by the delivery
  std::optional<PlanarBuffer<float>> raw_;
  std::unique_ptr<PacketSource> source_;
  std::string input_;  // where packets come from
  ServeLosses losses_;
  LossCount out_of_range_;
  LossCount left_;
  std::optional<ServeChannels> channels_;
  std::unique_ptr<ServeWatch> watch_;        // with a monitor
  std::unique_ptr<ServeDelivery> delivery_;  // its thread uses what is above

  std::uint64_t streams_ = 0;
  std::uint64_t stream_id_ = 0;
  bool is_running_ = false;
  bool has_ended_ = false;  // the sender said so
  ServeNotices notices_;
  ServeStop stop_;
  std::optional<std::int64_t> expected_frame_;
  bool has_sender_ = false;
  std::string sender_unit_;
  Clock::time_point newest_packet_ = start_;
  std::unique_ptr<ServeMonitor> monitor_;  // last, as it asks for all of this
};

}  // namespace

ServeReport run_serve(const ServeRunSettings& settings) {
  return ServeRun(settings).run();
}

}  // namespace firbank::program
