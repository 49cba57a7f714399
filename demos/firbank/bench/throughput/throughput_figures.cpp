#include "demos/firbank/bench/throughput/throughput_figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace firbank::program {
namespace {

// What repeats may differ by and their median still be relied on.
constexpr double kMostSpread = 0.1;
// By so much a ceiling that was measured may be passed: a processor changes its speed.
constexpr double kCeilingSlack = 1.05;

/// Linear between the values, which are in order; `share` 0 to 1.
double quantile(const std::vector<double>& ordered, double share) {
  const double at = share * static_cast<double>(ordered.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, ordered.size() - 1);
  return ordered[below] + (at - static_cast<double>(below)) * (ordered[above] - ordered[below]);
}

}  // namespace

ThroughputFigures throughput_figures(const ThroughputResult& result,
                                     const std::optional<MachineCeilings>& ceilings) {
  const auto rate = [&](const Stretch& stretch) {
    return stretch.frames / result.counted_s(stretch);
  };
  std::vector<Stretch> ordered = result.stretches;
  std::sort(ordered.begin(), ordered.end(),
            [&](const Stretch& a, const Stretch& b) { return rate(a) < rate(b); });
  std::vector<double> rates(ordered.size());
  std::transform(ordered.begin(), ordered.end(), rates.begin(), rate);

  ThroughputFigures figures;
  figures.median = ordered[ordered.size() / 2];
  const double frames_per_s = rate(figures.median);
  figures.spread = (quantile(rates, 0.75) - quantile(rates, 0.25)) / frames_per_s;
  figures.sample_taps_per_s = frames_per_s * result.taps;
  figures.times_realtime = frames_per_s / result.row.config.sample_rate_hz;
  figures.clock_times_realtime =
      figures.median.frames / figures.median.clock_s / result.row.config.sample_rate_hz;
  const PlanFloor& floor = result.floor;
  figures.flops_per_s = frames_per_s * floor.flops_per_frame;
  figures.bytes_per_s = frames_per_s * floor.bytes_per_frame();
  figures.bus_bytes_per_s = frames_per_s * floor.readings.front().bytes_per_frame;
  for (const PlanReading& reading : floor.readings) {
    figures.working_set_bytes = std::max(figures.working_set_bytes, reading.reach_bytes);
  }
  if (!ceilings) return figures;
  const double read_seconds = floor.read_seconds_per_frame(*ceilings);
  const double flop_seconds = floor.flop_seconds_per_frame(*ceilings);
  figures.roof = {.flops_per_s = floor.flops_per_frame / std::max(read_seconds, flop_seconds),
                  .share_of_peak = flop_seconds * frames_per_s,
                  .share_of_bandwidth = read_seconds * frames_per_s,
                  .bound_by_reads = read_seconds > flop_seconds};
  return figures;
}

std::vector<std::string> throughput_doubts(const ThroughputReport& report) {
  std::vector<std::string> doubts;
  if (report.interrupted) doubts.emplace_back("it was interrupted");
  for (const ThroughputResult& result : report.results) {
    if (result.stretches.empty()) continue;
    const ThroughputFigures figures = throughput_figures(result, report.ceilings);
    if (figures.spread > kMostSpread) {
      doubts.push_back(fmt::format(
          "row '{}': the middle half of its repeats differ by {:.0f}%; at most {:.0f}% can be "
          "judged: the machine was busy, or --seconds is short",
          result.row.name, 100 * figures.spread, 100 * kMostSpread));
    }
    if (figures.roof &&
        std::max(figures.roof->share_of_peak, figures.roof->share_of_bandwidth) > kCeilingSlack) {
      doubts.push_back(
          fmt::format("row '{}' is above the ceilings: those were measured in a busier moment",
                      result.row.name));
    }
  }
  return doubts;
}

std::optional<double> throughput_headline(const ThroughputReport& report) {
  double logarithms = 0;
  double rows = 0;
  for (const ThroughputResult& result : report.results) {
    if (result.stretches.empty()) continue;
    logarithms += std::log(throughput_figures(result, report.ceilings).sample_taps_per_s);
    ++rows;
  }
  if (rows == 0) return std::nullopt;
  return std::exp(logarithms / rows);
}

}  // namespace firbank::program
