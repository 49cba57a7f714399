#include "demos/firbank/plan_report.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/plan_alternatives.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/hybrid_split.hpp"
#include "engine/planner.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

/// "computed" of what a level has to do.
std::string when_computed(const LevelPlan& level, double rate_hz) {
  if (level.first_tap == 0) return "in each call";
  return fmt::format("spread over {}", duration(static_cast<double>(level.block_frames) / rate_hz));
}

/// Of filters that begin at tap `begin`.
void print_partitions(const char* title, const PartitionPlan& plan, double rate_hz,
                      std::size_t begin = 0) {
  if (plan.levels.size() < 2) {
    fmt::print("{:<10} {}\n", title, plan.describe());
    return;
  }
  fmt::print("{:<10} of {} sizes, longer ones for later taps:\n", title, plan.levels.size());
  fmt::print("{:<10} {:<18} {:<14} {:>13}   {}\n", "", "taps", "partitions", "transforms of",
             "computed");
  for (const LevelPlan& level : plan.levels) {
    const std::string taps = fmt::format("{} to {}", begin + level.first_tap,
                                         begin + std::min(level.end_tap(), plan.max_response) - 1);
    const std::string count = fmt::format("{} of {}", level.partitions, level.partition_taps);
    fmt::print("{:<10} {:<18} {:<14} {:>13}   {}\n", "", taps, count, level.transform_frames,
               when_computed(level, rate_hz));
  }
}

const char* name(GpuMode mode) {
  switch (mode) {
    case GpuMode::kHybrid:
      return "hybrid";
    case GpuMode::kThroughput:
      return "throughput";
    case GpuMode::kWhole:
      break;
  }
  return "whole";
}

/// Who computes what.
std::string mode_line(const PlanReport& report) {
  if (report.tail) {
    return fmt::format("hybrid: {} computes taps 0 to {} of every filter, {} the others",
                       report.backend, report.tail->first_tap - 1, report.tail->backend);
  }
  return fmt::format("{}: {} computes {}", name(report.gpu_mode), report.backend,
                     report.gpu_mode == GpuMode::kThroughput
                         ? "as many blocks as can be, samples coming and going meanwhile"
                         : "each block as soon as can be");
}

std::string swap_line(const PlanReport& report) {
  const double rate_hz = report.sample_rate_hz;
  if (report.tail) {
    return fmt::format("a new filter is heard {} after it comes, or later",
                       duration(static_cast<double>(report.tail->swap_ahead_frames) / rate_hz));
  }
  const std::size_t lead = report.plan.swap_lead_frames();
  if (lead == 0) return "a new filter may come at any time, and costs no more than the old one";
  return fmt::format("a new filter is worked out beside the old one in the {} before it is due",
                     duration(static_cast<double>(lead) / rate_hz));
}

double times_realtime_of(const PartitionPlan& plan, double rate_hz) {
  return 1e9 / (plan.ns_per_frame * rate_hz);
}

/// "869", "1.2", "0.016".
std::string ratio(double value) {
  return value < 10 ? fmt::format("{:.2g}", value) : fmt::format("{:.0f}", value);
}

/// The plan beside others, the cheapest first.
void print_comparison(const PartitionPlan& chosen, const std::vector<PartitionPlan>& others,
                      double rate_hz, std::size_t sample_bytes, bool prescribed) {
  if (others.empty()) return;
  std::vector<const PartitionPlan*> plans = {&chosen};
  for (const PartitionPlan& plan : others) plans.push_back(&plan);
  std::stable_sort(plans.begin(), plans.end(), [](const PartitionPlan* a, const PartitionPlan* b) {
    return a->ns_per_frame < b->ns_per_frame;
  });
  fmt::print("{:<10} {:<27} {:>10} {:>12} {:>13} {:>11}\n", "compared", "block sizes", "ns a frame",
             "x real time", "dearest call", "memory");
  for (const PartitionPlan* plan : plans) {
    const bool is_chosen = plan == &chosen;
    fmt::print("{:<10} {:<24} {:>10.2f} {:>12} {:>13.2f} {:>11}{}\n", "", block_sizes(*plan),
               plan->ns_per_frame, ratio(times_realtime_of(*plan, rate_hz)), plan->worst_over_mean,
               bytes(static_cast<double>(plan->memory_samples * sample_bytes)),
               !is_chosen   ? ""
               : prescribed ? "  as asked for"
                            : "  chosen");
  }
}

/// "1.2 MiB in float, 2.4 MiB in double".
std::string memory_of(const PartitionPlan& plan) {
  const double memory_bytes = static_cast<double>(plan.memory_samples) * sizeof(float);
  const std::string in_double =
      plan.compact_spectra ? "" : fmt::format(", {} in double", bytes(2 * memory_bytes));
  return fmt::format("{} in float{}", bytes(memory_bytes), in_double);
}

}  // namespace

double PlanReport::times_realtime() const {
  return times_realtime_of(plan, sample_rate_hz);
}

PlanReport make_plan_report(const EngineOptions& options, EngineConfig config,
                            const FilterBank& bank, const Routing& routing,
                            std::size_t alternatives_wanted,
                            const std::function<void(const std::string&)>& notice) {
  const std::shared_ptr<const Backend> backend = options.open_backend();
  PlanReport report;
  report.costs = options.chosen_costs(notice);
  config.costs = report.costs.model;
  check_gpu_mode(config, *backend);
  const std::size_t sample_bytes = options.precision == "double" ? sizeof(double) : sizeof(float);
  const EnginePart part = device_part(config, bank);
  report.plan = plan_of(part, routing, *backend, sample_bytes);
  report.others =
      alternatives(part.config, part.bank, routing, abilities_of(*backend, sample_bytes),
                   report.plan, alternatives_wanted);
  const std::uint64_t free_bytes = backend->free_memory_bytes();
  const std::uint64_t plan_bytes = std::uint64_t{report.plan.memory_samples} * sample_bytes;
  if (free_bytes != 0 && plan_bytes > free_bytes) {
    notice(fmt::format("{} has {} free, and the plan takes {}", backend->name(),
                       bytes(static_cast<double>(free_bytes)),
                       bytes(static_cast<double>(plan_bytes))));
  }
  // The pipeline's; what is computed of a file is brought into line with it.
  if (config.goal == PlanGoal::kOffline) report.plan.latency_frames = 0;
  report.prescribed = !config.partition_frames.empty();
  report.backend = backend->name();
  report.on_gpu = backend->can_be_lost();
  report.gpu_mode = config.gpu_mode;
  if (is_hybrid(config)) {
    report.tail =
        TailReport{.plan = std::move(report.plan),
                   .backend = std::move(report.backend),
                   .first_tap = head_taps(config),
                   .slack_frames = slack_blocks(config) * config.block_frames,
                   .swap_ahead_frames = head_taps(config) + kLateBlocks * config.block_frames};
    const EnginePart head = head_part(config, bank);
    const std::shared_ptr<const Backend> cpu = make_backend(head.config.backend);
    report.plan = plan_of(head, routing, *cpu, sample_bytes);
    report.backend = cpu->name();
  }
  report.precision = options.precision;
  report.sample_rate_hz = config.sample_rate_hz;
  report.filters = bank.size();
  report.longest_taps = bank.longest();
  report.channels_in = routing.inputs();
  report.channels_out = routing.outputs();
  report.connections = routing.edges().size();
  for (const Edge& edge : routing.edges()) {
    report.direct_flops +=
        2 *
        static_cast<double>(config.max_taps != 0 ? config.max_taps : bank.taps(edge.filter).size());
  }
  return report;
}

nlohmann::ordered_json to_json(const PlanReport& report) {
  const PartitionPlan& plan = report.plan;
  nlohmann::ordered_json json = to_json(plan, report.precision);
  if (!plan.compact_spectra) json["memory_bytes_double"] = plan.memory_samples * sizeof(double);
  json["filters"] = report.filters;
  json["longest_taps"] = report.longest_taps;
  json["channels_in"] = report.channels_in;
  json["channels_out"] = report.channels_out;
  json["connections"] = report.connections;
  json["sample_rate_hz"] = report.sample_rate_hz;
  json["flops_per_second"] = plan.flops_per_frame * report.sample_rate_hz;
  json["times_realtime"] = report.times_realtime();
  json["backend"] = report.backend;
  if (report.on_gpu) json["gpu_mode"] = name(report.gpu_mode);
  if (report.tail) {
    json["tail"] = to_json(report.tail->plan, report.precision);
    json["tail"]["backend"] = report.tail->backend;
    json["tail"]["first_tap"] = report.tail->first_tap;
    json["tail"]["slack_frames"] = report.tail->slack_frames;
    json["swap_ahead_frames"] = report.tail->swap_ahead_frames;
  }
  json["precision"] = report.precision;
  json["costs"] = to_json(report.costs);
  json["alternatives"] = nlohmann::ordered_json::array();
  for (const PartitionPlan& other : report.others) {
    nlohmann::ordered_json entry = to_json(other, report.precision);
    entry["times_realtime"] = times_realtime_of(other, report.sample_rate_hz);
    json["alternatives"].push_back(std::move(entry));
  }
  return json;
}

void print_plan(const PlanReport& report, const std::string& filters) {
  const PartitionPlan& plan = report.plan;
  const double rate_hz = report.sample_rate_hz;
  const auto lasting = [rate_hz](std::size_t frames) {
    return fmt::format("{} ({})", counted(frames, "frame"),
                       duration(static_cast<double>(frames) / rate_hz));
  };
  const auto row = [](const char* title, const std::string& text) {
    fmt::print("{:<10} {}\n", title, text);
  };
  row("filters", fmt::format("{}, {}", filters, counted(report.connections, "connection")));
  if (report.on_gpu) row("mode", mode_line(report));
  print_partitions(report.tail ? "head" : "partitions", plan, rate_hz);
  double flops = plan.flops_per_frame;
  if (report.tail) {
    print_partitions("tail", report.tail->plan, rate_hz, report.tail->first_tap);
    flops += report.tail->plan.flops_per_frame;
  }
  row("block", fmt::format("{} a call ({})", counted(plan.call_frames, "frame"),
                           duration(static_cast<double>(plan.call_frames) / rate_hz)));
  row("latency", lasting(plan.latency_frames));
  if (report.tail) {
    row("slack", fmt::format("a block's tail is due {} after its last frame",
                             lasting(report.tail->slack_frames)));
  }
  row("cost",
      fmt::format("{} operations a frame (direct form: {}), {} a second at {} Hz", large(flops),
                  large(report.direct_flops), large(flops * rate_hz), rate_hz));
  const bool is_devices = report.on_gpu && !report.tail;
  row("speed",
      fmt::format("{:.2f} ns a frame{}: {} times real time on {}; estimated", plan.ns_per_frame,
                  report.tail ? " of the head" : "", ratio(report.times_realtime()),
                  is_devices ? report.backend : "one core"));
  row("evenness",
      fmt::format("the dearest call costs {:.2f} times the mean; estimated", plan.worst_over_mean));
  if (report.tail) {
    row("memory", fmt::format("{} for {}", memory_of(plan), report.backend));
    row("",
        fmt::format("{} for {}; estimated", memory_of(report.tail->plan), report.tail->backend));
  } else {
    row("memory", memory_of(plan) + "; estimated");
  }
  row("swaps", swap_line(report));
  row("costs", report.costs.description);
  print_comparison(report.tail ? report.tail->plan : plan, report.others, rate_hz,
                   report.precision == "double" ? sizeof(double) : sizeof(float),
                   report.prescribed);
}

}  // namespace firbank::program
