#include "demos/firbank/filter_report.hpp"

#include <fmt/format.h>

#include "demos/firbank/version.hpp"
#include "demos/firbank/wording.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

const char* name(Pace pace) {
  switch (pace) {
    case Pace::kAsLive:
      return "as-live";
    case Pace::kRealtime:
      return "realtime";
    case Pace::kOffline:
      break;
  }
  return "offline";
}

std::string block_line(const FilterReport& report) {
  const std::string block =
      fmt::format("{} ({}), latency {} ({})", counted(report.block_frames, "frame"),
                  duration(report.deadline_seconds()), counted(report.latency_frames, "frame"),
                  duration(static_cast<double>(report.latency_frames) / report.sample_rate_hz));
  return report.pace == Pace::kOffline ? block + ", chosen for speed (--as-live: as in a live run)"
                                       : block;
}

std::string worst_block_line(const FilterReport& report) {
  const std::string worst =
      fmt::format("{} for a block that lasts {}",
                  duration(static_cast<double>(report.pass.block_ns.max_ns()) * 1e-9),
                  duration(report.deadline_seconds()));
  if (report.pace == Pace::kOffline) return worst;
  if (report.pass.deadline_misses == 0) return worst + "; no deadline missed";
  return fmt::format("{}; {} missed, the first at {}", worst,
                     counted(static_cast<std::uint64_t>(report.pass.deadline_misses), "deadline"),
                     position(report.pass.first_missed_frame, report.sample_rate_hz));
}

std::string output_line(const FilterReport& report) {
  if (!report.has_output()) return "none";
  return fmt::format("{}: {}; {}, peak {}", output_name(report.output), report.output_encoding,
                     stream(report.channels_out, report.sample_rate_hz, report.pass.frames_out),
                     dbfs(report.peak));
}

}  // namespace

double FilterReport::stream_seconds() const {
  return static_cast<double>(pass.frames_in) / sample_rate_hz;
}

double FilterReport::times_realtime() const {
  return cpu_seconds > 0 ? stream_seconds() / cpu_seconds : 0.0;
}

std::size_t FilterReport::plan_bytes() const {
  return plan.memory_samples * (precision == "double" ? sizeof(double) : sizeof(float));
}

double FilterReport::deadline_seconds() const {
  return static_cast<double>(block_frames) / sample_rate_hz;
}

nlohmann::ordered_json to_json(const PartitionPlan& plan, const std::string& precision) {
  const std::size_t sample_bytes = precision == "double" ? sizeof(double) : sizeof(float);
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const LevelPlan& level : plan.levels) {
    levels.push_back({{"first_tap", level.first_tap},
                      {"partitions", level.partitions},
                      {"partition_taps", level.partition_taps},
                      {"block_frames", level.block_frames},
                      {"transform_frames", level.transform_frames}});
  }
  return {{"description", plan.describe()},
          {"kind", plan.kind == PlanKind::kDirect ? "direct" : "partitioned"},
          {"call_frames", plan.call_frames},
          {"levels", levels},
          {"max_taps", plan.max_taps},
          {"latency_frames", plan.latency_frames},
          {"swap_lead_frames", plan.swap_lead_frames()},
          {"ns_per_frame", plan.ns_per_frame},
          {"worst_over_mean", plan.worst_over_mean},
          {"flops_per_frame", plan.flops_per_frame},
          {"memory_bytes", plan.memory_samples * sample_bytes}};
}

nlohmann::ordered_json to_json(const FilterReport& report) {
  const DurationHistogram& block_ns = report.pass.block_ns;
  return {{"version", kVersion},
          {"input", report.input},
          {"input_encoding", report.input_encoding},
          {"output", report.output},
          {"output_encoding", report.output_encoding},
          {"filters", report.filter_files},
          {"filter_count", report.filter_count},
          {"longest_taps", report.longest_taps},
          {"shortest_taps", report.shortest_taps},
          {"routing", report.routing},
          {"mode", report.mode},
          {"precision", report.precision},
          {"pace", name(report.pace)},
          {"frames", report.pass.frames_out},
          {"frames_in", report.pass.frames_in},
          {"sample_rate_hz", report.sample_rate_hz},
          {"channels_in", report.channels_in},
          {"channels_out", report.channels_out},
          {"block_frames", report.block_frames},
          {"latency_frames", report.latency_frames},
          {"backend", report.backend},
          {"instruction_set", report.instruction_set},
          {"threads", report.threads},
          {"plan", to_json(report.plan, report.precision)},
          {"costs", to_json(report.costs)},
          {"gain_db", report.gain_db},
          {"start_up_seconds", report.start_up_seconds},
          {"stream_seconds", report.stream_seconds()},
          {"cpu_seconds", report.cpu_seconds},
          {"wall_seconds", report.wall_seconds},
          {"times_realtime", report.times_realtime()},
          {"block_ns",
           {{"mean", block_ns.mean_ns()},
            {"p50", block_ns.quantile_ns(0.5)},
            {"p99", block_ns.quantile_ns(0.99)},
            {"p99_9", block_ns.quantile_ns(0.999)},
            {"max", block_ns.max_ns()}}},
          {"deadline_ns", report.deadline_seconds() * 1e9},
          {"deadline_misses", report.pass.deadline_misses},
          {"first_missed_frame", report.pass.first_missed_frame},
          {"peak", report.peak},
          {"clipped_samples", report.clipped.samples},
          {"first_clipped_frame", report.clipped.first_frame},
          {"spoiled_frames", report.spoiled_frames},
          {"first_spoiled_frame", report.first_spoiled_frame},
          {"lost_frames", report.lost_frames},
          {"first_lost_frame", report.lost_frames > 0 ? report.first_lost_frame : -1},
          {"truncated_frames", report.truncated_frames},
          {"truncated_taps", report.truncated_taps},
          {"late_frames", report.late_frames},
          {"first_late_frame", report.late_frames > 0 ? report.first_late_frame : -1},
          {"backend_failure", report.failure},
          {"fail_over_frame", report.fail_over_frame},
          {"last_backend", report.last_backend},
          {"incomplete_frame_bytes", report.incomplete_frame_bytes},
          {"interrupted", report.pass.interrupted}};
}

std::string summary(const FilterReport& report) {
  std::string text;
  const auto add = [&text](std::string_view title, std::string_view line) {
    text += fmt::format("{:<8} {}\n", title, line);
  };
  add("input",
      fmt::format("{}: {}; {}", input_name(report.input), report.input_encoding,
                  stream(report.channels_in, report.sample_rate_hz, report.pass.frames_in)));
  add("filter",
      printable(fmt::format("{}: {}", fmt::join(report.filter_files, ", "), report.filters)));
  add("engine", fmt::format("{} ({}), {}, {}", report.backend, report.instruction_set,
                            report.precision, counted(report.threads, "thread")));
  add("plan", report.plan.describe());
  if (!report.hybrid) {
    add("memory", fmt::format("{} planned", bytes(static_cast<double>(report.plan_bytes()))));
  }
  add("block", block_line(report));
  add("speed", fmt::format("{:.{}f} times real time: {} of stream in {} of CPU time, {} by the "
                           "clock",
                           report.times_realtime(), report.times_realtime() < 100 ? 1 : 0,
                           duration(report.stream_seconds()), duration(report.cpu_seconds),
                           duration(report.wall_seconds)));
  add("worst", worst_block_line(report));
  if (report.gain_db != 0) add("gain", fmt::format("{:.2f} dB", report.gain_db));
  add("output", output_line(report));
  return text;
}

std::string fail_over(const FilterReport& report) {
  if (report.fail_over_frame < 0) return {};
  const bool is_whole =
      report.lost_frames == 0 && report.truncated_frames == 0 && report.late_frames == 0;
  return fmt::format("{} failed ({}): {} went on at {}{}", report.backend, report.failure,
                     report.last_backend, position(report.fail_over_frame, report.sample_rate_hz),
                     is_whole ? "; no sample is lost" : "");
}

std::string losses(const FilterReport& report, bool strict) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t count, const char* thing, const char* what,
                       std::int64_t first) {
    if (count == 0) return;
    parts.push_back(fmt::format("{} {}, the first at {}",
                                counted(static_cast<std::uint64_t>(count), thing), what,
                                position(first, report.sample_rate_hz)));
  };
  add(report.clipped.samples, "sample", "clipped to full scale", report.clipped.first_frame);
  add(report.spoiled_frames, "frame", "spoiled (not finite)", report.first_spoiled_frame);
  const std::string lost =
      fmt::format("{}, as {} failed ({})", report.hybrid ? "without the filters' tail" : "silent",
                  report.backend, report.failure);
  add(report.lost_frames, "frame", lost.c_str(), report.first_lost_frame);
  const std::string cut = fmt::format("of filters cut to {}, which {} can carry",
                                      counted(report.truncated_taps, "tap"), report.last_backend);
  add(report.truncated_frames, "frame", cut.c_str(), report.fail_over_frame);
  const std::string late = fmt::format("without the filters' tail, as {} was late", report.backend);
  add(report.late_frames, "frame", late.c_str(), report.first_late_frame);
  if (report.incomplete_frame_bytes > 0) {
    parts.push_back(incomplete_frame(report.incomplete_frame_bytes, report.pass.frames_in,
                                     report.sample_rate_hz));
  }
  if (strict) {
    add(report.pass.deadline_misses, "deadline", "missed", report.pass.first_missed_frame);
  }
  if (parts.empty()) return {};
  return fmt::format("{}: {}", output_name(report.output), fmt::join(parts, "; "));
}

}  // namespace firbank::program
