// firbank bench compare: two builds in turn, or two reports; which one is slower, and how sure that
// is.
#include <cmath>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/compare/child_program.hpp"
#include "demos/firbank/bench/compare/compare_report.hpp"
#include "demos/firbank/bench/compare/report_pair.hpp"
#include "demos/firbank/bench/order_statistics.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  Whether a change made it slower, in half a minute:
    firbank bench compare --interleave old/bin/firbank new/bin/firbank
  The same with another stream:
    firbank bench compare --interleave old/bin/firbank new/bin/firbank \
        --with 'bench latency --unpaced --channels 384 --taps 512 --block 32'
  Two reports that were kept:
    firbank bench compare monday.json tuesday.json

Programs take turns, A B, B A, A B ..., so that what the machine does meanwhile touches
both. Each is given the words of --with and '--json -', and prints a report, of
which one figure counts: the processor's time for a block, unless --figure names another
one. A program differs from run to run by where its memory comes to lie, so many short
runs tell more than a few long ones. Any program that prints JSON will do. A first turn of each is left out.

Reports of latency are compared by their segments, and only where the stream was the
same, and the machine by itself was no more than a factor of 1.5 from what it was.

Exit codes: 0 none is slower, as far as can be told; 1 one is; 2 bad usage; 3 a program
or file cannot be used; 5 the reports cannot be compared; 130 after Ctrl-C.)";

constexpr const char* kFigure = "/runs/engine/times/processor/p50_ns";
constexpr std::size_t kLeastRounds = 5;
constexpr const char* kArguments = "bench latency --unpaced --block 32 --seconds 10 -q";

struct Arguments {
  std::vector<std::string> programs;
  std::vector<std::string> reports;
  std::string with;  // arguments of the programs, with spaces between them
  std::size_t rounds = 200;
  double confidence_percent = 99;
  double least_change_percent = 1;
  std::string figure = kFigure;
  bool more_is_better = false;
  bool quiet = false;
  ReportOptions report;
};

double figure_of(const std::string& program, const std::string& text, const std::string& figure) {
  const auto fail = [&](const std::string& reason) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", printable(program), reason));
  };
  const auto report = nlohmann::json::parse(text, nullptr, false);
  if (report.is_discarded()) fail("what it printed is no JSON");
  const nlohmann::json::json_pointer place(figure);
  if (!report.contains(place) || !report.at(place).is_number()) {
    fail(fmt::format("its report has no number at {}", printable(figure)));
  }
  const double value = report.at(place).get<double>();
  if (!(value > 0) || !std::isfinite(value)) {
    fail(fmt::format("{} is {}; a number above 0 is needed", printable(figure), value));
  }
  return value;
}

std::vector<std::string> words_of(const Arguments& arguments) {
  std::istringstream text(arguments.with.empty() ? kArguments : arguments.with);
  return {std::istream_iterator<std::string>(text), {}};
}

/// False once a stop was asked for. `noisy` counts the runs that call themselves too noisy to
/// judge, whose figures count all the same: both programs had their share of the noise.
bool measure(const std::string& program, const Arguments& arguments, double& value,
             std::size_t& noisy) {
  std::vector<std::string> command = {program};
  const std::vector<std::string> words = words_of(arguments);
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), {"--json", "-"});
  const ChildResult child = run_child(command, [] { return interrupt_requested(); });
  if (child.stopped || interrupt_requested()) return false;
  noisy += child.exit_code == kExitLoss ? 1 : 0;
  if (child.exit_code != 0 && child.exit_code != kExitLoss) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: it ended with exit code {} (its arguments: {})", printable(program),
                    child.exit_code, printable(fmt::format("{}", fmt::join(words, " ")))));
  }
  value = figure_of(program, child.output, arguments.figure);
  return true;
}

CompareReport compare_programs(const Arguments& arguments) {
  CompareReport report;
  report.mode = "interleaved";
  report.programs = arguments.programs;
  report.arguments = words_of(arguments);
  report.confidence = arguments.confidence_percent / 100;
  report.least_change = arguments.least_change_percent / 100;
  report.figure = arguments.figure;
  report.more_is_better = arguments.more_is_better;
  const std::size_t all = arguments.programs.size();
  ProgressBar progress(static_cast<std::int64_t>((arguments.rounds + 1) * all), "running",
                       !arguments.quiet);
  std::int64_t runs = 0;
  std::size_t noisy = 0;
  const auto turn = [&](std::size_t contestant, double& value) {
    const bool measured = measure(arguments.programs[contestant], arguments, value, noisy);
    progress.update(++runs);
    return measured;
  };
  interleave(all, 1, turn);
  if (!interrupt_requested()) report.rounds = interleave(all, arguments.rounds, turn);
  if (noisy > 0) {
    report.reasons.push_back(
        fmt::format("{} called themselves too noisy to judge", counted(noisy, "run")));
  }
  if (interrupt_requested()) report.reasons.push_back("stopped before its end");
  if (report.rounds.size() < kLeastRounds) {
    report.comparable = false;
    report.reasons.push_back(
        fmt::format("{} rounds are needed, there are {}", kLeastRounds, report.rounds.size()));
    return report;
  }
  const ComparisonRule rule{report.least_change, !arguments.more_is_better};
  for (std::size_t n = 1; n < all; ++n) {
    std::vector<double> a;
    std::vector<double> b;
    for (const std::vector<double>& round : report.rounds) {
      a.push_back(round[0]);
      b.push_back(round[n]);
    }
    ComparedFigure compared;
    compared.figure = arguments.figure;
    compared.program = arguments.programs[n];
    compared.baseline_value = median_of(a);
    compared.value = median_of(b);
    compared.interval = paired_ratio(a, b, {.confidence = report.confidence});
    compared.verdict = decide(compared.interval, rule);
    const double width = compared.interval.high / compared.interval.low - 1;
    if (compared.verdict == ComparisonVerdict::kNoDifferenceShown &&
        width > 2 * report.least_change) {
      report.reasons.push_back(
          fmt::format("{}: differences of less than about {:.1f} % cannot be seen here; more "
                      "--rounds show smaller ones",
                      printable(compared.program), 50 * width));
    }
    report.results.push_back(compared);
  }
  return report;
}

int run(Arguments& arguments) {
  CompareReport report;
  const bool interleaved = !arguments.programs.empty();
  if (interleaved && arguments.programs.size() < 2) {
    refuse("--interleave needs two programs or more");
  }
  if (interleaved && !arguments.reports.empty()) {
    refuse(fmt::format("{}: reports have no use with --interleave",
                       printable(arguments.reports.front())));
  }
  if (!interleaved && !arguments.with.empty()) refuse("--with has no use without --interleave");
  if (!interleaved && arguments.reports.size() != 2) {
    refuse(fmt::format("two reports are needed, {} given; or --interleave and two programs",
                       arguments.reports.size()));
  }
  if (!arguments.figure.starts_with('/')) {
    refuse(fmt::format("--figure is '{}'; a JSON pointer such as {} is allowed",
                       printable(arguments.figure), kFigure));
  }
  arguments.report.open(interleaved ? std::vector<std::string>{} : arguments.reports);
  if (interleaved) {
    install_interrupt_handlers(2);
    report = compare_programs(arguments);
  } else {
    report =
        compare_reports(arguments.reports[0], arguments.reports[1],
                        arguments.confidence_percent / 100, arguments.least_change_percent / 100);
  }
  arguments.report.finish(to_json(report));
  if (!arguments.quiet && !arguments.report.takes_standard_output()) print(report);
  if (interrupt_requested()) return kExitInterrupted;
  if (!report.comparable) return kExitUndecided;
  return report.has_slower() ? kExitSlower : kExitDone;
}

}  // namespace

void add_compare_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command =
      bench.add_subcommand("compare", "Which of two builds, or reports, is slower, and how sure");
  const auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("--interleave", arguments->programs,
                   "Programs to run in turn; the others are compared with the first")
      ->type_name("PROGRAM")
      ->expected(1, 16);
  command
      ->add_option("--with", arguments->with,
                   fmt::format("What the programs are given: words with spaces between them\n({})",
                               kArguments))
      ->type_name("WORDS");
  command->add_option("REPORT", arguments->reports, "Two reports, without --interleave")
      ->type_name("");
  command->add_option("--rounds", arguments->rounds, "Turns of each program that count (200)")
      ->type_name("N")
      ->check(whole_number(kLeastRounds, 10'000));
  command
      ->add_option("--confidence", arguments->confidence_percent,
                   "Percent, with which the difference lies in its interval (99)")
      ->type_name("PERCENT")
      ->check(number(50, 99.99));
  command
      ->add_option("--least-change", arguments->least_change_percent,
                   "Percent below which a difference is none, however sure (1)")
      ->type_name("PERCENT")
      ->check(number(0, 100));
  command
      ->add_option("--figure", arguments->figure,
                   fmt::format("Which number of a report counts, as a JSON pointer\n({})", kFigure))
      ->type_name("POINTER");
  command->add_flag("--more-is-better", arguments->more_is_better,
                    "The figure is one of which more is better");
  arguments->report.add_to(*command, "every round");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no progress bar");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
