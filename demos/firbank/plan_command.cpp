#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/json_report.hpp"
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
    firbank plan --channels 64 --filters 64 --taps 48000 --offline)";

struct Arguments {
  SetupOptions setup;
  bool offline = false;
  JsonReport json;
};

/// What each level does and why its answer is in time.
void print_levels(const PartitionPlan& plan, double rate_hz) {
  if (plan.levels.size() < 2) return;
  for (const LevelPlan& level : plan.levels) {
    fmt::print("{:<10} taps {} to {}: {} of {}, transforms of {}, ", "", level.first_tap,
               std::min(level.end_tap(), plan.max_response) - 1,
               counted(level.partitions, "partition"), level.partition_taps(),
               level.transform_frames);
    if (level.first_tap == 0) {
      fmt::print("in each call\n");
    } else {
      fmt::print("spread over {}\n", duration(static_cast<double>(level.block_frames) / rate_hz));
    }
  }
}

int run(Arguments& arguments) {
  const SetupOptions& options = arguments.setup;
  options.bank.check();
  arguments.json.open(options.bank.files);
  const Setup setup =
      options.outline([](const std::string& line) { tell("firbank: note: {}\n", line); });
  const FilterBank& bank = setup.bank;
  const Routing& routing = setup.routing;
  const double rate_hz = options.sample_rate_hz;
  const EngineConfig config =
      options.outline_config(arguments.offline ? PlanGoal::kOffline : PlanGoal::kLive);
  const PartitionPlan plan = choose_plan(config, bank, routing);
  const double memory_bytes = static_cast<double>(plan.memory_samples) * sizeof(float);

  nlohmann::ordered_json report = to_json(plan, "float");
  report["memory_bytes_double"] = plan.memory_samples * sizeof(double);
  report["filters"] = bank.size();
  report["longest_taps"] = setup.size.longest_taps;
  report["routing"] = options.bank.routing;
  report["channels_in"] = routing.inputs();
  report["channels_out"] = routing.outputs();
  report["connections"] = routing.edges().size();
  report["sample_rate_hz"] = rate_hz;
  report["flops_per_second"] = plan.flops_per_frame * rate_hz;
  arguments.json.finish(report);
  if (arguments.json.takes_standard_output()) return kExitDone;

  double direct_flops = 0;
  for (const Edge& edge : routing.edges()) {
    direct_flops += 2 * static_cast<double>(config.max_taps != 0 ? config.max_taps
                                                                 : bank.taps(edge.filter).size());
  }
  fmt::print("{:<10} {}, {}\n", "filters", describe(setup, options),
             counted(routing.edges().size(), "connection"));
  fmt::print("{:<10} {}\n", "partitions", plan.describe());
  print_levels(plan, rate_hz);
  fmt::print("{:<10} {} a call ({})\n", "block", counted(plan.call_frames, "frame"),
             duration(static_cast<double>(plan.call_frames) / rate_hz));
  fmt::print("{:<10} {} ({})\n", "latency", counted(plan.latency_frames, "frame"),
             duration(static_cast<double>(plan.latency_frames) / rate_hz));
  fmt::print("{:<10} {} operations a frame (direct form: {}), {} a second at {} Hz; estimated\n",
             "cost", large(plan.flops_per_frame), large(direct_flops),
             large(plan.flops_per_frame * rate_hz), rate_hz);
  fmt::print(
      "{:<10} {:.2f} ns a frame: {:.0f} times real time on one core, dearest call {:.2f} "
      "times the mean; estimated\n",
      "speed", plan.ns_per_frame, 1e9 / (plan.ns_per_frame * rate_hz), plan.worst_over_mean);
  fmt::print("{:<10} {} in float, {} in double; estimated\n", "memory", bytes(memory_bytes),
             bytes(2 * memory_bytes));
  return kExitDone;
}

}  // namespace

void add_plan_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "plan", "Print how filters would be partitioned, what it costs, latency and memory");
  const auto arguments = std::make_shared<Arguments>();
  arguments->setup.add_to(*command);
  command->add_flag("--offline", arguments->offline,
                    "Plan for a file, with blocks chosen for speed, instead of a live run");
  arguments->json.add_to(*command, "the plan");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
