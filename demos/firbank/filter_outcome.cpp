#include "demos/firbank/filter_outcome.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

std::string interruption(const FilterReport& report) {
  if (!report.has_output()) return "stopped before the first frame; no output is left";
  return fmt::format("stopped; {} ends after {} and is kept", output_name(report.output),
                     counted(static_cast<std::uint64_t>(report.pass.frames_out), "frame"));
}

}  // namespace

int run_and_tell(const FilterSettings& settings, JsonReport& json, const OutcomeOptions& options) {
  std::vector<std::string> others = settings.filter_files;
  others.push_back(settings.output);
  if (settings.input != "-") others.push_back(settings.input);
  json.open(others);

  install_interrupt_handlers(2);
  watch_standard_streams(settings.input == "-", settings.output == "-");
  const FilterReport report = run_filter(settings);

  json.finish(to_json(report));
  if (!options.quiet) {
    const bool stdout_taken = settings.output == "-" || json.takes_standard_output();
    fmt::print(stdout_taken ? stderr : stdout, "{}", summary(report));
  }
  const std::string failed_over = fail_over(report);
  if (!failed_over.empty()) tell("firbank: {}\n", failed_over);
  const std::string lost = losses(report, options.strict);
  if (!lost.empty()) tell("firbank: {}\n", lost);
  if (report.pass.interrupted) {
    tell("firbank: {}\n", interruption(report));
    return kExitInterrupted;
  }
  return lost.empty() ? kExitDone : kExitLoss;
}

}  // namespace firbank::program
