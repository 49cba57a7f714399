#include "demos/firbank/bench/capacity/capacity_report.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

Json optional(const std::optional<std::size_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

bool by_processor(const CapacityReport& report, const std::string& backend) {
  return report.threads == 1 && backend.starts_with("cpu");
}

/// The best backend of each block size; nothing where there is only one.
std::map<std::size_t, const FrontierPoint*> best_of(const CapacityReport& report) {
  std::map<std::size_t, const FrontierPoint*> best;
  bool several = false;
  for (const FrontierPoint& point : report.frontier) {
    several = several || point.backend != report.frontier.front().backend;
    const FrontierPoint*& so_far = best[point.block_frames];
    if (so_far == nullptr || point.products_per_frame > so_far->products_per_frame) {
      so_far = &point;
    }
  }
  if (!several) best.clear();
  return best;
}

Json steps_json(const std::vector<CapacityStep>& steps) {
  Json list = Json::array();
  for (const CapacityStep& step : steps) {
    list.push_back({{"value", step.value},
                    {"blocks", step.blocks},
                    {"mean_us", step.mean_us},
                    {"p99_us", step.p99_us},
                    {"clock_p99_us", step.clock_p99_us},
                    {"spread", step.spread},
                    {"in_time", step.in_time}});
  }
  return list;
}

constexpr double kMostSpread = 0.2;

/// What to know of the figures; not to be judged by where `usable` became false.
std::vector<std::string> reasons(const CapacityReport& report, bool& usable) {
  std::vector<std::string> lines;
  double spread = 0;
  bool contended = false;
  for (const FrontierPoint& point : report.frontier) {
    for (const CapacityStep& step : point.steps) {
      spread = std::max(spread, step.value == point.capacity ? step.spread : 0);
      contended = contended || (step.in_time && step.clock_p99_us > step.deadline_us);
    }
  }
  if (report.stopped) {
    usable = false;
    lines.push_back("stopped before its end");
  }
  if (spread > kMostSpread) {
    usable = false;
    lines.push_back(
        fmt::format("too noisy to judge: p99 near the limit differed by {:.0f} % from one "
                    "time to the next",
                    100 * spread));
  }
  if (contended) {
    lines.push_back(
        "by the clock some steps that count as in time were not: this machine was busy with "
        "something else as well");
  }
  lines.push_back(
      "at its capacity 1 block in 100 of a stream is late, and those behind it: leave room "
      "(--within)");
  return lines;
}

}  // namespace

Json to_json(const CapacityReport& report) {
  const bool all_by_processor =
      std::all_of(report.frontier.begin(), report.frontier.end(),
                  [&](const FrontierPoint& point) { return by_processor(report, point.backend); });
  Json json = report.head;
  json["setting"] = {{"varied", report.varied},
                     {"channels", optional(report.channels)},
                     {"filters", optional(report.filters)},
                     {"taps", optional(report.taps)},
                     {"outputs", optional(report.outputs)},
                     {"routing", report.routing},
                     {"sample_rate_hz", report.sample_rate_hz},
                     {"threads", report.threads},
                     {"quantile", 0.99},
                     {"deadline_share", report.limit.deadline_share},
                     {"seconds", report.limit.seconds},
                     {"counted", all_by_processor ? "processor time" : "clock"}};
  Json frontier = Json::array();
  for (const FrontierPoint& point : report.frontier) {
    frontier.push_back(
        {{"backend", point.backend},
         {"block_frames", point.block_frames},
         {"deadline_us", 1e6 * static_cast<double>(point.block_frames) / report.sample_rate_hz},
         {"capacity", point.capacity},
         {"products_per_frame", point.products_per_frame},
         {"at_limit", point.at_limit},
         {"counted", by_processor(report, point.backend) ? "processor time" : "clock"},
         {"steps", steps_json(point.steps)}});
  }
  json["frontier"] = std::move(frontier);
  Json crossover = nullptr;
  for (const auto& [block_frames, point] : best_of(report)) {
    if (crossover.is_null()) crossover = Json::array();
    crossover.push_back({{"block_frames", block_frames}, {"best_backend", point->backend}});
  }
  json["crossover"] = std::move(crossover);
  bool usable = true;
  const std::vector<std::string> lines = reasons(report, usable);
  json["verdict"] = {{"usable", usable}, {"reasons", lines}};
  const auto largest = std::max_element(
      report.frontier.begin(), report.frontier.end(),
      [](const FrontierPoint& a, const FrontierPoint& b) { return a.capacity < b.capacity; });
  json["headline"] = {
      {"name", fmt::format("most {} in time", report.varied)},
      {"value", largest == report.frontier.end() ? Json(nullptr) : Json(largest->capacity)},
      {"unit", report.varied},
      {"better", "more"}};
  return json;
}

std::string to_csv(const CapacityReport& report) {
  std::string text = fmt::format(
      "backend,block_frames,deadline_us,{},blocks,mean_us,p99_us,clock_p99_us,in_time\n",
      report.varied);
  for (const FrontierPoint& point : report.frontier) {
    for (const CapacityStep& step : point.steps) {
      fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{:.3f},{:.3f},{:.3f},{}\n",
                     point.backend, point.block_frames, step.deadline_us, step.value, step.blocks,
                     step.mean_us, step.p99_us, step.clock_p99_us, step.in_time ? 1 : 0);
    }
  }
  return text;
}

void print_head(const CapacityReport& report) {
  fmt::print("The most {} in time: --routing {}", report.varied, report.routing);
  if (report.channels) fmt::print(", {}", counted(*report.channels, "channel"));
  if (report.outputs) fmt::print(", {} out", *report.outputs);
  if (report.filters) fmt::print(", {}", counted(*report.filters, "filter"));
  if (report.taps) fmt::print(", {} taps", *report.taps);
  fmt::print(", {} Hz, {}\n", report.sample_rate_hz, counted(report.threads, "thread"));
  fmt::print("{:<12} {:>6} {:>9} {:>9} {:>16} {:>9} {:>9}\n", "backend", "block", "deadline",
             report.varied, "taps x channels", "p99", "clock p99");
  std::fflush(stdout);
}

void print_row(const CapacityReport& report, const FrontierPoint& point) {
  const double deadline_s = static_cast<double>(point.block_frames) / report.sample_rate_hz;
  fmt::print("{:<12} {:>6} {:>9} ", point.backend, point.block_frames, duration(deadline_s));
  if (point.capacity == 0) {
    fmt::print("{:>9} {:>16}\n", "none", "");
  } else {
    const auto step =
        std::find_if(point.steps.rbegin(), point.steps.rend(),
                     [&](const CapacityStep& one) { return one.value == point.capacity; });
    fmt::print("{:>9} {:>16} {:>9} {:>9}{}\n", point.capacity,
               large(static_cast<double>(point.products_per_frame)), duration(1e-6 * step->p99_us),
               duration(1e-6 * step->clock_p99_us),
               point.at_limit ? "  the most that was tried" : "");
  }
  std::fflush(stdout);
}

void print_end(const CapacityReport& report) {
  const FrontierPoint* before = nullptr;
  for (const auto& [block_frames, point] : best_of(report)) {
    if (before == nullptr || before->backend != point->backend) {
      fmt::print("from blocks of {:>5} on, {} carries the most\n", block_frames, point->backend);
    }
    before = point;
  }
  bool usable = true;
  for (const std::string& reason : reasons(report, usable)) fmt::print("note: {}\n", reason);
}

bool is_usable(const CapacityReport& report) {
  bool usable = true;
  reasons(report, usable);
  return usable;
}

}  // namespace firbank::program
