// LatencyReport: what `firbank bench latency` found, as JSON, as a table, as a line for each block,
// and as a trace.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/latency/latency_run.hpp"
#include "demos/firbank/bench/latency/latency_summary.hpp"
#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/bench/machine/real_time_thread.hpp"

namespace firbank::program {

struct LatencyReport {
  nlohmann::ordered_json head;  // begin_report(), before anything was measured
  nlohmann::ordered_json setting;
  std::string description;  // of the stream, for people
  ClockFacts clock;
  std::vector<Grant> grants;
  LatencyPlan plan;
  LatencyRun run;
  LatencySummary engine;
  LatencySummary empty;  // of no blocks where none was measured
  std::vector<SegmentSummary> segments;
  Verdict verdict;
  bool hands_over = false;  // blocks go to a device by a step of its own

  std::size_t latency_frames = 0;  // by which answers come later: --depth
  double sample_rate_hz = 0;

  /// What these frames last.
  double latency_ns() const { return 1e9 * static_cast<double>(latency_frames) / sample_rate_hz; }

  /// The blocks' period: each has to be done before the next one is due.
  double deadline_ns() const { return plan.pace.period_ns; }
  /// When the first block that is counted was due; all times of a report count from here.
  std::int64_t begin_ns() const { return segments.empty() ? 0 : segments.front().begin_ns; }
};

inline double seconds_since(std::int64_t begin_ns, std::int64_t at_ns) {
  return 1e-9 * static_cast<double>(at_ns - begin_ns);
}

nlohmann::ordered_json to_json(const LatencyReport& report);

void print(const LatencyReport& report);

/// A line for each block, the first line naming the columns.
std::string to_csv(const LatencyReport& report);

/// Trace Event Format, as Perfetto and Chromium open it: a slice for each of the first blocks of
/// both loops, and for each stage of these.
inline constexpr std::size_t kTracedBlocks = 100'000;  // of each loop
std::string to_trace(const LatencyReport& report);

}  // namespace firbank::program
