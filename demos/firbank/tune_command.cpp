#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/commands.hpp"
#include "demos/firbank/cost_file.hpp"
#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/plan_alternatives.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/text_file.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/planner.hpp"
#include "engine/tuning.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  Once on each machine; filter, plan and verify use it from then on:
    firbank tune
  For runs with --precision double as well:
    firbank tune --precision double
  Only look, and keep a copy that --costs takes on another machine too:
    firbank tune --dry-run --json studio.json
    firbank plan --filter hall.wav --block 64 --costs studio.json)";

constexpr double kRateHz = 48'000;

struct Arguments {
  EngineOptions engine;
  bool dry_run = false;
  bool quiet = false;
  JsonReport json;
};

CostModel measure(const Backend& backend, const std::string& precision, bool show_progress) {
  constexpr double kSteps = 1'000;
  ProgressBar progress(static_cast<std::int64_t>(kSteps), "measuring", show_progress);
  const auto show = [&](double done) {
    progress.update(static_cast<std::int64_t>(std::lround(kSteps * done)));
  };
  return precision == "double" ? measure_costs<double>(backend, show)
                               : measure_costs<float>(backend, show);
}

/// The file that is to be written, its folder made. Throws: Error (kOutput).
std::string make_place(const std::string& backend, const std::string& precision) {
  const std::filesystem::path path = cost_file_path(backend, precision);
  if (path.empty()) {
    throw Error(ErrorKind::kOutput,
                "there is no cache folder: neither XDG_CACHE_HOME nor HOME names one (--dry-run "
                "needs none)");
  }
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    throw Error(ErrorKind::kOutput, fmt::format("{}: it cannot be made: {}",
                                                path.parent_path().string(), error.message()));
  }
  return path.string();
}

/// A typical use, and the plans for it.
struct TypicalCase {
  const char* name;
  std::size_t block_frames;
  std::size_t taps;
  Routing routing;
};

struct Comparison {
  const char* name;
  PartitionPlan measured;    // chosen by the costs that were measured
  PartitionPlan by_default;  // chosen by the defaults
  double default_ns = 0;     // what the latter costs here, a frame
};

std::vector<Comparison> compare_plans(const CostModel& costs) {
  const std::vector<TypicalCase> cases = {
      {"stereo reverb of 480000 taps, blocks of 64", 64, 480'000, Routing::rows(2, 2)},
      {"one channel, 2048 taps, blocks of 64", 64, 2'048, Routing::rows(1, 1)},
      {"16 x 16 matrix of 8192 taps, blocks of 128", 128, 8'192, Routing::matrix(16, 16, 256)}};
  std::vector<Comparison> comparisons;
  for (const TypicalCase& one : cases) {
    std::size_t filters = 0;
    for (const Edge& edge : one.routing.edges()) filters = std::max(filters, edge.filter + 1);
    const FilterBank bank(std::vector(filters, std::vector<double>{1.0}));
    EngineConfig config;
    config.block_frames = one.block_frames;
    config.max_taps = one.taps;
    Comparison result;
    result.name = one.name;
    result.by_default = choose_plan(config, bank, one.routing);
    config.costs = costs;
    result.measured = choose_plan(config, bank, one.routing);
    for (const LevelPlan& level : result.by_default.levels) {
      config.partition_frames.push_back(level.block_frames);
    }
    result.default_ns = choose_plan(config, bank, one.routing).ns_per_frame;
    comparisons.push_back(std::move(result));
  }
  return comparisons;
}

double times_realtime(double ns_per_frame) {
  return 1e9 / (ns_per_frame * kRateHz);
}

nlohmann::ordered_json to_json(const std::vector<Comparison>& comparisons) {
  auto plans = nlohmann::ordered_json::array();
  for (const Comparison& one : comparisons) {
    plans.push_back({{"case", one.name},
                     {"plan", one.measured.describe()},
                     {"ns_per_frame", one.measured.ns_per_frame},
                     {"default_plan", one.by_default.describe()},
                     {"default_plan_ns_per_frame", one.default_ns}});
  }
  return plans;
}

void print_row(const std::string& what, double here, double by_default) {
  fmt::print("{:<46} {:>12.4g} {:>12.4g}\n", what, here, by_default);
}

void print_costs(const CostModel& here) {
  const CostModel by_default;
  fmt::print("{:<46} {:>12} {:>12}\n", "nanoseconds", "here", "default");
  for (std::size_t k = 0; k < here.transform_ns.size(); k += 2) {
    print_row(fmt::format("transform of {} samples", std::size_t{16} << k), here.transform_ns[k],
              by_default.transform_ns[k]);
  }
  for (std::size_t k = 0; k < here.product_ns.size(); ++k) {
    const auto spectra = static_cast<double>(CostModel::kFirstSweepBytes << 2 * k);
    print_row(fmt::format("product, in a sweep over {}", bytes(spectra)), here.product_ns[k],
              by_default.product_ns[k]);
  }
  print_row("edge", here.edge_ns, by_default.edge_ns);
  print_row("sum of 64 bins", here.sum_ns, by_default.sum_ns);
  print_row("slice", here.slice_ns, by_default.slice_ns);
  print_row("addition", here.add_ns, by_default.add_ns);
  print_row("product of direct form", here.direct_product_ns, by_default.direct_product_ns);
  print_row("frame of direct form that fills no vector", here.direct_frame_ns,
            by_default.direct_frame_ns);
}

void print_plans(const std::vector<Comparison>& comparisons) {
  fmt::print("\n{:<46} {:<24} {}\n", "plans chosen by these costs", "block sizes", "x real time");
  for (const Comparison& one : comparisons) {
    fmt::print("{:<46} {:<24} {:>11.0f}\n", one.name, block_sizes(one.measured),
               times_realtime(one.measured.ns_per_frame));
    const bool same = one.measured.describe() == one.by_default.describe();
    if (same) {
      fmt::print("{:<46} {}\n", "  by the defaults", "the same");
    } else {
      fmt::print("{:<46} {:<24} {:>11.0f}\n", "  by the defaults", block_sizes(one.by_default),
                 times_realtime(one.default_ns));
    }
  }
}

int run(Arguments& arguments) {
  const std::string& precision = arguments.engine.precision;
  const std::shared_ptr<const Backend> backend = arguments.engine.open_backend();
  std::unique_ptr<TextFile> file;
  std::string path;
  if (!arguments.dry_run) {
    path = make_place(backend->name(), precision);
    file = std::make_unique<TextFile>(path);
  }
  arguments.json.open(path.empty() ? std::vector<std::string>{} : std::vector{path});

  const bool printing = !arguments.quiet && !arguments.json.takes_standard_output();
  const auto start = std::chrono::steady_clock::now();
  const MeasuredCosts costs =
      measured_now(measure(*backend, precision, !arguments.quiet), backend->name(), precision);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::vector<Comparison> comparisons = compare_plans(costs.model);

  nlohmann::ordered_json report = to_json(costs);
  if (file) file->finish(report.dump(2) + "\n");
  report["file"] = nullptr;
  if (file) report["file"] = path;
  report["seconds"] = seconds;
  report["plans"] = to_json(comparisons);
  arguments.json.finish(report);
  if (!printing) return kExitDone;

  fmt::print("{}, {} ({}), {}; measured in {}\n\n", costs.processor, backend->name(),
             backend->instruction_set(), precision, duration(seconds));
  print_costs(costs.model);
  print_plans(comparisons);
  fmt::print("\n{}\n", file ? fmt::format("kept in {}", printable(path))
                            : std::string("not kept: --dry-run"));
  return kExitDone;
}

}  // namespace

void add_tune_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("tune", "Measure what plans are chosen by on this machine, and keep it");
  const auto arguments = std::make_shared<Arguments>();
  arguments->engine.add_arithmetic_to(*command);
  command->add_flag("--dry-run", arguments->dry_run, "Measure and print, but keep nothing");
  arguments->json.add_to(*command, "the costs");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no progress bar");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
