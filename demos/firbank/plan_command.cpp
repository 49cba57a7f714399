#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/plan_alternatives.hpp"
#include "demos/firbank/setup_options.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/planner.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  What a hall response costs, live, in blocks of 128 frames:
    firbank plan --filter hall.wav --block 128
  64 channels, each through its own 48000 taps, without any file:
    firbank plan --channels 64 --filters 64 --taps 48000
  The same for a file to be filtered as fast as possible:
    firbank plan --channels 64 --filters 64 --taps 48000 --offline
  What partitions of two sizes would cost instead of those that are chosen:
    firbank plan --filter hall.wav --block 128 --partitions 128,4096)";

struct Arguments {
  SetupOptions setup;
  bool offline = false;
  std::size_t alternatives = 3;
  JsonReport json;
};

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

double times_realtime(const PartitionPlan& plan, double rate_hz) {
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
               plan->ns_per_frame, ratio(times_realtime(*plan, rate_hz)), plan->worst_over_mean,
               bytes(static_cast<double>(plan->memory_samples * sample_bytes)),
               !is_chosen   ? ""
               : prescribed ? "  as asked for"
                            : "  chosen");
  }
}

int run(Arguments& arguments) {
  const SetupOptions& options = arguments.setup;
  options.bank.check();
  arguments.json.open(options.bank.files);
  const auto notice = [](const std::string& line) { tell("firbank: note: {}\n", line); };
  const Setup setup = options.outline(notice);
  const FilterBank& bank = setup.bank;
  const Routing& routing = setup.routing;
  const double rate_hz = options.sample_rate_hz;
  const std::shared_ptr<const Backend> backend = options.engine.open_backend();
  const ChosenCosts costs = options.engine.chosen_costs(notice);
  EngineConfig config =
      options.outline_config(arguments.offline ? PlanGoal::kOffline : PlanGoal::kLive);
  config.costs = costs.model;
  const PlanAbilities abilities = abilities_of(*backend);
  const PartitionPlan plan = choose_plan(config, bank, routing, abilities);
  const std::vector<PartitionPlan> others =
      alternatives(config, bank, routing, abilities, plan, arguments.alternatives);
  const std::string& precision = options.engine.precision;

  nlohmann::ordered_json report = to_json(plan, precision);
  if (!plan.compact_spectra) report["memory_bytes_double"] = plan.memory_samples * sizeof(double);
  report["filters"] = bank.size();
  report["longest_taps"] = setup.size.longest_taps;
  report["routing"] = options.bank.routing;
  report["channels_in"] = routing.inputs();
  report["channels_out"] = routing.outputs();
  report["connections"] = routing.edges().size();
  report["sample_rate_hz"] = rate_hz;
  report["flops_per_second"] = plan.flops_per_frame * rate_hz;
  report["times_realtime"] = times_realtime(plan, rate_hz);
  report["backend"] = backend->name();
  report["precision"] = precision;
  report["costs"] = to_json(costs);
  report["alternatives"] = nlohmann::ordered_json::array();
  for (const PartitionPlan& other : others) {
    nlohmann::ordered_json entry = to_json(other, precision);
    entry["times_realtime"] = times_realtime(other, rate_hz);
    report["alternatives"].push_back(std::move(entry));
  }
  arguments.json.finish(report);
  if (arguments.json.takes_standard_output()) return kExitDone;

  double direct_flops = 0;
  for (const Edge& edge : routing.edges()) {
    direct_flops += 2 * static_cast<double>(config.max_taps != 0 ? config.max_taps
                                                                 : bank.taps(edge.filter).size());
  }
  fmt::print("{:<10} {}, {}\n", "filters", describe(setup, options),
             counted(routing.edges().size(), "connection"));
  print_partitions(plan, rate_hz);
  fmt::print("{:<10} {} a call ({})\n", "block", counted(plan.call_frames, "frame"),
             duration(static_cast<double>(plan.call_frames) / rate_hz));
  fmt::print("{:<10} {} ({})\n", "latency", counted(plan.latency_frames, "frame"),
             duration(static_cast<double>(plan.latency_frames) / rate_hz));
  fmt::print("{:<10} {} operations a frame (direct form: {}), {} a second at {} Hz\n", "cost",
             large(plan.flops_per_frame), large(direct_flops),
             large(plan.flops_per_frame * rate_hz), rate_hz);
  fmt::print("{:<10} {:.2f} ns a frame: {} times real time on one core; estimated\n", "speed",
             plan.ns_per_frame, ratio(times_realtime(plan, rate_hz)));
  fmt::print("{:<10} the dearest call costs {:.2f} times the mean; estimated\n", "evenness",
             plan.worst_over_mean);
  const double memory_bytes = static_cast<double>(plan.memory_samples) * sizeof(float);
  const std::string in_double =
      plan.compact_spectra ? "" : fmt::format(", {} in double", bytes(2 * memory_bytes));
  fmt::print("{:<10} {} in float{}; estimated\n", "memory", bytes(memory_bytes), in_double);
  fmt::print("{:<10} {}\n", "swaps", swap_line(plan, rate_hz));
  fmt::print("{:<10} {}\n", "costs", costs.description);
  print_comparison(plan, others, rate_hz, precision == "double" ? sizeof(double) : sizeof(float),
                   !config.partition_frames.empty());
  return kExitDone;
}

}  // namespace

void add_plan_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "plan", "Print how filters would be partitioned, what it costs, latency and memory");
  const auto arguments = std::make_shared<Arguments>();
  arguments->setup.add_to(*command);
  arguments->setup.engine.add_arithmetic_to(*command);
  arguments->setup.engine.add_spectra_to(*command);
  arguments->setup.engine.add_depth_to(*command);
  arguments->setup.engine.add_memory_limit_to(*command);
  command->add_flag("--offline", arguments->offline,
                    "Plan for a file, with blocks chosen for speed, instead of a live run");
  command
      ->add_option("--alternatives", arguments->alternatives,
                   "Other plans to compare with: the cheapest of each number of\n"
                   "block sizes (3), 0 to 5")
      ->type_name("N")
      ->check(whole_number(0, 5));
  arguments->json.add_to(*command, "the plan");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
