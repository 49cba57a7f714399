#include "demos/firbank/monitor/live_metrics.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "demos/firbank/live_json.hpp"
#include "demos/firbank/monitor/metrics_text.hpp"
#include "demos/firbank/version.hpp"

namespace firbank::program {
namespace {

/// One family with a sample for each channel of both ways.
template <class Value>
void levels(MetricsText& text, const LiveSession& session, const char* name, const char* type,
            const char* help, Value value_of) {
  text.family(name, type, help);
  for (std::size_t c = 0; c < session.inputs(); ++c) {
    text.sample(value_of(session.input_level(c)),
                fmt::format("direction=\"input\",channel=\"{}\"", c + 1));
  }
  for (std::size_t c = 0; c < session.outputs(); ++c) {
    text.sample(value_of(session.output_level(c)),
                fmt::format("direction=\"output\",channel=\"{}\"", c + 1));
  }
}

/// Cumulative, as the format wants it, from the counts that reach up to each bound.
void load_histogram(MetricsText& text, const LiveSession& session) {
  constexpr std::array kBoundsPercent = {1,  2,  5,  10, 20,  30,  40, 50,
                                         60, 70, 80, 90, 100, 150, 200};
  const LoadMeter::Histogram counts = session.load().histogram();
  text.family("call_load_ratio", "histogram",
              "Time that a call of the device took over the time that its frames last.");
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  for (const int bound : kBoundsPercent) {
    for (; bucket < static_cast<std::size_t>(bound); ++bucket) below += counts[bucket];
    text.sample(below, fmt::format("le=\"{}\"", bound / 100.0), "_bucket");
  }
  for (; bucket < counts.size(); ++bucket) below += counts[bucket];
  text.sample(below, "le=\"+Inf\"", "_bucket");
  text.sample(session.load().reading().mean * static_cast<double>(below), {}, "_sum");
  text.sample(below, {}, "_count");
}

}  // namespace

std::string live_metrics(const LiveSession& session, const LiveFacts& facts) {
  const LiveStatus status = session.status();
  const double rate = session.sample_rate_hz();
  MetricsText text;
  text.family("build_info", "gauge", "The program's version; the value is always 1.");
  text.sample(1, fmt::format("version=\"{}\",backend=\"{}\"", escaped(kVersion),
                             escaped(session.engine_facts().backend)));
  text.family("filter_info", "gauge", "1 for the filter that is chosen, 0 for the others.");
  for (std::size_t i = 0; i < facts.filters.size(); ++i) {
    text.sample(i == facts.choice ? 1 : 0,
                fmt::format("number=\"{}\",filter=\"{}\"", i + 1, escaped(facts.filters[i])));
  }
  text.gauge("sample_rate_hertz", "Frames a second.", rate);
  text.gauge("latency_seconds", "What the filters add, the device's buffers aside.",
             static_cast<double>(session.latency_frames()) / rate);
  text.gauge("device_block_seconds", "What the newest block of the device lasts: the deadline.",
             static_cast<double>(facts.device_block_frames) / rate);
  text.gauge("device_up", "Whether the device is there.", facts.device_is_there ? 1 : 0);
  text.counter("run_seconds_total", "Time since the run began.", status.seconds);
  text.counter("frames_total", "Frames played.", status.frames);
  text.gauge("gain_decibels", "The master gain.", status.gain_db);
  text.gauge("bypass_enabled", "Whether the filters are bypassed.", status.bypass ? 1 : 0);
  text.gauge("limiter_enabled", "Whether the limiter is on.", status.limiter ? 1 : 0);
  text.counter("limited_frames_total", "Frames that the limiter changed.", status.limited_frames);
  text.gauge("recent_load_ratio", "The load over about the last 30 calls.", status.load.recent);
  text.gauge("longest_call_seconds", "The longest time that a call took.",
             1e-9 * static_cast<double>(status.load.largest_ns));
  text.counter("late_calls_total", "Calls that took longer than their frames last.",
               status.load.late_calls);
  load_histogram(text, session);
  text.counter("xruns_total", "Calls for which the device told of lost or missing samples.",
               status.xruns);
  text.family(
      "dropouts_total", "counter",
      "Drop-outs by the stage that took the time: xruns, and calls for which a GPU was late.");
  for (std::size_t i = 0; i < kLiveStages; ++i) {
    text.sample(status.dropouts[i],
                fmt::format("stage=\"{}\"", stage_name(static_cast<LiveStage>(i))));
  }
  text.counter("gaps_total", "Times that the device was away.", status.gaps);
  text.counter("gap_seconds_total", "How long it was away.", status.gap_seconds);
  text.counter("silenced_frames_total", "Frames silenced, as the output was not finite.",
               status.silenced_frames);
  text.counter("late_frames_total", "Frames that are silent, as a GPU answered too late.",
               status.late_frames);
  text.counter("refused_frames_total", "Input frames that a GPU had no room for.",
               status.refused_frames);
  text.counter("lost_frames_total", "Frames that are silent, as the backend failed.",
               status.engine.lost_frames);
  text.counter("swaps_total", "Filters that went live after the first ones.", status.engine.swaps);
  text.counter("engine_changes_total", "Engines that took the place of another.",
               status.engine_changes);
  levels(text, session, "peak_ratio", "gauge", "Peak, which falls by 20 dB a second.",
         [](const LevelReading& level) { return level.peak; });
  levels(text, session, "rms_ratio", "gauge", "Root of the mean square over about 0.3 s.",
         [](const LevelReading& level) { return level.rms; });
  levels(text, session, "clipped_samples_total", "counter",
         "Samples that were clipped, or will be.",
         [](const LevelReading& level) { return level.clips; });
  return text.take();
}

}  // namespace firbank::program
