#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/synthetic.hpp"
#include "demos/firbank/text_file.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"

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
  BankOptions bank;
  SyntheticBank synthetic;
  EngineOptions engine;
  std::optional<std::size_t> channels;
  double rate_hz = 48'000;
  bool offline = false;
  std::string json;
};

int run(const Arguments& arguments) {
  arguments.bank.check();
  std::unique_ptr<TextFile> json;
  refuse_same_file(arguments.json, arguments.bank.files);
  if (!arguments.json.empty()) json = std::make_unique<TextFile>(arguments.json);
  const FilterBank bank = arguments.bank.files.empty()
                              ? arguments.synthetic.make(SyntheticBank::Lengths::kEqual, 1)
                              : arguments.bank.load(arguments.rate_hz, [](const std::string& line) {
                                  tell("firbank: note: {}\n", line);
                                });
  const std::size_t channels =
      arguments.channels.value_or(arguments.bank.natural_channels(bank.size()));
  const Routing routing = arguments.bank.connect(channels, bank.size());
  const EngineConfig config = arguments.engine.config(
      arguments.rate_hz, arguments.offline ? PlanGoal::kOffline : PlanGoal::kLive);
  const PartitionPlan plan = PartitionPlan::choose(config, bank, routing);

  if (json) {
    nlohmann::ordered_json report = to_json(plan);
    report["filters"] = bank.size();
    report["longest_taps"] = bank.longest();
    report["routing"] = arguments.bank.routing;
    report["channels_in"] = routing.inputs();
    report["channels_out"] = routing.outputs();
    report["connections"] = routing.edges().size();
    report["sample_rate_hz"] = arguments.rate_hz;
    report["flops_per_second"] = plan.flops_per_frame * arguments.rate_hz;
    json->finish(report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    if (arguments.json == "-") return kExitDone;
  }

  double direct_flops = 0;
  for (const Edge& edge : routing.edges()) {
    direct_flops += 2 * static_cast<double>(bank.taps(edge.filter).size());
  }
  fmt::print("{:<10} {}: {} in, {} out, {}\n", "filters",
             describe(bank, arguments.bank.routing, arguments.rate_hz),
             counted(routing.inputs(), "channel"), routing.outputs(),
             counted(routing.edges().size(), "connection"));
  fmt::print("{:<10} {}\n", "partitions", plan.describe());
  fmt::print("{:<10} {} a call ({}); {} and {} a call\n", "block",
             counted(plan.call_frames, "frame"),
             duration(static_cast<double>(plan.call_frames) / arguments.rate_hz),
             counted(plan.forward_transforms, "forward transform"),
             counted(plan.inverse_transforms, "inverse"));
  fmt::print("{:<10} {} ({})\n", "latency", counted(plan.latency_frames, "frame"),
             duration(static_cast<double>(plan.latency_frames) / arguments.rate_hz));
  fmt::print("{:<10} {} operations a frame (direct form: {}), {} a second at {} Hz; estimated\n",
             "cost", large(plan.flops_per_frame), large(direct_flops),
             large(plan.flops_per_frame * arguments.rate_hz), arguments.rate_hz);
  fmt::print("{:<10} {} in float, {} in double; estimated\n", "memory",
             bytes(static_cast<double>(plan.memory_bytes)),
             bytes(2 * static_cast<double>(plan.memory_bytes)));
  return kExitDone;
}

}  // namespace

void add_plan_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "plan", "Print how filters would be partitioned, what it costs, latency and memory");
  const auto arguments = std::make_shared<Arguments>();
  arguments->bank.add_to(*command, false);
  arguments->synthetic.add_to(*command);
  command
      ->add_option("--channels", arguments->channels,
                   "Input channels; unless given, as many as the filters fit")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command->add_option("--rate", arguments->rate_hz, "Sample rate of the stream (48000)")
      ->type_name("HZ")
      ->check(positive_number());
  arguments->engine.add_to(*command);
  command->add_flag("--offline", arguments->offline,
                    "Plan for a file, with blocks chosen for speed, instead of a live run");
  command->add_option("--json", arguments->json, "Write the plan as JSON; '-' is standard output")
      ->type_name("FILE");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
