#include <cmath>

#include "demos/firbank/bench/latency/latency_report.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kListedMisses = 10'000;

Json to_json(const DurationSummary& times) {
  if (times.count() == 0) return nullptr;
  Json json = {{"count", times.count()}, {"mean_ns", times.histogram().mean_ns()}};
  for (const NamedQuantile& quantile : kQuantiles) {
    const auto value = times.at(quantile);
    json[quantile.key] = value ? Json(*value) : Json(nullptr);
  }
  json["max_ns"] = times.histogram().max_ns();
  Json buckets = Json::array();
  times.histogram().visit_buckets([&](std::uint64_t upper_ns, std::uint64_t count) {
    buckets.push_back({upper_ns, count});
  });
  json["histogram"] = std::move(buckets);
  return json;
}

Json misses_json(const LatencySummary& summary, std::int64_t begin_ns) {
  Json list = Json::array();
  for (const DeadlineMiss& miss : summary.misses) {
    if (list.size() == kListedMisses) break;
    list.push_back({{"block", miss.block},
                    {"at_s", seconds_since(begin_ns, miss.due_ns)},
                    {"end_to_end_ns", miss.end_to_end_ns},
                    {"cause", key_of(miss.cause)}});
  }
  Json causes = Json::object();
  for (std::size_t c = 0; c < kMissCauses; ++c) {
    causes[key_of(static_cast<MissCause>(c))] = summary.causes[c];
  }
  const bool complete = list.size() == summary.misses.size();
  return {{"count", summary.misses.size()},
          {"causes", std::move(causes)},
          {"list", std::move(list)},
          {"list_is_complete", complete}};
}

Json run_json(const LatencyReport& report, const LatencySummary& summary, bool is_engine,
              std::int64_t begin_ns) {
  const auto stage = [&](BlockStage which) {
    return to_json(summary.stages[static_cast<std::size_t>(which)]);
  };
  const bool device = is_engine && report.hands_over;
  const bool paced = !report.plan.unpaced;
  Json times = {{"wake_up", paced ? to_json(summary.wake_up) : Json(nullptr)},
                {"wait", paced ? stage(BlockStage::kWait) : Json(nullptr)},
                {"ingest", is_engine ? stage(BlockStage::kIngest) : Json(nullptr)},
                {"to_device", device ? stage(BlockStage::kToDevice) : Json(nullptr)},
                {"compute", is_engine ? stage(BlockStage::kCompute) : Json(nullptr)},
                {"from_device", nullptr},
                {"publish", is_engine ? stage(BlockStage::kPublish) : Json(nullptr)},
                {"work", is_engine ? to_json(summary.work) : Json(nullptr)},
                {"processor", to_json(summary.processor)},
                {"end_to_end", to_json(summary.end_to_end)}};
  Json series = Json::array();
  for (const SeriesPoint& point : summary.series) {
    series.push_back({{"at_s", seconds_since(begin_ns, point.due_ns)},
                      {"p50_ns", point.p50_ns},
                      {"max_ns", point.max_ns}});
  }
  return {{"blocks", summary.blocks},
          {"seconds", 1e-9 * report.plan.pace.period_ns * static_cast<double>(summary.blocks)},
          {"overloaded", is_engine && report.run.overloaded},
          {"times", std::move(times)},
          {"misses", misses_json(summary, begin_ns)},
          {"series", std::move(series)}};
}

Json timing_json(const LatencyReport& report) {
  Json grants = Json::array();
  for (const Grant& grant : report.grants) {
    grants.push_back({{"what", grant.what},
                      {"granted", grant.granted},
                      {"why_not", grant.granted ? Json(nullptr) : Json(grant.why_not)}});
  }
  const LatencyPlan& plan = report.plan;
  return {{"clock", report.clock.name},
          {"clock_source", report.clock.source.empty() ? Json(nullptr) : Json(report.clock.source)},
          {"clock_resolution_ns", report.clock.resolution_ns},
          {"clock_read_ns", report.clock.read_ns},
          {"histogram_error", DurationHistogram::kError},
          {"period_ns", plan.pace.period_ns},
          {"deadline_ns", report.deadline_ns()},
          {"latency_ns", report.latency_ns()},
          {"instrument_cpu_ns", report.run.instrument_cpu_ns},
          {"warm_up_blocks", plan.unpaced ? 0 : plan.warm_up_blocks},
          {"segment_seconds",
           1e-9 * plan.pace.period_ns * static_cast<double>(plan.blocks_per_segment)},
          {"spin_ns", plan.pace.spin_ns},
          {"paced", !plan.unpaced},
          {"grants", std::move(grants)}};
}

}  // namespace

Json to_json(const LatencyReport& report) {
  const std::int64_t begin_ns = report.begin_ns();
  Json json = report.head;
  json["setting"] = report.setting;
  json["timing"] = timing_json(report);
  json["runs"] = {{"engine", run_json(report, report.engine, true, begin_ns)},
                  {"empty", report.plan.with_empty ? run_json(report, report.empty, false, begin_ns)
                                                   : Json(nullptr)}};
  Json segments = Json::array();
  for (const SegmentSummary& segment : report.segments) {
    segments.push_back({{"run", segment.empty ? "empty" : "engine"},
                        {"begin_s", seconds_since(begin_ns, segment.begin_ns)},
                        {"blocks", segment.blocks},
                        {"p50_ns", segment.p50_ns},
                        {"p99_ns", segment.p99_ns},
                        {"max_ns", segment.max_ns},
                        {"processor_p50_ns", segment.processor_p50_ns},
                        {"misses", segment.misses}});
  }
  json["segments"] = std::move(segments);
  json["verdict"] = {{"usable", report.verdict.usable}, {"reasons", report.verdict.reasons}};
  // What a listener waits for: the blocks that --depth keeps under way as well.
  const DurationSummary& judged =
      report.plan.unpaced ? report.engine.work : report.engine.end_to_end;
  const auto p99 = judged.at(kQuantiles[2]);
  json["headline"] = {
      {"name", report.plan.unpaced ? "work of a block, unpaced, p99" : "end to end, p99"},
      {"value",
       p99 ? Json(std::llround(static_cast<double>(*p99) + report.latency_ns())) : Json(nullptr)},
      {"unit", "ns"},
      {"better", "less"}};
  return json;
}

}  // namespace firbank::program
