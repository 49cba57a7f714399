// firbank bench latency: a paced stream, how late its output is, and where the time goes.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/latency/latency_report.hpp"
#include "demos/firbank/bench/latency/stream_work.hpp"
#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/bench/stream_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/text_file.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/engine.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  Stereo reverb of 48000 taps in blocks of 64, as it is:
    firbank bench latency
  A probe of 384 channels, for a minute, with a page to look at:
    firbank bench latency --channels 384 --taps 512 --rate 30000 --block 32 \
        --seconds 60 --html probe.html
  Every block, for a spreadsheet and for ui.perfetto.dev:
    firbank bench latency --filter hall.wav --csv blocks.csv --trace blocks.json

A block is due when its last sample would be there, and late when it is not done by
the time that the next one is due. Times count from when blocks were due, also behind
a late one. In turn with the stream an empty loop does nothing at the same pace: what
it is late by is the machine's part. '-' stands for a quantile that there are too few
blocks for: ten have to lie above it.

Exit codes: 0 measured; 2 bad usage; 3 a file cannot be read or written; 4 measured,
but too noisy to judge, or the stream was not sustained; 130 after Ctrl-C.)";

constexpr std::size_t kLeastBlocks = 100;       // of a segment
constexpr std::size_t kMostBytes = 1ull << 30;  // of the times of all blocks

struct Arguments {
  StreamOptions stream;
  std::string drive;  // empty: what suits the backend
  double seconds = 10;
  double spin_us = 0;
  int priority = 70;
  std::optional<std::size_t> processor;
  bool no_pin = false;
  bool no_empty = false;
  bool unpaced = false;
  double inject_ms = 0;
  std::size_t inject_every = 1'000;
  double inject_busy_percent = 0;
  bool quiet = false;
  ReportOptions report;
  std::string csv;
  std::string trace;
};

LatencyPlan plan_of(const Arguments& arguments) {
  LatencyPlan plan;
  plan.pace.period_ns = 1e9 * static_cast<double>(arguments.stream.engine.block_frames) /
                        arguments.stream.sample_rate_hz;
  plan.pace.spin_ns = std::llround(1e3 * arguments.spin_us);
  plan.unpaced = arguments.unpaced;
  // Of long blocks fewer warm up: a tenth of a second is enough.
  const auto in_time = static_cast<std::size_t>(std::ceil(1e8 / plan.pace.period_ns));
  plan.warm_up_blocks = std::min(plan.warm_up_blocks, in_time);
  plan.with_empty = !arguments.no_empty && !arguments.unpaced;
  const double blocks = std::max(1.0, 1e9 * arguments.seconds / plan.pace.period_ns);
  // A second each, so that both loops see the same of what the machine does meanwhile.
  const double segment = std::max(static_cast<double>(kLeastBlocks), 1e9 / plan.pace.period_ns);
  plan.segments = static_cast<std::size_t>(std::max(1.0, std::round(blocks / segment)));
  if (plan.unpaced) plan.segments = 1;
  plan.blocks_per_segment =
      static_cast<std::size_t>(std::ceil(blocks / static_cast<double>(plan.segments)));
  if (bytes_of(plan) > kMostBytes) {
    refuse(fmt::format("--seconds {} are {} blocks, whose times take {}; at most {} is allowed",
                       arguments.seconds, plan.segments * plan.blocks_per_segment,
                       bytes(static_cast<double>(bytes_of(plan))),
                       bytes(static_cast<double>(kMostBytes))));
  }
  return plan;
}

/// Whether the thread stays on a processor without being told so: one that works alone.
bool pins(const Arguments& arguments) {
  const std::size_t threads = arguments.stream.engine.threads_for(PlanGoal::kLive);
  return !arguments.no_pin && threads == 1 && arguments.drive == "process";
}

/// Of the thread that is woken, and of no other.
RealTimeRequest place_of(const Arguments& arguments) {
  RealTimeRequest request;
  request.priority = 0;
  request.lock_memory = false;
  request.processor = arguments.processor;
  if (!arguments.processor && pins(arguments)) request.processor = last_allowed_processor();
  return request;
}

/// The exit code that what was lost on the way asks for.
int tell_losses(const Stats& stats, bool whole, const std::string& failure) {
  if (!failure.empty()) tell("firbank: the device was lost: {}\n", failure);
  if (stats.late_frames > 0) {
    tell("firbank: {} left without the filters' tail, as the device answered too late\n",
         counted(static_cast<std::uint64_t>(stats.late_frames), "frame"));
  }
  if (!whole) tell("firbank: the engine left blocks without an answer\n");
  return whole && failure.empty() && stats.late_frames == 0 ? kExitDone : kExitLoss;
}

/// What is measured, for the report and for people.
template <class Sample>
void describe_stream(const Arguments& arguments, const StreamCase& stream,
                     const BasicEngine<Sample>& engine, LatencyReport& report) {
  report.latency_frames = arguments.drive == "pipeline" ? engine.latency_frames() : 0;
  report.sample_rate_hz = stream.config.sample_rate_hz;
  report.setting = setting_json(stream, arguments.stream);
  report.setting.update({{"backend", engine.backend()},
                         {"instruction_set", engine.instruction_set()},
                         {"threads", engine.threads()},
                         {"drive", arguments.drive},
                         {"depth_blocks", stream.config.depth_blocks},
                         {"latency_frames", report.latency_frames},
                         {"gpu_mode", arguments.stream.engine.is_hybrid() ? "hybrid" : "whole"},
                         {"plan", engine.plan().describe()},
                         {"injected_sleep_ns", std::llround(1e6 * arguments.inject_ms)},
                         {"injected_every", arguments.inject_ms > 0 ? arguments.inject_every : 0},
                         {"injected_busy_percent", arguments.inject_busy_percent}});
  report.description =
      fmt::format("stream     {}\n           blocks of {} at {} Hz: {}\nplan       {}, {}, {}{}",
                  describe(stream, arguments.stream.bank.routing), stream.config.block_frames,
                  stream.config.sample_rate_hz, duration(1e-9 * report.plan.pace.period_ns),
                  engine.backend(), engine.plan().describe(), counted(engine.threads(), "thread"),
                  arguments.drive == "pipeline" ? ", by push and pull" : "");
}

template <class Sample>
int measure(Arguments& arguments, const StreamCase& stream, LatencyReport& report) {
  // Before there are other threads, so that these have the same rights; but each where it likes.
  RealTimeRequest request;
  request.priority = arguments.priority;
  const RealTimeThread real_time(request);
  report.grants = real_time.grants();
  const auto engine_made = [&] {
    const SignalsForMainThread guard;
    return std::make_unique<BasicEngine<Sample>>(stream.config, stream.bank, stream.routing);
  }();
  BasicEngine<Sample>& engine = *engine_made;
  const bool on_device = !engine.backend().starts_with("cpu");
  if (arguments.drive.empty()) arguments.drive = on_device ? "pipeline" : "process";
  report.hands_over = on_device && arguments.drive == "process";
  describe_stream(arguments, stream, engine, report);

  const Injected injected{std::llround(1e6 * arguments.inject_ms),
                          arguments.inject_ms > 0 ? arguments.inject_every : 0,
                          arguments.inject_busy_percent / 100};
  StreamWork<Sample> work(engine, stream.config.block_frames,
                          arguments.drive == "pipeline" ? Drive::kPipeline : Drive::kProcess,
                          injected);
  work.fill();
  report.clock = measure_clock();
  {
    const RealTimeThread pinned(place_of(arguments));
    if (arguments.processor || pins(arguments)) report.grants.push_back(pinned.grants().back());
    const std::size_t all = report.plan.segments * (report.plan.with_empty ? 2 : 1);
    ProgressBar progress(static_cast<std::int64_t>(all), "measuring", !arguments.quiet);
    report.run = run_latency(
        report.plan, work,
        [&](std::size_t done) { progress.update(static_cast<std::int64_t>(done)); },
        [] { return interrupt_requested(); });
  }
  return tell_losses(engine.stats(), work.is_whole(), engine.failure());
}

void write(const std::unique_ptr<TextFile>& file, std::string (*make)(const LatencyReport&),
           const LatencyReport& report) {
  if (file) file->finish(make(report));
}

/// Nothing without a path; else one more of `others`.
std::unique_ptr<TextFile> open_file(const std::string& option, const std::string& path,
                                    std::vector<std::string>& others) {
  if (path.empty()) return nullptr;
  refuse_same_file(option, path, others);
  others.push_back(path);
  return std::make_unique<TextFile>(path);
}

int run(Arguments& arguments) {
  LatencyReport report;
  report.plan = plan_of(arguments);
  if (arguments.processor && !is_allowed_processor(*arguments.processor)) {
    refuse(
        fmt::format("--processor {} is none that this program may run on", *arguments.processor));
  }
  arguments.stream.engine.open_backend();
  const StreamCase stream =
      arguments.stream.make([](const std::string& line) { tell("firbank: note: {}\n", line); });
  std::vector<std::string> others = arguments.stream.bank.files;
  const auto csv = open_file("--csv", arguments.csv, others);
  const auto trace = open_file("--trace", arguments.trace, others);
  arguments.report.open(others);
  install_interrupt_handlers(2);
  report.head = begin_report("latency");

  const bool is_float = arguments.stream.engine.precision == "float";
  const int losses = is_float ? measure<float>(arguments, stream, report)
                              : measure<double>(arguments, stream, report);
  report.engine = summarise(report.run.engine, report.deadline_ns());
  report.empty = summarise(report.run.empty, report.deadline_ns());
  report.segments = summarise_segments(report.run, report.deadline_ns());
  report.verdict =
      judge(report.run, report.engine, report.plan.with_empty ? &report.empty : nullptr,
            report.segments, report.deadline_ns(), !report.plan.unpaced);

  if (const std::string slow = slow_build(); !slow.empty()) {
    report.verdict.reasons.push_back(
        fmt::format("this program is slower than it need be: {}", slow));
  }

  // What cannot be written last takes nothing from what was told before.
  const bool takes_output =
      arguments.report.takes_standard_output() || arguments.csv == "-" || arguments.trace == "-";
  if (!arguments.quiet && !takes_output) print(report);
  arguments.report.finish(to_json(report));
  write(csv, to_csv, report);
  write(trace, to_trace, report);
  if (report.run.stopped) return kExitInterrupted;
  return report.verdict.usable ? losses : static_cast<int>(kExitLoss);
}

void add_timing_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--seconds", arguments.seconds, "Seconds of the stream (10), and of nothing")
      ->type_name("S")
      ->check(number(0.01, 86'400));
  command
      .add_option("--drive", arguments.drive,
                  "process: in the thread that is woken, as an audio callback\n"
                  "(default on a CPU); pipeline: by push and pull (default on a GPU)")
      ->type_name("process|pipeline")
      ->check(one_of({"process", "pipeline"}));
  command
      .add_option("--priority", arguments.priority,
                  "Of SCHED_FIFO, where permitted (70), 1 to 99; 0: ordinary")
      ->type_name("N")
      ->check(whole_number(0, 99));
  command
      .add_option("--processor", arguments.processor,
                  "The processor to stay on; unless given, the last one allowed,\n"
                  "with a single thread")
      ->type_name("N")
      ->check(whole_number(0, 1'023));
  command.add_flag("--no-pin", arguments.no_pin, "Stay on no processor")->excludes("--processor");
  command
      .add_option("--spin", arguments.spin_us,
                  "Microseconds before a block is due in which the thread does not\n"
                  "sleep but looks at the clock (0)")
      ->type_name("US")
      ->check(number(0, 1e6));
  command.add_flag("--no-empty", arguments.no_empty,
                   "Leave the empty loop out: half the time, and less known");
  command.add_flag("--unpaced", arguments.unpaced,
                   "Let blocks follow one another: how long they take and no more");
  command
      .add_option("--inject-sleep", arguments.inject_ms,
                  "A fault on purpose: this long asleep in the midst of a block")
      ->type_name("MS")
      ->check(number(0, 1'000));
  command.add_option("--inject-every", arguments.inject_every, "Of so many blocks, one (1000)")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  command
      .add_option("--inject-busy", arguments.inject_busy_percent,
                  "Another fault: every block computes longer by this (0)")
      ->type_name("PERCENT")
      ->check(number(0, 1'000));
}

}  // namespace

void add_latency_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command =
      bench.add_subcommand("latency", "Pace a stream; how late is its output, and why");
  const auto arguments = std::make_shared<Arguments>();
  arguments->stream.add_to(*command);
  arguments->stream.engine.add_spectra_to(*command);
  arguments->stream.engine.add_depth_to(*command);
  arguments->stream.engine.add_gpu_mode_to(*command);
  add_timing_options(*command, *arguments);
  arguments->report.add_to(*command, "everything");
  command->add_option("--csv", arguments->csv, "Write the times of every block")->type_name("FILE");
  command
      ->add_option("--trace", arguments->trace,
                   "Write the first 100000 blocks as a trace, for ui.perfetto.dev")
      ->type_name("FILE");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no progress bar");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
