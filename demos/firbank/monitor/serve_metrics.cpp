#include "demos/firbank/monitor/serve_metrics.hpp"

#include <fmt/format.h>

#include "demos/firbank/monitor/metrics_text.hpp"
#include "demos/firbank/version.hpp"

namespace firbank::program {
namespace {

void add_input(MetricsText& text, const ServeStatus& status) {
  const PacketStats& packets = status.packets;
  text.gauge("sample_rate_hertz", "Frames a second, by the configuration.", status.sample_rate_hz);
  text.gauge("input_rate_hertz", "Frames a second that come, over some seconds; 0 while unknown.",
             packets.rate_hz);
  text.gauge("input_declared_rate_hertz", "Frames a second that the newest sender declared.",
             packets.declared_rate_hz);
  text.gauge("input_up", "Whether there is a sender.", status.has_sender ? 1 : 0);
  text.gauge("input_silence_seconds", "Time since the newest packet.", status.silent_seconds);
  text.counter("input_streams_total", "Streams that began.", packets.streams);
  text.counter("input_packets_total", "Packets that came.", packets.packets);
  text.counter("input_frames_total", "Frames that came.", packets.frames);
  text.counter("input_gaps_total", "Gaps: how often frames never came.", packets.gaps.count);
  text.counter("input_gap_frames_total", "Frames that never came.", packets.gaps.frames);
  text.counter("input_missed_frames_total",
               "Of these, lost because this program was too slow for its sender.",
               packets.missed.frames);
  text.counter("input_backward_packets_total", "Packets that came again, or too late.",
               packets.backward.count);
  text.counter("input_truncated_packets_total", "Packets that began and never ended.",
               packets.truncated.count);
  text.counter("input_broken_senders_total", "Senders let go of for what they sent, or did not.",
               packets.broken);
  text.counter("input_refused_senders_total", "Senders turned away because there was one.",
               packets.refused);
}

void add_engine(MetricsText& text, const AcquisitionStats& done) {
  const Stats& engine = done.engine;
  text.counter("frames_total", "Frames filtered, those included that stand for lost ones.",
               engine.frames);
  text.counter("spoiled_frames_total", "Frames with a NaN in at least one output.",
               engine.spoiled_frames);
  text.counter("lost_frames_total", "Frames that are silent, as the backend failed.",
               engine.lost_frames);
  text.counter("late_frames_total", "Frames without the filters' tail, as a GPU answered too late.",
               engine.late_frames);
  text.counter("truncated_frames_total",
               "Frames by filters that were cut, as the CPU was too slow.",
               engine.truncated_frames);
  text.counter("events_total", "Events found.", done.events);
  text.counter("lost_events_total", "Events for which there was no room.", done.lost_events);
}

void add_latency(MetricsText& text, const ServeLatency::Reading& latency) {
  text.family("event_latency_seconds", "summary",
              "From the arrival of a packet to the delivery of its events.");
  const auto seconds = [](std::uint64_t ns) { return 1e-9 * static_cast<double>(ns); };
  text.sample(seconds(latency.median_ns), "quantile=\"0.5\"");
  text.sample(seconds(latency.p99_ns), "quantile=\"0.99\"");
  text.sample(seconds(latency.max_ns), "quantile=\"1\"");
  text.sample(1e-9 * latency.mean_ns * static_cast<double>(latency.events), {}, "_sum");
  text.sample(latency.events, {}, "_count");
}

/// One family with a sample for each output.
template <class Value>
void add_outputs(MetricsText& text, const ServeStatus& status, const char* name, const char* type,
                 const char* help, Value value_of) {
  text.family(name, type, help);
  for (std::size_t i = 0; i < status.outputs.size(); ++i) {
    const ServeLineStatus& line = status.outputs[i];
    text.sample(value_of(line), fmt::format("output=\"{}\",kind=\"{}\",to=\"{}\"", i + 1,
                                            name_of(line.kind), escaped(line.to)));
  }
}

}  // namespace

std::string serve_metrics(const ServeStatus& status) {
  MetricsText text;
  text.family("build_info", "gauge", "The program's version; the value is always 1.");
  text.sample(
      1, fmt::format("version=\"{}\",backend=\"{}\"", escaped(kVersion), escaped(status.backend)));
  text.counter("run_seconds_total", "Time since the run began.", status.seconds);
  add_input(text, status);
  add_engine(text, status.acquisition);
  add_latency(text, status.latency);
  text.gauge("bad_channels", "Input channels that are marked as bad.", status.bad_channels.size());
  using Line = ServeLineStatus;
  add_outputs(text, status, "output_frames_total", "counter", "Frames, or rows, that went out.",
              [](const Line& line) { return line.frames; });
  add_outputs(text, status, "output_up", "gauge", "0 for an output that has failed.",
              [](const Line& line) { return line.failure.empty() ? 1 : 0; });
  add_outputs(text, status, "output_dropped_frames_total", "counter",
              "Frames missing in recordings, or in what receivers got that were let go of.",
              [](const Line& line) {
                return line.is_file ? line.dropped_frames : line.packets.dropped.frames;
              });
  add_outputs(text, status, "output_receivers", "gauge", "Receivers of packets, now.",
              [](const Line& line) { return line.packets.receivers; });
  add_outputs(text, status, "output_dropped_receivers_total", "counter",
              "Receivers of packets that were let go of.",
              [](const Line& line) { return line.packets.dropped.count; });
  return text.take();
}

}  // namespace firbank::program
