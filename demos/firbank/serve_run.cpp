#include "demos/firbank/serve_run.hpp"

#include <algorithm>
#include <atomic>
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
#include "demos/firbank/serve_arrivals.hpp"
#include "demos/firbank/serve_marks.hpp"
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
// Behind a longer gap the engine begins anew, and recordings do in files of their own.
constexpr std::int64_t kMostSilence = EngineConfig().max_fill_frames;
const std::vector<std::string> kEventColumns = {"frame", "crossing", "channel", "value"};

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
    source_ = open_packet_source(serve_, expected, report_.input);
  }
  ~ServeRun() {
    give_up_ = true;
    if (deliverer_.joinable()) deliverer_.join();
  }
  ServeRun(const ServeRun&) = delete;
  ServeRun& operator=(const ServeRun&) = delete;

  ServeReport run() {
    const Clock::time_point start = Clock::now();
    if (!settings_.quiet) tell("firbank: {}\n", readiness());
    for (bool done = false; !done && !interrupt_requested();) {
      switch (source_->read(kTick)) {
        case PacketEvent::kNothing:
          break;
        case PacketEvent::kStarted:
          start_stream(source_->header());
          break;
        case PacketEvent::kPacket:
          take(source_->header(), source_->packet());
          break;
        case PacketEvent::kStopped:
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
    }
    end_stream();
    for (const auto& line : lines_) line->finish();
    tell_troubles();
    finish_report();
    report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(report_);
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
        format.channels = kEventColumns.size();
        format.channel_names = kEventColumns;
        format.packet_frames = kEventRows;
        format.is_table = true;
        format.unit.clear();
      }
      lines_.push_back(std::make_unique<ServeLine>(output, format, names_, settings_.notice));
      if (output.kind == ServedKind::kRaw) raw_lines_.push_back(lines_.back().get());
      if (output.kind == ServedKind::kFiltered) filtered_lines_.push_back(lines_.back().get());
      if (output.kind == ServedKind::kEvents) event_lines_.push_back(lines_.back().get());
    }
    if (!raw_lines_.empty()) {
      raw_.emplace(stream_->inputs(), settings_.engine.block_frames);
    }
  }

  std::string readiness() const {
    std::string to;
    for (const auto& line : lines_) to += (to.empty() ? "" : ", ") + line->name();
    return fmt::format("ready: {}, {} at {} Hz, {}; to {}", report_.input,
                       counted(stream_->inputs(), "channel"), config_.stream.sample_rate_hz,
                       stream_->engine().backend(), to);
  }

  bool all_outputs_failed() const {
    for (const auto& line : lines_) {
      if (!line->has_failed()) return false;
    }
    return true;
  }

  void start_stream(const StreamHeader& header) {
    stream_->set_largest_in_reference(largest_in_reference(serve_, header));
    const bool goes_on = is_running_ && header.stream_id != 0 && header.stream_id == stream_id_;
    stream_id_ = header.stream_id;
    has_ended_ = false;
    if (goes_on) return;
    end_stream();
    begin_stream(header);
  }

  void begin_stream(const StreamHeader& header) {
    if (streams_++ > 0) stream_->restart();
    arrivals_.clear();
    marks_.clear();
    expected_frame_.reset();
    for (const auto& line : lines_) line->begin_stream(header);
    const SignalsForMainThread guard;
    is_running_ = true;
    is_delivered_ = give_up_ = false;
    deliverer_ = std::thread([this] {
      deliver();
      is_delivered_ = true;
    });
  }

  /// Waits until all that came has gone out, or until too much time has passed since the stop.
  void end_stream() {
    if (!is_running_) return;
    while (!stream_->flush() && !stop_.is_overdue()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    while (!is_delivered_ && !stop_.is_overdue()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    give_up_ = true;
    deliverer_.join();
    for (const auto& line : lines_) line->end_stream();
    is_running_ = false;
  }

  void take(const StreamHeader& header, const Packet& packet) {
    has_ended_ = has_ended_ || has(packet.flags, BlockFlags::kEndOfStream);
    if (packet.gap_before > 0) note_loss(packet);
    if (packet.frames == 0) return;
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
    if (packet.gap_before > kMostSilence) begin_files(raw_lines_);
    if (serve_.events) arrivals_.add(*expected_frame_);
    marks_.add(packet.first_frame, *expected_frame_, packet.flags);
    write_raw(header, packet, from);
    while (from < packet.frames) {
      const PushResult pushed = stream_->push(header, packet, from);
      if (!pushed) {  // beyond the last frame that there can be
        const std::int64_t first_frame = packet.first_frame + static_cast<std::int64_t>(from);
        report_.out_of_range.add(first_frame, static_cast<std::int64_t>(packet.frames - from));
        return notices_.out_of_range(first_frame);
      }
      from += pushed.frames;
      if (pushed.frames > 0) continue;
      if (stop_.is_overdue()) {
        report_.left.add(packet.first_frame + static_cast<std::int64_t>(from),
                         static_cast<std::int64_t>(packet.frames - from));
        return;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  static void begin_files(const std::vector<ServeLine*>& lines) {
    for (ServeLine* const line : lines) line->begin_file();
  }

  /// What is new with senders and receivers.
  void tell_troubles() {
    notices_.look(source_->stats(), is_running_ && !has_ended_);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      // What has failed has been told.
      if (!lines_[i]->has_failed()) notices_.look(i, lines_[i]->sink_stats());
    }
  }

  void note_loss(const Packet& packet) {
    notices_.lost(packet);
    if (report_.losses.size() == ServeReport::kMostLosses) {
      ++report_.unlisted_losses;
      return;
    }
    report_.losses.push_back({streams_, packet.first_frame - packet.gap_before, packet.gap_before});
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

  /// What comes out goes to its outputs, until the stream's end; in a thread of its own.
  void deliver() {
    AcquiredBlock block;
    while (!give_up_) {
      if (!stream_->read(block)) {
        stream_->wait(kTick);
        continue;
      }
      if (block.filtered.gap_before > kMostSilence) begin_files(filtered_lines_);
      const std::int64_t first_frame = block.filtered.first_frame;
      block.samples.flags |=
          marks_.of(first_frame, first_frame + static_cast<std::int64_t>(block.filtered.frames));
      for (ServeLine* const line : filtered_lines_) line->write(block.samples);
      if (serve_.events) deliver_events(block);
      if (has(block.filtered.flags, BlockFlags::kEndOfStream)) return;
    }
  }

  void deliver_events(const AcquiredBlock& block) {
    const Clock::time_point came =
        arrivals_.of(block.filtered.first_frame + static_cast<std::int64_t>(block.filtered.frames));
    const std::size_t rows = block.events.size();
    if (rows == 0) return;
    columns_.assign(kEventColumns.size(), std::vector<double>(rows));
    for (std::size_t i = 0; i < rows; ++i) {
      const Event& event = block.events[i];
      columns_[0][i] = static_cast<double>(event.frame);
      columns_[1][i] = static_cast<double>(event.crossing);
      columns_[2][i] = event.channel;
      columns_[3][i] = static_cast<double>(event.value);
    }
    std::vector<const double*> planes;
    for (const auto& column : columns_) planes.push_back(column.data());
    BasicBlock<const double> table;
    table.planes = planes.data();
    table.channels = planes.size();
    table.frames = rows;
    table.first_frame = events_before_;
    table.timestamp_ns = block.filtered.timestamp_ns;
    for (ServeLine* const line : event_lines_) line->write(table);
    events_before_ += static_cast<std::int64_t>(rows);
    if (block.filtered.frames == 0) return;  // the end: nothing came with these
    const auto ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - came).count();
    for (std::size_t i = 0; i < rows; ++i) {
      report_.latency_ns.record(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 1)));
    }
  }

  void finish_report() {
    report_.sample_rate_hz = config_.stream.sample_rate_hz;
    report_.packets = source_->stats();
    report_.acquisition = stream_->stats();
    report_.backend = stream_->engine().backend();
    report_.delay_frames = stream_->delay_frames(0);
    for (const auto& line : lines_) {
      report_.outputs.push_back(line->json());
      report_.has_output_failure = report_.has_output_failure || line->has_failed();
      report_.dropped_frames += line->dropped_frames();
      report_.dropped_receivers += line->sink_stats().dropped.count;
    }
    report_.interrupted = interrupt_requested();
  }

  const ServeRunSettings& settings_;
  const RunConfig& config_;
  const ServeSettings& serve_;
  std::unique_ptr<AcquisitionStream> stream_;
  ServeFileNames names_;
  std::vector<std::unique_ptr<ServeLine>> lines_;
  std::vector<ServeLine*> raw_lines_;  // written to by this thread; the others by the deliverer
  std::vector<ServeLine*> filtered_lines_;
  std::vector<ServeLine*> event_lines_;
  std::optional<PlanarBuffer<float>> raw_;
  std::unique_ptr<PacketSource> source_;
  ServeArrivals arrivals_;
  ServeMarks marks_;
  ServeReport report_;

  std::uint64_t streams_ = 0;
  std::uint64_t stream_id_ = 0;
  bool is_running_ = false;
  bool has_ended_ = false;  // the sender said so
  ServeNotices notices_;
  std::optional<std::int64_t> expected_frame_;

  ServeStop stop_;
  std::thread deliverer_;
  std::atomic<bool> give_up_{false};
  std::atomic<bool> is_delivered_{false};     // the stream, to its end
  std::vector<std::vector<double>> columns_;  // the deliverer's
  std::int64_t events_before_ = 0;
};

}  // namespace

ServeReport run_serve(const ServeRunSettings& settings) {
  return ServeRun(settings).run();
}

}  // namespace firbank::program
