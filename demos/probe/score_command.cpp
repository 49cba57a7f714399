// probe score: what firbank serve found and counted, against what was sent and lost.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "demos/probe/commands.hpp"
#include "demos/probe/spike_score.hpp"
#include "demos/probe/truth_file.hpp"
#include "io/error.hpp"

namespace firbank::probe {
namespace {

struct Arguments {
  std::string spikes;
  std::string events;
  std::string losses;
  std::string report;
  double rate_hz = 30'000;
  double skip_seconds = 2;
  double least = 0.95;
};

std::int64_t whole(double value) {
  return std::llround(value);
}

/// Column `channel` of each row, by frame.
std::vector<Mark> marks(const std::vector<Row>& rows, std::size_t channel) {
  std::vector<Mark> marks;
  marks.reserve(rows.size());
  for (const Row& row : rows) marks.push_back({whole(row[0]), whole(row[channel])});
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.frame < b.frame; });
  return marks;
}

nlohmann::json read_report(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorKind::kInput, fmt::format("{}: it cannot be opened", path));
  return nlohmann::json::parse(file);
}

bool check_losses(const Arguments& arguments, const nlohmann::json& report,
                  std::vector<LostFrames>& injected) {
  for (const Row& row : read_table(arguments.losses, 2)) {
    injected.push_back({whole(row[0]), whole(row[1])});
  }
  std::vector<LostFrames> reported;
  for (const auto& loss : report.at("losses")) {
    reported.push_back({loss.at("first_frame"), loss.at("frames")});
  }
  std::int64_t frames = 0;
  for (const LostFrames& loss : injected) frames += loss.frames;
  const bool is_equal = reported == injected && report.at("input").at("gap_frames") == frames;
  fmt::print("losses     {} injected ({} frames), {} reported: {}\n", injected.size(), frames,
             reported.size(), is_equal ? "exactly these" : "NOT the same");
  return is_equal;
}

bool check_events(const Arguments& arguments, const std::vector<LostFrames>& losses) {
  ScoreRules rules;
  rules.tolerance_frames = whole(0.5e-3 * arguments.rate_hz);
  rules.loss_margin_frames = whole(2e-3 * arguments.rate_hz);
  rules.skip_frames = whole(arguments.skip_seconds * arguments.rate_hz);
  const std::vector<Mark> spikes = marks(read_table(arguments.spikes, 2), 1);
  const Score result = score(spikes, marks(read_table(arguments.events, 4), 2), losses, rules);
  fmt::print("events     {}, of which {} match a spike: precision {:.4f}\n", result.events,
             result.true_events, result.precision());
  fmt::print("spikes     {}, of which {} were found:    recall    {:.4f}\n", result.spikes,
             result.found_spikes, result.recall());
  return result.precision() >= arguments.least && result.recall() >= arguments.least;
}

int run(const Arguments& arguments) {
  const nlohmann::json report = read_report(arguments.report);
  std::vector<LostFrames> losses;
  const bool losses_agree = check_losses(arguments, report, losses);
  bool events_agree = true;
  if (!arguments.events.empty()) events_agree = check_events(arguments, losses);
  const auto& latency = report.at("latency_ms");
  fmt::print("latency    from packet to event: median {:.2f} ms, 99% {:.2f} ms, worst {:.2f} ms\n",
             latency.at("median").get<double>(), latency.at("p99").get<double>(),
             latency.at("max").get<double>());
  if (!events_agree) {
    fmt::print("FAILED: precision and recall of at least {} are needed\n", arguments.least);
  }
  if (!losses_agree) fmt::print("FAILED: the losses that were reported are not those injected\n");
  return events_agree && losses_agree ? 0 : 1;
}

}  // namespace

void add_score_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("score", "Compare what firbank serve found with what was sent");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--spikes", arguments->spikes, "Of probe send");
  command->add_option("--events", arguments->events, "Of firbank serve; none: losses alone");
  command->add_option("--losses", arguments->losses, "Of probe send")->required();
  command->add_option("--report", arguments->report, "Of firbank serve")->required();
  command->add_option("--sample-rate", arguments->rate_hz, "Of the stream, in Hz (30000)");
  command->add_option("--skip", arguments->skip_seconds, "Seconds that do not count (2)");
  command->add_option("--least", arguments->least, "Precision and recall (0.95)");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::probe
