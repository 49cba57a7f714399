#include "demos/firbank/plan_report.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/plan_alternatives.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/planner.hpp"

namespace firbank::program {
namespace {

/// "computed" of what a level has to do.
std::string when_computed(const LevelPlan& level, double rate_hz) {
  if (level.first_tap == 0) return "in each call";
  return fmt::format("spread over {}", duration(static_cast<double>(level.block_frames) / rate_hz));
}

void print_partitions(const PartitionPlan& plan, double rate_hz) {
  if (plan.levels.size() < 2) {
    fmt::print("{:<10} {}\n", "partitions", plan.describe());
    return;
  }
  fmt::print("{:<10} of {} sizes, longer ones for later taps:\n", "partitions", plan.levels.size());
  fmt::print("{:<10} {:<18} {:<14} {:>13}   {}\n", "", "taps", "partitions", "transforms of",
             "computed");
  for (const LevelPlan& level : plan.levels) {
    const std::string taps =
        fmt::format("{} to {}", level.first_tap, std::min(level.end_tap(), plan.max_response) - 1);
    const std::string count = fmt::format("{} of {}", level.partitions, level.partition_taps);
    fmt::print("{:<10} {:<18} {:<14} {:>13}   {}\n", "", taps, count, level.transform_frames,
               when_computed(level, rate_hz));
  }
}

std::string swap_line(const PartitionPlan& plan, double rate_hz) {
  const std::size_t lead = plan.swap_lead_frames();
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
  const PlanAbilities abilities =
      abilities_of(*backend, options.precision == "double" ? sizeof(double) : sizeof(float));
  report.plan = choose_plan(config, bank, routing, abilities);
  report.others = alternatives(config, bank, routing, abilities, report.plan, alternatives_wanted);
  report.prescribed = !config.partition_frames.empty();
  report.backend = backend->name();
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
  fmt::print("{:<10} {}, {}\n", "filters", filters, counted(report.connections, "connection"));
  print_partitions(plan, rate_hz);
  fmt::print("{:<10} {} a call ({})\n", "block", counted(plan.call_frames, "frame"),
             duration(static_cast<double>(plan.call_frames) / rate_hz));
  fmt::print("{:<10} {} ({})\n", "latency", counted(plan.latency_frames, "frame"),
             duration(static_cast<double>(plan.latency_frames) / rate_hz));
  fmt::print("{:<10} {} operations a frame (direct form: {}), {} a second at {} Hz\n", "cost",
             large(plan.flops_per_frame), large(report.direct_flops),
             large(plan.flops_per_frame * rate_hz), rate_hz);
  fmt::print("{:<10} {:.2f} ns a frame: {} times real time on one core; estimated\n", "speed",
             plan.ns_per_frame, ratio(report.times_realtime()));
  fmt::print("{:<10} the dearest call costs {:.2f} times the mean; estimated\n", "evenness",
             plan.worst_over_mean);
  const double memory_bytes = static_cast<double>(plan.memory_samples) * sizeof(float);
  const std::string in_double =
      plan.compact_spectra ? "" : fmt::format(", {} in double", bytes(2 * memory_bytes));
  fmt::print("{:<10} {} in float{}; estimated\n", "memory", bytes(memory_bytes), in_double);
  fmt::print("{:<10} {}\n", "swaps", swap_line(plan, rate_hz));
  fmt::print("{:<10} {}\n", "costs", report.costs.description);
  print_comparison(plan, report.others, rate_hz,
                   report.precision == "double" ? sizeof(double) : sizeof(float),
                   report.prescribed);
}

}  // namespace firbank::program
