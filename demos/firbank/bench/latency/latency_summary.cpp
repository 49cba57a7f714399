#include "demos/firbank/bench/latency/latency_summary.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "demos/firbank/bench/order_statistics.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr double kLargeShare = 0.25;  // of the deadline, for the machine's p99 alone
constexpr double kLargeChange = 2;    // from one quarter of the segments to another
constexpr std::size_t kLeastSegments = 8;

MissCause cause_of(const BlockTimes& block, double deadline_ns) {
  const std::uint64_t work = block.work_ns();
  // One whose own work takes too long is late by itself, whatever it waited for.
  const bool is_late_by_itself = static_cast<double>(work) >= deadline_ns;
  if (!block.slept && !is_late_by_itself) return MissCause::kBehind;
  const std::uint64_t wait = is_late_by_itself ? 0 : block[BlockStage::kWait];
  const std::uint64_t elsewhere = work - std::min<std::uint64_t>(work, block.cpu_ns);
  const std::uint64_t computing = work - elsewhere;
  if (computing >= std::max(wait, elsewhere)) return MissCause::kComputing;
  if (wait >= elsewhere) return MissCause::kWokenLate;
  return block.yields > 0 ? MissCause::kYielding : MissCause::kInterrupted;
}

std::vector<std::uint64_t> end_to_end_of(std::span<const BlockTimes> times) {
  std::vector<std::uint64_t> values;
  values.reserve(times.size());
  for (const BlockTimes& block : times) values.push_back(block.end_to_end_ns());
  return values;
}

std::vector<SeriesPoint> series_of(std::span<const BlockTimes> times) {
  const std::size_t step = (times.size() + kSeriesPoints - 1) / kSeriesPoints;
  std::vector<SeriesPoint> series;
  for (std::size_t first = 0; first < times.size(); first += step) {
    const auto part = times.subspan(first, std::min(step, times.size() - first));
    std::vector<std::uint64_t> values = end_to_end_of(part);
    const std::uint64_t most = *std::max_element(values.begin(), values.end());
    series.push_back({part.front().due_ns, quantile(values, 0.5), most});
  }
  return series;
}

/// The quarters' medians of the empty segments' p99, the largest over the smallest.
double change_of(const std::vector<SegmentSummary>& segments) {
  std::vector<std::uint64_t> values;
  for (const SegmentSummary& segment : segments) {
    if (segment.empty && segment.blocks > 0) values.push_back(segment.p99_ns);
  }
  if (values.size() < kLeastSegments) return 1;
  const std::size_t quarter = values.size() / 4;
  std::uint64_t least = UINT64_MAX;
  std::uint64_t most = 0;
  for (std::size_t n = 0; n < 4; ++n) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(n * quarter);
    std::vector<std::uint64_t> part(begin, begin + static_cast<std::ptrdiff_t>(quarter));
    const std::uint64_t middle = quantile(part, 0.5);
    least = std::min(least, middle);
    most = std::max(most, middle);
  }
  return static_cast<double>(most) / static_cast<double>(std::max<std::uint64_t>(least, 1));
}

}  // namespace

const char* key_of(MissCause cause) noexcept {
  static constexpr std::array<const char*, kMissCauses> kNames = {
      "computing", "yielding", "interrupted", "woken_late", "behind"};
  return kNames[static_cast<std::size_t>(cause)];
}

LatencySummary summarise(std::span<const BlockTimes> times, double deadline_ns) {
  LatencySummary summary;
  summary.blocks = times.size();
  for (const BlockTimes& block : times) {
    if (block.slept) summary.wake_up.record(block[BlockStage::kWait]);
    for (std::size_t s = 0; s < kBlockStages; ++s) summary.stages[s].record(block.stage_ns[s]);
    summary.work.record(block.work_ns());
    summary.processor.record(block.cpu_ns);
    const std::uint64_t end_to_end = block.end_to_end_ns();
    summary.end_to_end.record(end_to_end);
    if (static_cast<double>(end_to_end) < deadline_ns) continue;
    const MissCause cause = cause_of(block, deadline_ns);
    summary.misses.push_back({block.number, block.due_ns, end_to_end, cause});
    ++summary.causes[static_cast<std::size_t>(cause)];
  }
  summary.series = series_of(times);
  return summary;
}

std::vector<SegmentSummary> summarise_segments(const LatencyRun& run, double deadline_ns) {
  std::vector<SegmentSummary> summaries;
  for (const LatencySegment& segment : run.segments) {
    if (segment.blocks == 0) continue;
    const std::vector<BlockTimes>& all = segment.empty ? run.empty : run.engine;
    const auto times = std::span(all).subspan(segment.first, segment.blocks);
    std::vector<std::uint64_t> values = end_to_end_of(times);
    SegmentSummary summary;
    summary.empty = segment.empty;
    summary.begin_ns = times.front().due_ns;
    summary.blocks = times.size();
    summary.max_ns = *std::max_element(values.begin(), values.end());
    summary.misses = static_cast<std::uint64_t>(std::count_if(
        values.begin(), values.end(),
        [&](std::uint64_t value) { return static_cast<double>(value) >= deadline_ns; }));
    summary.p50_ns = quantile(values, 0.5);
    summary.p99_ns = quantile(values, 0.99);
    for (std::size_t n = 0; n < times.size(); ++n) values[n] = times[n].cpu_ns;
    summary.processor_p50_ns = quantile(values, 0.5);
    summaries.push_back(summary);
  }
  return summaries;
}

Verdict judge(const LatencyRun& run, const LatencySummary& engine, const LatencySummary* empty,
              const std::vector<SegmentSummary>& segments, double deadline_ns, bool paced) {
  Verdict verdict;
  const auto spoil = [&](std::string reason) {
    verdict.usable = false;
    verdict.reasons.push_back(std::move(reason));
  };
  if (run.overloaded) {
    spoil(
        "blocks came later and later until one was a second late: this machine does not sustain "
        "this stream, and quantiles say nothing");
  }
  if (run.empty_overloaded) {
    spoil(
        "too noisy to judge: with nothing to do, blocks came later and later until one was a "
        "second "
        "late");
  }
  if (run.stopped) verdict.reasons.push_back("stopped before its end");
  if (!paced) {
    verdict.reasons.push_back("not paced: how long blocks take, and nothing of when they come");
    return verdict;
  }
  if (engine.blocks < kQuantiles[2].least) {
    spoil(fmt::format("{} counted: a 99th percentile takes {}", counted(engine.blocks, "block"),
                      kQuantiles[2].least));
  }
  if (empty == nullptr) {
    verdict.reasons.push_back("without the empty loop the machine's own share is not known");
    return verdict;
  }
  if (const auto p99 = empty->end_to_end.at(kQuantiles[2])) {
    const double share = static_cast<double>(*p99) / deadline_ns;
    if (share > kLargeShare) {
      spoil(
          fmt::format("too noisy to judge: with nothing to do, 1 block in 100 is {} late, {:.0f} % "
                      "of its deadline",
                      duration(1e-9 * static_cast<double>(*p99)), 100 * share));
    }
  }
  const double change = change_of(segments);
  if (change > kLargeChange) {
    spoil(
        fmt::format("too noisy to judge: the empty loop's p99 changed by a factor of {:.1f} while "
                    "this was measured",
                    change));
  }
  if (!empty->misses.empty()) {
    verdict.reasons.push_back(fmt::format(
        "the empty loop missed {} as well: so many of the stream's may be the machine's",
        counted(empty->misses.size(), "deadline")));
  }
  return verdict;
}

}  // namespace firbank::program
