#include "demos/firbank/bench/compare/report_pair.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "demos/firbank/bench/order_statistics.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::json;

constexpr const char* kSchema = "firbank.bench.latency.1";
constexpr std::size_t kLeastSegments = 5;
// The empty loops' figures of one report over the other's.
constexpr double kMostJitterChange = 1.5;
// By how much two runs of one program may differ, whatever its own segments say: by where its
// memory comes to lie, and by what else ran at the time.
constexpr double kApart = 1.25;

struct CheckedFigure {
  const char* key;   // of a segment
  const char* name;  // for people
};
constexpr std::array<CheckedFigure, 3> kFigures = {{{"processor_p50_ns", "processor time, p50"},
                                                    {"p50_ns", "end to end, p50"},
                                                    {"p99_ns", "end to end, p99"}}};
constexpr std::array<CheckedFigure, 2> kJitter = {{{"p50_ns", "p50"}, {"p99_ns", "p99"}}};

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", printable(path), reason));
}

Json read_report(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "it cannot be read");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  Json report = Json::parse(text, nullptr, false);
  if (report.is_discarded() || !report.is_object()) fail(path, "it is no JSON report");
  if (report.value("schema", Json()) != Json(kSchema)) {
    fail(path, fmt::format("it is no report of 'firbank bench latency' ({})", kSchema));
  }
  return report;
}

/// A figure of each segment of a run, those above 0.
std::vector<double> values_of(const std::string& path, const Json& report, const char* run,
                              const char* key) {
  std::vector<double> values;
  const auto segments = report.find("segments");
  if (segments == report.end() || !segments->is_array()) fail(path, "it has no segments");
  for (const Json& segment : *segments) {
    const auto value = segment.is_object() ? segment.find(key) : segment.end();
    if (!segment.is_object() || segment.value("run", Json()) != Json(run)) continue;
    if (value == segment.end() || !value->is_number()) {
      fail(path, fmt::format("a segment has no {}", key));
    }
    if (const double number = value->get<double>(); number > 0) values.push_back(number);
  }
  return values;
}

std::string time(double ns) {
  return duration(1e-9 * ns);
}

/// Why the two cannot be compared; nothing when they can.
std::vector<std::string> objections(const std::array<std::string, 2>& paths,
                                    const std::array<Json, 2>& reports) {
  std::vector<std::string> reasons;
  const auto at = [&](std::size_t n, const char* pointer) {
    const Json::json_pointer place(pointer);
    return reports[n].contains(place) ? reports[n].at(place) : Json();
  };
  for (const char* field : {"/setting/inputs", "/setting/outputs", "/setting/filters",
                            "/setting/taps", "/setting/routing", "/setting/block_frames",
                            "/setting/sample_rate_hz", "/setting/precision", "/setting/threads",
                            "/setting/drive", "/environment/processor/name", "/timing/spin_ns"}) {
    if (at(0, field) == at(1, field)) continue;
    reasons.push_back(fmt::format("{} differs: {} and {}", std::string_view(field).substr(1),
                                  at(0, field).dump(), at(1, field).dump()));
  }
  for (std::size_t n = 0; n < 2; ++n) {
    if (at(n, "/verdict/usable") != Json(true)) {
      reasons.push_back(fmt::format("{} calls itself not usable", printable(paths[n])));
    }
  }
  for (const CheckedFigure& figure : kJitter) {
    const auto a = values_of(paths[0], reports[0], "empty", figure.key);
    const auto b = values_of(paths[1], reports[1], "empty", figure.key);
    if (a.size() < kLeastSegments || b.size() < kLeastSegments) {
      reasons.push_back(
          fmt::format("{} segments of an empty loop are needed in both, there are {} "
                      "and {}",
                      kLeastSegments, a.size(), b.size()));
      break;
    }
    const double change = median_of(b) / median_of(a);
    if (change > kMostJitterChange || change < 1 / kMostJitterChange) {
      reasons.push_back(
          fmt::format("the machine itself was another: with nothing to do, {} was {} and {}, a "
                      "factor of {:.1f} "
                      "(at most {} is allowed)",
                      figure.name, time(median_of(a)), time(median_of(b)),
                      std::max(change, 1 / change), kMostJitterChange));
    }
  }
  return reasons;
}

}  // namespace

CompareReport compare_reports(const std::string& a_path, const std::string& b_path,
                              double confidence, double least_change) {
  const std::array<std::string, 2> paths = {a_path, b_path};
  const std::array<Json, 2> reports = {read_report(a_path), read_report(b_path)};
  CompareReport report;
  report.mode = "reports";
  report.programs = {a_path, b_path};
  report.confidence = confidence;
  report.least_change = least_change;
  report.figure = kFigures[0].name;
  report.reasons = objections(paths, reports);
  report.comparable = report.reasons.empty();
  if (!report.comparable) return report;
  const ComparisonRule rule{least_change, true};
  for (const CheckedFigure& figure : kFigures) {
    const auto a = values_of(a_path, reports[0], "engine", figure.key);
    const auto b = values_of(b_path, reports[1], "engine", figure.key);
    if (a.size() < kLeastSegments || b.size() < kLeastSegments) {
      report.comparable = false;
      report.reasons.push_back(fmt::format("{} segments are needed in both, there are {} and {}",
                                           kLeastSegments, a.size(), b.size()));
      report.results.clear();
      break;
    }
    ComparedFigure compared;
    compared.figure = figure.name;
    compared.program = b_path;
    compared.baseline_value = median_of(a);
    compared.value = median_of(b);
    // Each of the figures may mislead.
    const double each = 1 - (1 - confidence) / static_cast<double>(kFigures.size());
    compared.interval = unpaired_ratio(a, b, {.confidence = each});
    compared.interval.low /= kApart;
    compared.interval.high *= kApart;
    compared.verdict = decide(compared.interval, rule);
    report.results.push_back(compared);
  }
  report.reasons.push_back(
      fmt::format("two runs apart differ by up to a factor of {} without any change, which the "
                  "intervals allow for; --interleave sees far smaller changes",
                  kApart));
  return report;
}

}  // namespace firbank::program
