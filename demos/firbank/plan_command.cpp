#include <memory>
#include <string>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/plan_report.hpp"
#include "demos/firbank/setup_options.hpp"

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
    firbank plan --filter hall.wav --block 128 --partitions 128,4096
  What a CPU and a GPU would have to do where the GPU has the filters' tails:
    firbank plan --filter hall.wav --block 128 --backend cuda --gpu-mode hybrid)";

struct Arguments {
  SetupOptions setup;
  bool offline = false;
  std::size_t alternatives = 3;
  JsonReport json;
};

int run(Arguments& arguments) {
  const SetupOptions& options = arguments.setup;
  options.bank.check();
  arguments.json.open(options.bank.files);
  const auto notice = [](const std::string& line) { tell("firbank: note: {}\n", line); };
  const Setup setup = options.outline(notice);
  const EngineConfig config =
      options.outline_config(arguments.offline ? PlanGoal::kOffline : PlanGoal::kLive);
  const PlanReport report = make_plan_report(options.engine, config, setup.bank, setup.routing,
                                             arguments.alternatives, notice);

  nlohmann::ordered_json json = to_json(report);
  json["longest_taps"] = setup.size.longest_taps;
  json["routing"] = options.bank.routing;
  arguments.json.finish(json);
  if (arguments.json.takes_standard_output()) return kExitDone;
  print_plan(report, describe(setup, options));
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
  arguments->setup.engine.add_gpu_mode_to(*command);
  command->get_option("--gpu-mode")
      ->description(
          "What a GPU computes: whole (default): each block as soon as can be;\n"
          "throughput (default with --offline): as many as can be, samples\n"
          "coming and going meanwhile; or hybrid: the tails of the filters,\n"
          "whose heads are planned for the CPU; not with --offline");
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
