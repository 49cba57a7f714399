#include "demos/firbank/bench/throughput/throughput_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "demos/firbank/bench/throughput/throughput_figures.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

/// Rounded to so many digits, without an exponent.
std::string rounded(double value, int digits) {
  if (value == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  const double unit = std::pow(10.0, magnitude - digits + 1);
  return fmt::format("{:.{}f}", std::round(value / unit) * unit,
                     std::max(digits - 1 - magnitude, 0));
}

/// As many digits as the spread of the repeats leaves.
std::string figure(double value, double spread) {
  return rounded(value, spread > 0.03 ? 2 : 3);
}
std::string giga(double value, double spread) {
  return figure(1e-9 * value, spread);
}
std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

std::string ceilings_line(const MachineCeilings& ceilings) {
  std::string line = fmt::format("One core can do {} Gflop/s ({}, {}), and read",
                                 rounded(1e-9 * ceilings.peak_flops_per_second, 3),
                                 backend_name(ceilings.instruction_set),
                                 ceilings.sample_bytes == sizeof(float) ? "float" : "double");
  // A few sizes, a factor of 16 apart, and the largest.
  const char* separator = "\n";
  for (std::size_t n = 0; n < ceilings.reads.size(); n += 4) {
    const bool is_last = n + 4 >= ceilings.reads.size();
    const ReadCeiling& read = is_last ? ceilings.reads.back() : ceilings.reads[n];
    line += fmt::format("{}{} GB/s of {}", separator, rounded(1e-9 * read.bytes_per_second, 2),
                        bytes(read.bytes));
    separator = ", ";
  }
  if (ceilings.threads > 1) line += fmt::format(", while {} are at work", ceilings.threads);
  return line + ".\n\n";
}

/// A line of the table; the heading goes through it as well. Columns that have no use are left out:
/// the clock's beside processor time on one thread, and the bus where there is none.
struct Line {
  std::string name, block, goal, sample_taps, realtime, clock, flops, of_peak, reads, of_reads,
      reach, bound_by, bus, spread;

  std::string text(bool has_clock, bool has_bus) const {
    return fmt::format(
        "{:<8} {:>6} {:<7} {:>7} {:>11}{} {:>8} {:>8} {:>6} {:>8} {:>10} {:<10}{} {:>7}\n", name,
        block, goal, sample_taps, realtime, has_clock ? fmt::format(" {:>9}", clock) : "", flops,
        of_peak, reads, of_reads, reach, bound_by, has_bus ? fmt::format(" {:>8}", bus) : "",
        spread);
  }
};

Line heading() {
  return {"row",     "block", "goal",     "Gst/s",      "x real time", "by clock", "Gflop/s",
          "of peak", "GB/s",  "of reads", "going over", "bound by",    "bus GB/s", "spread"};
}

Line line_of(const ThroughputResult& result, const ThroughputFigures& figures) {
  const double spread = figures.spread;
  const auto& roof = figures.roof;
  return {.name = result.row.name,
          .block = fmt::format("{}", result.call_frames),
          .goal = result.row.goal(),
          .sample_taps = giga(figures.sample_taps_per_s, spread),
          .realtime = figure(figures.times_realtime, spread),
          .clock = figure(figures.clock_times_realtime, spread),
          .flops = giga(figures.flops_per_s, spread),
          .of_peak = roof ? percent(roof->share_of_peak) : "-",
          .reads = giga(figures.bytes_per_s, spread),
          .of_reads = roof ? percent(roof->share_of_bandwidth) : "-",
          .reach = bytes(figures.working_set_bytes),
          .bound_by = !roof                  ? "-"
                      : roof->bound_by_reads ? "reads"
                                             : "arithmetic",
          .bus = giga(figures.bus_bytes_per_s, spread),
          .spread = fmt::format("{:.1f}%", 100 * spread)};
}

std::string legend(const ThroughputReport& report) {
  const bool on_cpu = report.results.front().on_cpu;
  std::string text = fmt::format(
      R"(
Gst/s are 10^9 samples times taps a second; a second is {}
Figures are the median of {} stretches, in turn with the other rows; spread is the width
of their middle half. What fills the filters and the caches before a stretch is left
out. Each row's output was compared with a direct convolution first.
Flops and bytes are what the plan cannot do without: 2.5 N log2 N a transform, each
spectrum read once.)",
      on_cpu ? "one of processor time, of all\nthreads together."
             : "one of the clock: calls are\nback to back and not paced in real time.",
      report.effort.repeats);
  if (report.ceilings) {
    text += R"( 'of reads' is their share of what can be read where so much else is
gone over before the same is wanted again: much comes from caches, so that GB/s may lie
above what memory gives.
)";
  } else {
    text += " What the device could do at most is not measured here.\n";
  }
  return text;
}

}  // namespace

std::string throughput_table(const ThroughputReport& report) {
  std::string text;
  if (report.ceilings) text += ceilings_line(*report.ceilings);
  bool has_heading = false;
  for (const ThroughputResult& result : report.results) {
    if (result.stretches.empty()) continue;
    const bool has_clock = result.on_cpu && result.row.config.threads > 1;
    if (!has_heading) text += heading().text(has_clock, !result.on_cpu);
    has_heading = true;
    text += line_of(result, throughput_figures(result, report.ceilings))
                .text(has_clock, !result.on_cpu);
  }
  if (!has_heading) return text;
  text += legend(report);
  for (const std::string& doubt : throughput_doubts(report)) {
    text += fmt::format("Not to be relied on: {}.\n", doubt);
  }
  return text;
}

}  // namespace firbank::program
