// The times of every block: as lines of CSV, and as a trace.
#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>

#include <fmt/format.h>

#include "demos/firbank/bench/latency/latency_report.hpp"

namespace firbank::program {
namespace {

constexpr std::array<const char*, kBlockStages> kStageNames = {
    "wait", "ingest", "to_device", "compute", "from_device", "publish"};

void add_lines(std::string& text, const LatencyReport& report, std::span<const BlockTimes> times,
               const char* run) {
  for (const BlockTimes& block : times) {
    auto out = std::back_inserter(text);
    fmt::format_to(out, "{},{},{:.9f}", run, block.number,
                   seconds_since(report.begin_ns(), block.due_ns));
    for (const std::uint64_t ns : block.stage_ns) fmt::format_to(out, ",{}", ns);
    fmt::format_to(out, ",{},{},{},{},{},{},{}\n", block.work_ns(), block.end_to_end_ns(),
                   block.cpu_ns, block.yields, block.interruptions, block.slept ? 1 : 0,
                   static_cast<double>(block.end_to_end_ns()) >= report.deadline_ns() ? 1 : 0);
  }
}

void add_name(std::string& text, int thread, const char* name) {
  fmt::format_to(std::back_inserter(text),
                 R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":"{}"}}}},)"
                 "\n",
                 thread, name);
}

void add_slice(std::string& text, int thread, const char* name, double begin_us, double lasts_us,
               std::int64_t block) {
  fmt::format_to(
      std::back_inserter(text),
      R"({{"name":"{}","ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f},"args":{{"block":{}}}}},)"
      "\n",
      name, thread, begin_us, lasts_us, block);
}

void add_slices(std::string& text, const LatencyReport& report, std::span<const BlockTimes> times,
                int thread) {
  for (const BlockTimes& block : times) {
    const double due_us = 1e6 * seconds_since(report.begin_ns(), block.due_ns);
    const auto lasts_us = 1e-3 * static_cast<double>(block.end_to_end_ns());
    const bool late = static_cast<double>(block.end_to_end_ns()) >= report.deadline_ns();
    // A block that waits for the one before begins within it: slices of one thread must nest.
    if (!block.slept) {
      add_slice(text, thread, "behind", due_us + 1e-3 * block[BlockStage::kWait],
                1e-3 * static_cast<double>(block.work_ns()), block.number);
    } else {
      add_slice(text, thread, late ? "late block" : "block", due_us, lasts_us, block.number);
    }
    double at_us = due_us;
    for (std::size_t s = 0; s < kBlockStages; ++s) {
      const double stage_us = 1e-3 * block.stage_ns[s];
      const bool is_wait = s == static_cast<std::size_t>(BlockStage::kWait);
      if (stage_us > 0 && (!is_wait || block.slept)) {
        add_slice(text, thread, kStageNames[s], at_us, stage_us, block.number);
      }
      at_us += stage_us;
    }
  }
}

}  // namespace

std::string to_csv(const LatencyReport& report) {
  std::string text = "run,block,due_s";
  for (const char* name : kStageNames) text += fmt::format(",{}_ns", name);
  text += ",work_ns,end_to_end_ns,processor_ns,yields,interruptions,slept,missed\n";
  add_lines(text, report, report.run.engine, "engine");
  add_lines(text, report, report.run.empty, "empty");
  return text;
}

std::string to_trace(const LatencyReport& report) {
  const auto first = [](const std::vector<BlockTimes>& times) {
    return std::span(times).first(std::min(times.size(), kTracedBlocks));
  };
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
  add_name(text, 1, "stream");
  add_slices(text, report, first(report.run.engine), 1);
  if (!report.run.empty.empty()) add_name(text, 2, "empty loop");
  add_slices(text, report, first(report.run.empty), 2);
  text.resize(text.size() - 2);  // the last comma
  return text + "\n]}\n";
}

}  // namespace firbank::program
