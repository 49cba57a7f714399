#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "demos/firbank/bench/latency/latency_report.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kListedMisses = 10;

std::string figure(std::uint64_t ns) {
  return duration(1e-9 * static_cast<double>(ns));
}

void print_row(const std::string& name, const DurationSummary& times) {
  if (times.count() == 0) return;
  fmt::print("{:<22}", name);
  for (const NamedQuantile& quantile : kQuantiles) {
    const auto value = times.at(quantile);
    fmt::print(" {:>8}", value ? figure(*value) : "-");
  }
  fmt::print(" {:>8}\n", figure(times.histogram().max_ns()));
}

void print_stages(const LatencyReport& report) {
  const LatencySummary& engine = report.engine;
  const auto stage = [&](BlockStage which) -> const DurationSummary& {
    return engine.stages[static_cast<std::size_t>(which)];
  };
  fmt::print("\n{:<22}", "");
  for (const NamedQuantile& quantile : kQuantiles) fmt::print(" {:>8}", quantile.name);
  fmt::print(" {:>8}\n", "max");
  if (!report.plan.unpaced) {
    print_row("woken late by", engine.wake_up);
    print_row("wait", stage(BlockStage::kWait));
  }
  print_row("ingest", stage(BlockStage::kIngest));
  if (report.hands_over) print_row("to the device", stage(BlockStage::kToDevice));
  print_row("compute", stage(BlockStage::kCompute));
  print_row("publish", stage(BlockStage::kPublish));
  print_row("work, all of it", engine.work);
  print_row("processor time", engine.processor);
  if (!report.plan.unpaced) print_row("end to end", engine.end_to_end);
  if (report.latency_frames > 0) {
    fmt::print("{:<22} {} more: the blocks of --depth\n", "  of the answer",
               duration(1e-9 * report.latency_ns()));
  }
  print_row("empty loop", report.empty.end_to_end);
}

std::string causes(const LatencySummary& summary) {
  std::string text;
  for (std::size_t c = 0; c < kMissCauses; ++c) {
    if (summary.causes[c] == 0) continue;
    std::string name = key_of(static_cast<MissCause>(c));
    std::replace(name.begin(), name.end(), '_', ' ');
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", summary.causes[c], name);
  }
  return text;
}

std::string share_of_misses(const LatencySummary& summary) {
  const std::string share =
      fmt::format("{} of {}", summary.misses.size(), counted(summary.blocks, "block"));
  return summary.misses.empty() ? share : fmt::format("{}: {}", share, causes(summary));
}

void print_misses(const LatencyReport& report) {
  fmt::print("\ndeadlines of {} missed  {}\n",
             figure(static_cast<std::uint64_t>(report.deadline_ns())),
             share_of_misses(report.engine));
  if (report.plan.with_empty) fmt::print("by the empty loop  {}\n", share_of_misses(report.empty));
  std::size_t listed = 0;
  for (const DeadlineMiss& miss : report.engine.misses) {
    if (miss.cause == MissCause::kBehind) continue;
    if (listed++ == kListedMisses) {
      fmt::print("  ... (--csv has every block)\n");
      break;
    }
    std::string cause = key_of(miss.cause);
    std::replace(cause.begin(), cause.end(), '_', ' ');
    fmt::print("  block {:>8} at {:>9.4f} s  {:>8}  {}\n", miss.block,
               seconds_since(report.begin_ns(), miss.due_ns), figure(miss.end_to_end_ns), cause);
  }
}

void print_counted(const LatencyReport& report) {
  const LatencyPlan& plan = report.plan;
  if (plan.unpaced) {
    fmt::print("counted    {}, one after another, not paced\n",
               counted(report.engine.blocks, "block"));
    return;
  }
  fmt::print("counted    {} in {} of {}{}; the first {} of each left out\n",
             counted(report.engine.blocks, "block"), counted(plan.segments, "segment"),
             counted(plan.blocks_per_segment, "block"),
             plan.with_empty ? ", in turn with as many of an empty loop" : "", plan.warm_up_blocks);
}

}  // namespace

void print(const LatencyReport& report) {
  fmt::print("{}\n", report.description);
  fmt::print("clock      {}{}, {} a reading\n", report.clock.name,
             report.clock.source.empty() ? "" : fmt::format(" ({})", report.clock.source),
             duration(1e-9 * report.clock.read_ns));
  for (const Grant& grant : report.grants) {
    fmt::print("{:<10} {}{}\n", grant.granted ? "with" : "without", grant.what,
               grant.granted ? "" : fmt::format(": {}", grant.why_not));
  }
  print_counted(report);
  print_stages(report);
  if (!report.plan.unpaced) print_misses(report);
  fmt::print("\n");
  for (const std::string& reason : report.verdict.reasons) fmt::print("note: {}\n", reason);
}

}  // namespace firbank::program
