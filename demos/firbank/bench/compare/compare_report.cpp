#include "demos/firbank/bench/compare/compare_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "demos/firbank/bench/machine/environment.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

/// "+4.8 % (+4.1 to +5.5)".
std::string change(const RatioInterval& interval) {
  const auto percent = [](double ratio) { return 100 * (ratio - 1); };
  return fmt::format("{:+.1f} % ({:+.1f} to {:+.1f})", percent(interval.ratio),
                     percent(interval.low), percent(interval.high));
}

}  // namespace

bool CompareReport::has_slower() const {
  return std::any_of(results.begin(), results.end(), [](const ComparedFigure& one) {
    return one.verdict == ComparisonVerdict::kSlower;
  });
}

nlohmann::ordered_json to_json(const CompareReport& report) {
  nlohmann::ordered_json json = begin_report("compare");
  json["setting"] = {{"mode", report.mode},
                     {"programs", report.programs},
                     {"arguments", report.arguments},
                     {"rounds", report.rounds.size()},
                     {"confidence", report.confidence},
                     {"least_change", report.least_change}};
  // The names of reports' figures end in their units.
  const bool is_time = report.figure.ends_with("_ns") || report.mode == "reports";
  const char* const better = report.more_is_better ? "more" : "less";
  json["figure"] = {{"name", report.figure}, {"unit", is_time ? "ns" : ""}, {"better", better}};
  json["rounds"] = report.rounds;
  auto results = nlohmann::ordered_json::array();
  for (const ComparedFigure& one : report.results) {
    results.push_back({{"figure", one.figure},
                       {"program", one.program},
                       {"baseline", report.programs.front()},
                       {"value", one.value},
                       {"baseline_value", one.baseline_value},
                       {"ratio", one.interval.ratio},
                       {"low", one.interval.low},
                       {"high", one.interval.high},
                       {"verdict", name_of(one.verdict)}});
  }
  json["results"] = std::move(results);
  json["verdict"] = {{"usable", report.comparable}, {"reasons", report.reasons}};
  const bool some = !report.results.empty();
  json["headline"] = {
      {"name", "ratio"},
      {"value", some ? nlohmann::ordered_json(report.results.front().interval.ratio) : nullptr},
      {"unit", ""},
      {"better", better}};
  return json;
}

void print(const CompareReport& report) {
  fmt::print("compared with {}\n", printable(report.programs.front()));
  for (const ComparedFigure& one : report.results) {
    fmt::print("{:<24} {:<28} {:<20} {}\n", printable(one.program), change(one.interval),
               name_of(one.verdict), one.figure);
  }
  if (!report.results.empty()) {
    fmt::print("in brackets: where it lies with a confidence of {:.4g} %{}\n",
               100 * report.confidence,
               report.rounds.empty() ? "" : fmt::format(", by {} rounds", report.rounds.size()));
  }
  for (const std::string& reason : report.reasons) fmt::print("note: {}\n", reason);
}

}  // namespace firbank::program
