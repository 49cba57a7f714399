// firbank bench show: a kept report in a few words, and as a page.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/report/html_option.hpp"
#include "demos/firbank/bench/report/report_file.hpp"
#include "demos/firbank/exit_code.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank bench latency --json latency.json
  firbank bench show latency.json --html latency.html
  firbank bench show latency.json          # the headline and the verdict alone)";

struct Arguments {
  std::string report;
  HtmlReport html;
};

int run(Arguments& arguments) {
  const nlohmann::ordered_json report = read_report(arguments.report);
  // Standard input and standard output are both "-", and not the same.
  const bool is_file = arguments.report != "-";
  arguments.html.open(is_file ? std::vector{arguments.report} : std::vector<std::string>{});
  arguments.html.finish(report);
  if (arguments.html.takes_standard_output()) return kExitDone;

  fmt::print("{}\n", report_kind(report));
  const std::string headline = headline_text(report);
  const std::string verdict = verdict_text(report);
  fmt::print("  headline  {}\n", headline.empty() ? "the report has none" : headline);
  fmt::print("  verdict   {}\n", verdict.empty() ? "the report has none" : verdict);
  if (!arguments.html.path().empty()) {
    fmt::print("  page      {}\n", printable(arguments.html.path()));
  }
  return kExitDone;
}

}  // namespace

void add_show_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command =
      bench.add_subcommand("show", "Show a report that was kept as JSON, also as a page");
  const auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("REPORT", arguments->report,
                   "What --json of a bench command or of doctor wrote; '-' is standard input")
      ->required();
  arguments->html.add_to(*command);
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
