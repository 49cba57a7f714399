// firbank doctor: what costs latency on this machine, and what to change.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/doctor/doctor_report.hpp"
#include "demos/firbank/doctor/examination.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/progress_bar.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank doctor
  firbank doctor --quick --json machine.json

Looks at what the system tells, and tries what can be tried without changing it: the same work with
a change and without, in turn. Nothing is changed on this machine: what to change, by which command,
and what that costs is told. The exit code is 0 whatever is found.)";

struct Arguments {
  bool quick = false;
  bool quiet = false;
  ReportOptions report;
};

int run(Arguments& arguments) {
  install_interrupt_handlers(2);
  arguments.report.open({});
  ExaminationPlan plan;
  plan.rules.stopped = [] { return interrupt_requested(); };
  // Twelve of them make a trial.
  if (arguments.quick) plan.rules.repeat_ns = 14'000'000;
  std::unique_ptr<ProgressBar> bar;
  plan.progress = [&](std::size_t done, std::size_t all) {
    const auto steps = static_cast<std::int64_t>(all);
    if (!bar) bar = std::make_unique<ProgressBar>(steps, "trying", !arguments.quiet);
    bar->update(static_cast<std::int64_t>(done));
  };
  const Examination examination = examine(plan);
  bar.reset();

  nlohmann::ordered_json report = begin_report("doctor");
  add_to_report(examination, plan, report);
  arguments.report.finish(report);
  if (!arguments.quiet && !arguments.report.takes_standard_output()) {
    fmt::print("{}", describe(examination));
  }
  return interrupt_requested() ? kExitInterrupted : kExitDone;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("doctor", "Find what costs latency on this machine, and what to change");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--quick", arguments->quick,
                    "No trial longer than 0.2 s; its figures are coarser");
  arguments->report.add_to(*command, "the readings");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no progress bar");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
