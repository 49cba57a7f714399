#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/setup_options.hpp"
#include "demos/firbank/verify_report.hpp"
#include "demos/firbank/version.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/planner.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  A small mixed bank, every backend of this machine:
    firbank verify
  What is to run tonight: eight channels, this response, blocks of 100 frames, two threads:
    firbank verify --filter hall.wav --channels 8 --block 100 --threads 2

Noise is filtered in calls whose sizes change at random, and compared with a direct
convolution in double precision: relative L2 error at most 1e-6 in float, 1e-13 in
double, 3.16e-5 (-90 dB) with int16 spectra, in the worst channel. Exit code 4 when a
backend fails.)";

struct Arguments {
  SetupOptions setup;
  std::optional<double> seconds;
  std::uint64_t seed = 1;
  JsonReport json;
  bool quiet = false;
};

/// Long enough for every partition to be met, unless the user says how long.
std::size_t frames_to_run(const Arguments& arguments, const FilterBank& bank) {
  if (arguments.seconds) {
    const double frames = std::ceil(*arguments.seconds * arguments.setup.sample_rate_hz);
    return std::max<std::size_t>(static_cast<std::size_t>(frames), 1);
  }
  return bank.longest() + std::max<std::size_t>(8'192, 8 * arguments.setup.engine.block_frames);
}

/// By which each case's plan is chosen. A file that is of no use is noted once.
std::vector<std::optional<CostModel>> costs_of(
    const std::vector<VerifyCase>& cases, const CostOptions& options,
    const std::function<void(const std::string&)>& notice) {
  std::map<std::pair<std::string, std::string>, std::optional<CostModel>> known;
  std::vector<std::optional<CostModel>> costs;
  for (const VerifyCase& one : cases) {
    const auto [entry, is_new] = known.try_emplace({one.backend, one.precision()});
    if (is_new) entry->second = options.choose(one.backend, one.precision(), notice).model;
    costs.push_back(entry->second);
  }
  return costs;
}

int run(Arguments& arguments) {
  const SetupOptions& options = arguments.setup;
  options.bank.check();
  arguments.json.open(options.bank.files);
  const bool printing = !arguments.quiet && !arguments.json.takes_standard_output();

  const auto notice = [&](const std::string& line) {
    if (!arguments.quiet) tell("firbank: note: {}\n", line);
  };
  const std::vector<VerifyCase> cases = verify_cases();
  const std::vector<std::optional<CostModel>> costs = costs_of(cases, options.engine.costs, notice);
  const Setup setup = options.load(arguments.seed, notice);
  const FilterBank& bank = setup.bank;
  const Routing& routing = setup.routing;
  EngineConfig config = options.engine.config(options.sample_rate_hz, PlanGoal::kLive);
  choose_plan(config, bank, routing);  // refuses what cannot be before the oracle takes its time
  const std::size_t frames = frames_to_run(arguments, bank);
  if (printing) {
    fmt::print("{}\n", describe(setup, options));
    fmt::print("{} of noise, calls of 1 to {}, {}, seed {}\n\n", counted(frames, "frame"),
               counted(2 * options.engine.block_frames, "frame"), counted(config.threads, "thread"),
               arguments.seed);
    std::fflush(stdout);
  }
  const Signal in = noise(routing.inputs(), frames, arguments.seed);
  const Signal expected = direct_convolution(in, bank, routing, frames + bank.longest() - 1);

  install_interrupt_handlers(1);  // not before: the oracle does not look for requests
  const std::vector<BackendInfo> backends = list_backends();
  const VerifyTable table(cases, backends);
  if (printing) fmt::print("{}\n", table.head());
  std::vector<VerifyOutcome> outcomes;
  for (std::size_t i = 0; i < cases.size() && !interrupt_requested(); ++i) {
    VerifyOutcome outcome{cases[i]};
    {
      config.costs = costs[i];
      ProgressBar progress(static_cast<std::int64_t>(frames), options.sample_rate_hz, printing);
      outcome.error =
          verify(cases[i], config, bank, routing, in, expected, arguments.seed + i,
                 [&](std::size_t done) { progress.update(static_cast<std::int64_t>(done)); });
    }
    if (interrupt_requested()) break;
    if (printing) {
      fmt::print("{}\n", table.line(outcome));
      std::fflush(stdout);
    }
    outcomes.push_back(outcome);
  }
  if (interrupt_requested()) {
    tell("firbank: stopped after {} of {} cases\n", outcomes.size(), cases.size());
    return kExitInterrupted;
  }
  if (printing) {
    for (const BackendInfo& backend : backends) {
      if (!backend.available) fmt::print("{}\n", table.line(backend));
    }
  }
  const VerifyVerdict result = verdict(outcomes, arguments.seed);
  arguments.json.finish({{"version", kVersion},
                         {"passed", result.exit_code == kExitDone},
                         {"seed", arguments.seed},
                         {"block_frames", options.engine.block_frames},
                         {"threads", config.threads},
                         {"cases", to_json(outcomes)}});
  if (!result.failures.empty()) tell("firbank: {}\n", result.failures);
  return result.exit_code;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "verify", "Prove every backend of this machine against the double-precision oracle");
  const auto arguments = std::make_shared<Arguments>();
  arguments->setup.synthetic = {.filters = 2, .taps = 5'000};  // seconds, on any machine
  arguments->setup.add_to(*command);
  command
      ->add_option("--seconds", arguments->seconds,
                   "Length of the stream; unless given, somewhat more than the longest filter")
      ->type_name("S")
      ->check(number(0, 86'400));
  command->add_option("--seed", arguments->seed, "Seed of the noise and of the call sizes (1)")
      ->type_name("N")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()));
  arguments->json.add_to(*command, "the result");
  command->add_flag("-q,--quiet", arguments->quiet, "Print nothing; the exit code tells");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
