#include "demos/firbank/live_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/live_json.hpp"
#include "demos/firbank/version.hpp"
#include "demos/firbank/wording.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

double highest(const std::vector<LevelReading>& levels) {
  float peak = 0;
  for (const LevelReading& level : levels) peak = std::max(peak, level.highest);
  return static_cast<double>(peak);
}

std::int64_t clips(const std::vector<LevelReading>& levels) {
  std::int64_t sum = 0;
  for (const LevelReading& level : levels) sum += level.clips;
  return sum;
}

nlohmann::ordered_json to_json(const std::vector<LevelReading>& levels) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const LevelReading& level : levels) {
    list.push_back({{"rms", level.rms}, {"peak", level.highest}, {"clips", level.clips}});
  }
  return list;
}

}  // namespace

std::string latency(const LiveReport& report) {
  const auto time = [&](std::size_t frames) {
    return duration(static_cast<double>(frames) / report.sample_rate_hz);
  };
  std::string text = report.latency_frames == 0
                         ? "none in the filters"
                         : fmt::format("{} frames ({}) in the filters", report.latency_frames,
                                       time(report.latency_frames));
  text += fmt::format(", blocks of {} frames ({})", report.device_block_frames,
                      time(report.device_block_frames));
  const double in = report.device_input_latency_seconds;
  const double out = report.device_output_latency_seconds;
  if (is_likely_latency(in) && is_likely_latency(out)) {
    text += fmt::format("; the device tells of {} in, {} out", duration(in), duration(out));
  }
  return text;
}

std::string xrun_stages(const LiveStatus& status) {
  const auto count = [&](LiveStage stage) {
    return status.dropouts[static_cast<std::size_t>(stage)];
  };
  std::vector<std::string> parts;
  const auto add = [&](LiveStage stage, const char* what) {
    if (count(stage) > 0) parts.push_back(fmt::format("{} {}", count(stage), what));
  };
  add(LiveStage::kWait, "as the call came late");
  add(LiveStage::kCompute, "as the filters took too long");
  add(LiveStage::kCard, "in the device itself");
  return parts.empty() ? std::string() : fmt::format(" ({})", fmt::join(parts, ", "));
}

std::string summary(const LiveReport& report) {
  const LoadMeter::Reading& load = report.status.load;
  std::string text = fmt::format(
      "{} of {} at {} Hz: load {:.0f} % (99 % of calls below {:.0f} %, largest {:.0f} %), {}",
      duration(static_cast<double>(report.status.frames) / report.sample_rate_hz),
      counted(report.channels_out, "channel"), report.sample_rate_hz, 100 * load.mean,
      100 * load.p99, 100 * load.largest, counted(report.status.xruns, "xrun"));
  if (report.status.gaps > 0) {
    text += fmt::format(", {} of {} in all", counted(report.status.gaps, "gap"),
                        duration(report.status.gap_seconds));
  }
  text += fmt::format(", output peak {}", dbfs(highest(report.outputs)));
  if (report.status.limiter_times > 0) {
    text +=
        fmt::format(", limited {}, by up to {:.1f} dB",
                    counted(report.status.limiter_times, "time"), report.status.limiter_most_db);
  }
  return text;
}

std::string losses(const LiveReport& report) {
  const LiveStatus& status = report.status;
  std::vector<std::string> parts;
  const auto add = [&](auto count, const char* thing, const std::string& what) {
    if (count == 0) return;
    parts.push_back(counted(static_cast<std::uint64_t>(count), thing) + what);
  };
  if (status.xruns > 0) {
    const auto first =
        std::find_if(report.events.begin(), report.events.end(), [](const LiveEvent& event) {
          return event.kind != LiveEventKind::kLateCall &&
                 event.kind != LiveEventKind::kLateAnswer && event.kind != LiveEventKind::kGap;
        });
    std::string where = xrun_stages(status);
    if (first != report.events.end()) {
      where +=
          fmt::format(", the first listed at {}", position(first->frame, report.sample_rate_hz));
    }
    add(status.xruns, "xrun", where);
  }
  add(status.gaps, "gap", fmt::format(" of {} in all", duration(status.gap_seconds)));
  add(status.late_frames, "frame", " silent, as the GPU answered too late");
  add(status.refused_frames, "input frame", " that the GPU had no room for");
  add(status.engine.lost_frames, "frame", " silent, as the backend failed");
  add(status.silenced_frames, "frame", " silenced, as the output was not finite");
  add(clips(report.outputs), "output sample", " beyond full scale");
  add(report.record_dropped_frames, "frame",
      fmt::format(" missing from {}, the first at {}", output_name(report.record),
                  position(report.first_record_dropped_frame, report.sample_rate_hz)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

nlohmann::ordered_json to_json(const LiveReport& report) {
  const LiveStatus& status = report.status;
  return {{"version", kVersion},
          {"input_device", report.input_device},
          {"output_device", report.output_device},
          {"filters", report.filters},
          {"sample_rate_hz", report.sample_rate_hz},
          {"channels_in", report.channels_in},
          {"channels_out", report.channels_out},
          {"backend", report.backend},
          {"plan", report.plan},
          {"latency_frames", report.latency_frames},
          {"device_block_frames", report.device_block_frames},
          {"device_input_latency_seconds", report.device_input_latency_seconds},
          {"device_output_latency_seconds", report.device_output_latency_seconds},
          {"wall_seconds", report.seconds},
          {"frames", status.frames},
          {"gain_db", status.gain_db},
          {"bypass", status.bypass},
          {"limiter", status.limiter},
          {"limited_frames", status.limited_frames},
          {"limiter_times", status.limiter_times},
          {"limiter_most_db", status.limiter_most_db},
          {"silenced_frames", status.silenced_frames},
          {"late_frames", status.late_frames},
          {"refused_frames", status.refused_frames},
          {"xruns", status.xruns},
          {"dropouts", dropouts_json(status)},
          {"gaps", status.gaps},
          {"gap_seconds", status.gap_seconds},
          {"swaps", status.engine.swaps},
          {"engine_changes", status.engine_changes},
          {"lost_frames", status.engine.lost_frames},
          {"load", to_json(status.load)},
          {"inputs", to_json(report.inputs)},
          {"outputs", to_json(report.outputs)},
          {"events", to_json(report.events)},
          {"record", report.record},
          {"record_dropped_frames", report.record_dropped_frames},
          {"interrupted", report.interrupted}};
}

}  // namespace firbank::program
