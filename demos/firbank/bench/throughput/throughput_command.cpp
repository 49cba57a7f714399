// firbank bench throughput: how much a second, and how near that is to what the machine can do.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/noise_filters.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/bench/stream_options.hpp"
#include "demos/firbank/bench/throughput/throughput_report.hpp"
#include "demos/firbank/bench/throughput/throughput_run.hpp"
#include "demos/firbank/bench/throughput/throughput_table.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/text_file.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  A few systems that show the range, in a quarter of a minute:
    firbank bench throughput
  One of your own, live and for a file:
    firbank bench throughput --channels 64 --filters 64 --taps 48000 --block 128
    firbank bench throughput --filter hall.wav --channels 2 --goal offline
  Another instruction set, and two threads, of two of the rows:
    firbank bench throughput --row matrix --row bank --backend cpu-avx2 --threads 2
  For other programs:
    firbank bench throughput --json throughput.json --csv throughput.csv

Exit codes: 0 measured; rows whose repeats differ too much to be relied on are told;
2 bad usage; 3 a file cannot be read or written, or a device failed; 4 a row's output
was wrong, and nothing was timed; 130 after Ctrl-C.)";

constexpr const char* kOwnOptions[] = {"--filter",  "--routing", "--outputs",  "--no-resample",
                                       "--filters", "--taps",    "--channels", "--rate"};

struct Arguments {
  StreamOptions stream;
  std::vector<std::string> rows;
  std::string goal;
  ThroughputEffort effort;
  std::string csv_path;
  ReportOptions report;
  bool quiet = false;
  std::string own_option;  // the first one given that only a row of one's own has
  bool has_block = false;
};

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const NamedRow& row : named_rows()) names.push_back(row.name);
  return names;
}

PlanGoal goal_of(const std::string& asked, PlanGoal usual) {
  if (asked.empty()) return usual;
  return asked == "offline" ? PlanGoal::kOffline : PlanGoal::kLive;
}

ThroughputRow completed(ThroughputRow row, const Arguments& arguments, const ChosenCosts& costs) {
  row.config.costs = costs.model;
  row.config.fail_over = false;  // it is this backend that is measured
  row.double_precision = arguments.stream.engine.precision == "double";
  return row;
}

std::vector<ThroughputRow> rows_to_measure(const Arguments& arguments, const ChosenCosts& costs,
                                           const std::function<void(const std::string&)>& notice) {
  if (!arguments.own_option.empty()) {
    const StreamCase stream =
        arguments.stream.make(notice, goal_of(arguments.goal, PlanGoal::kLive));
    return {completed({.name = "own",
                       .wiring = arguments.stream.bank.routing,
                       .bank = stream.bank,
                       .routing = stream.routing,
                       .config = stream.config},
                      arguments, costs)};
  }
  std::vector<ThroughputRow> rows;
  for (const NamedRow& named : named_rows()) {
    const bool is_wanted =
        arguments.rows.empty() ||
        std::find(arguments.rows.begin(), arguments.rows.end(), named.name) != arguments.rows.end();
    if (!is_wanted) continue;
    EngineOptions engine = arguments.stream.engine;
    if (!arguments.has_block) engine.block_frames = named.block_frames;
    rows.push_back(completed(
        {.name = named.name,
         .wiring = named.wiring,
         .bank = noise_filters(named.filters(), named.taps),
         .routing = named.routing(),
         .config = engine.config(named.sample_rate_hz, goal_of(arguments.goal, named.goal))},
        arguments, costs));
  }
  return rows;
}

void check(const Arguments& arguments) {
  if (!arguments.rows.empty() && !arguments.own_option.empty()) {
    refuse(fmt::format("--row {} and {} exclude each other; {} describes a row of your own",
                       arguments.rows.front(), arguments.own_option, arguments.own_option));
  }
  if (!arguments.own_option.empty()) arguments.stream.bank.check();
  if (!arguments.csv_path.empty()) {
    refuse_same_file("--csv", arguments.csv_path, arguments.stream.bank.files);
  }
}

int run(Arguments& arguments) {
  check(arguments);
  install_interrupt_handlers(2);
  std::unique_ptr<TextFile> csv;
  if (!arguments.csv_path.empty()) csv = std::make_unique<TextFile>(arguments.csv_path);
  std::vector<std::string> others = arguments.stream.bank.files;
  if (csv) others.push_back(arguments.csv_path);
  arguments.report.open(others);
  const bool takes_output = arguments.report.takes_standard_output() || arguments.csv_path == "-";

  EngineOptions& engine = arguments.stream.engine;
  engine.backend = engine.open_backend()->name();
  const auto notice = [&](const std::string& line) {
    if (!arguments.quiet) tell("firbank: note: {}\n", line);
  };
  const std::vector<ThroughputRow> rows =
      rows_to_measure(arguments, engine.chosen_costs(notice), notice);
  constexpr double kSteps = 1'000;
  ThroughputReport report;
  {
    ProgressBar progress(static_cast<std::int64_t>(kSteps), "measuring", !arguments.quiet);
    report = run_throughput(
        rows, arguments.effort, [] { return interrupt_requested(); },
        [&](double done) {
          progress.update(static_cast<std::int64_t>(std::lround(kSteps * done)));
        });
  }
  if (report.wrong) {
    tell(
        "firbank: row '{}' on {}: the output's relative error is {:.2g}; allowed: {:.2g}; nothing "
        "was timed\n",
        report.wrong->row, report.wrong->backend, report.wrong->error, report.wrong->limit);
    return kExitLoss;
  }
  if (!report.has_figures()) {
    tell("firbank: stopped before anything was measured\n");
    return kExitInterrupted;
  }
  const nlohmann::ordered_json json = throughput_json(report);
  if (csv) csv->finish(throughput_csv(json));
  arguments.report.finish(json);
  if (!takes_output && !arguments.quiet) fmt::print("{}", throughput_table(report));
  return report.interrupted ? kExitInterrupted : kExitDone;
}

}  // namespace

void add_throughput_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command = bench.add_subcommand(
      "throughput", "Samples times taps a second, and the share of what the machine can do");
  const auto arguments = std::make_shared<Arguments>();
  std::string rows =
      "Only this row; may be given again. Unless given, all of these, or one\n"
      "of your own, which --filter, --routing, --filters, --taps, --channels\n"
      "and --rate describe:";
  for (const NamedRow& row : named_rows()) rows += fmt::format("\n{}: {}", row.name, row.what);
  command->add_option("--row", arguments->rows, rows)
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->check(one_of(row_names()));
  command
      ->add_option("--goal", arguments->goal,
                   "live: calls of --block, as a stream has them; offline: calls as the\n"
                   "plan likes them, as files have them. Unless given, the row's own;\n"
                   "live for one of your own")
      ->type_name("live|offline")
      ->check(one_of({"live", "offline"}));
  arguments->stream.add_to(*command);
  command->get_option("--threads")
      ->description(
          "Threads that compute (1), 1 to 64; beside a GPU those that copy\n"
          "samples to it and home (1; of offline rows those of the processor,\n"
          "up to 8)");
  arguments->stream.engine.add_spectra_to(*command);
  command
      ->add_option("--seconds", arguments->effort.seconds,
                   "Seconds of each row, all repeats together (1), 0.001 to 3600")
      ->type_name("S")
      ->check(number(0.001, 3'600));
  command
      ->add_option(
          "--repeats", arguments->effort.repeats,
          "Stretches that each row is measured in, in turn with the others\n(5), 3 to 1000")
      ->type_name("N")
      ->check(whole_number(3, 1'000));
  arguments->report.add_to(*command, "a report");
  command->add_option("--csv", arguments->csv_path, "Write the rows as CSV; '-' is standard output")
      ->type_name("FILE");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, notes or progress bar");
  command->footer(kExamples);
  command->callback([arguments, command, &exit_code] {
    for (const char* option : kOwnOptions) {
      if (command->count(option) == 0) continue;
      arguments->own_option = option;
      break;
    }
    arguments->has_block = command->count("--block") > 0;
    exit_code = run(*arguments);
  });
}

}  // namespace firbank::program
