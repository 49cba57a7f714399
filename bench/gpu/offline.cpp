// The engine on a case that is a file, from host memory to host memory: how fast frames go through
// when two calls are always under way. What is wrong is not measured: outputs are checked before
// and after. A stretch of the file is enough, so it says how much of it went through.
//
//   gpu_offline CASE [--backend NAME] [--gpu-mode whole|throughput] [--threads N] [--sixteen-bits]
//               [--seconds N] [--quick] [--verify]
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/gpu/case_engine.hpp"
#include "bench/gpu/cases.hpp"
#include "bench/gpu/feed.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/oracle.hpp"
#include "bench/gpu/pacer.hpp"
#include "bench/gpu/program.hpp"
#include "engine/copy_threads.hpp"
#include "engine/engine.hpp"

namespace firbank::bench {
namespace {

constexpr std::size_t kUnderWay = 2;       // calls, while another one is handed over
constexpr double kMostHostGigabytes = 40;  // of samples and outputs
constexpr std::size_t kLeastTurns = 5;     // that are measured, however long they take
constexpr std::size_t kChecked = 256;      // frames of each stretch that is checked
constexpr std::size_t kLeastChecked = 3;   // calls in a row, so that all outputs' places are

struct Options {
  std::string name;
  std::string backend = "cuda:0";
  GpuMode gpu_mode = GpuMode::kThroughput;
  std::size_t threads = copy_threads();
  bool sixteen_bits = false;
  double seconds = 20;
  bool quick = false;
  bool verify = false;  // and nothing else
};

double most_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

EngineConfig config_of(const Case& which, const Options& options) {
  EngineConfig config;
  config.sample_rate_hz = which.sample_rate_hz;
  config.goal = PlanGoal::kOffline;
  config.gpu_mode = options.gpu_mode;
  config.threads = options.threads;
  config.depth_blocks = kUnderWay;
  config.backend = options.backend;
  return config;
}

/// What the host spent on a number of calls, in microseconds.
struct HostTime {
  double submitting = 0;
  double collecting = 0;  // waiting included
  double processor = 0;   // of all threads, spinning included
};

/// An engine and where its file stands. Calls are numbered from 0 on.
class Run {
 public:
  Run(Case& which, const Options& options, const FilterBank& bank) : case_(which) {
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    engine_ = std::make_unique<Engine>(config_of(which, options), bank, make_routing(which));
    set_up_seconds_ = microseconds_since(begin) * 1e-6;
    which.block_frames = engine_->plan().call_frames;
    require_host_memory(which);
    feed_ = std::make_unique<Feed>(which, kPlaces);
    oracle_ = std::make_unique<Oracle>(which);
  }

  const Engine& engine() const { return *engine_; }
  double set_up_seconds() const { return set_up_seconds_; }

  void submit() {
    feed_->aim(submitted_ * case_.block_frames);
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    if (!engine_->submit(feed_->in(), feed_->out(submitted_ % kPlaces), case_.block_frames)) {
      throw std::runtime_error("the engine takes no call");
    }
    host_.submitting += microseconds_since(begin);
    ++submitted_;
  }

  void collect() {
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    if (engine_->collect() != ProcessStatus::kOk) {
      throw std::runtime_error("a call is lost: " + engine_->failure());
    }
    host_.collecting += microseconds_since(begin);
    ++collected_;
  }

  /// One call more under way, or the next one after the oldest has come home.
  void turn() {
    submit();
    if (submitted_ - collected_ > kUnderWay) collect();
  }

  /// Calls until all filters are full of samples.
  void warm_up() {
    while (submitted_ * case_.block_frames < case_.taps + 2 * longest_block(*engine_)) turn();
  }

  /// A few calls more, whose outputs must be right: of each a few stretches, and all of them
  /// written. Returns their largest error.
  double verify() {
    while (collected_ < submitted_) collect();
    const std::size_t first = collected_;
    for (std::size_t place = 0; place < kPlaces; ++place) feed_->poison(place);
    for (std::size_t n = 0; n < kLeastChecked; ++n) submit();
    while (collected_ < submitted_) collect();
    // Then it would be the CPU that is measured.
    if (engine_->stats().fail_over_frame != Stats::kNone) {
      throw std::runtime_error("the device is lost: " + engine_->failure());
    }
    const std::size_t frames = case_.block_frames;
    const std::size_t checked = std::min(kChecked, frames);
    double most = 0;
    for (std::size_t call = first; call < collected_; ++call) {
      const std::size_t place = call % kPlaces;
      if (!feed_->complete(place)) {
        throw std::runtime_error("output frames are missing or not finite");
      }
      const double error = oracle_->error(
          feed_->planes(oracle_->outputs(), place), call * frames,
          {{0, checked}, {(frames - checked) / 2, checked}, {frames - checked, checked}});
      most = std::max(most, error);
    }
    if (most > Oracle::kTolerance) {
      throw std::runtime_error(
          fmt::format("the outputs are wrong: relative error {:.3g}; allowed up to {:.3g}", most,
                      Oracle::kTolerance));
    }
    return most;
  }

  /// Microseconds from one answer to the next, for some seconds.
  std::vector<double> measure(double seconds, HostTime& host) {
    while (submitted_ - collected_ < kUnderWay) submit();
    turn();
    host_ = {};
    const double processor = processor_us();
    std::vector<double> took;
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    Pacer::Clock::time_point last = begin;
    while (took.size() < kLeastTurns || microseconds_since(begin) < 1e6 * seconds) {
      turn();
      took.push_back(microseconds_since(last));
      last = Pacer::Clock::now();
    }
    host_.processor = processor_us() - processor;
    host = host_;
    return took;
  }

 private:
  static constexpr std::size_t kPlaces = kUnderWay + 1;  // of outputs

  /// Samples and outputs; what the engine keeps besides is less.
  static void require_host_memory(const Case& which) {
    const std::size_t samples = which.inputs * (which.signal_period() + which.block_frames) +
                                kPlaces * which.outputs * which.block_frames;
    const double gigabytes = static_cast<double>(samples * sizeof(float)) * 1e-9;
    if (gigabytes <= kMostHostGigabytes) return;
    throw std::runtime_error(
        fmt::format("calls of {} frames need {:.0f} GB of host memory; allowed "
                    "up to {:.0f}",
                    which.block_frames, gigabytes, kMostHostGigabytes));
  }

  static_assert(kLeastChecked <= kPlaces);

  const Case& case_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Oracle> oracle_;
  double set_up_seconds_ = 0;
  std::size_t submitted_ = 0;
  std::size_t collected_ = 0;
  HostTime host_;
};

void tell_rates(const Case& which, const std::vector<double>& took, const HostTime& host) {
  const auto calls = static_cast<double>(took.size());
  double us = 0;
  for (const double one : took) us += one;
  const double frames = calls * static_cast<double>(which.block_frames);
  const double frames_a_us = frames / us;
  const double in_bytes = static_cast<double>(which.inputs) * (which.sixteen_bits ? 2 : 4);
  const double out_bytes = static_cast<double>(which.outputs) * 4;
  tell_figure("frames that went through", "frames", frames);
  tell_figure("share of the file", "%", 100 * frames / static_cast<double>(which.file_frames));
  tell_figure("rate", "frames/s", frames_a_us * 1e6);
  tell_figure("all of the file at this rate", "s",
              static_cast<double>(which.file_frames) / frames_a_us * 1e-6);
  tell_figure("to the device", "GB/s", frames_a_us * in_bytes * 1e-3);
  tell_figure("home", "GB/s", frames_a_us * out_bytes * 1e-3);
  tell_figure("both ways, together", "GB/s", frames_a_us * (in_bytes + out_bytes) * 1e-3);
  tell_figure("samples x taps", "1/s", frames_a_us * which.products() * 1e6);
  tell_samples("a call", "us", took);
  tell_figure("host, submitting a call", "us", host.submitting / calls);
  tell_figure("host, collecting a call", "us", host.collecting / calls);
  tell_figure("host, processor time a call", "us", host.processor / calls);
}

Options read_options(int count, char** arguments) {
  Options options;
  OptionReader reader;
  reader.text("--backend", options.backend);
  reader.choice("--gpu-mode", options.gpu_mode,
                {{"whole", GpuMode::kWhole}, {"throughput", GpuMode::kThroughput}});
  reader.number("--threads", options.threads);
  reader.flag("--sixteen-bits", options.sixteen_bits);
  reader.number("--seconds", options.seconds);
  reader.flag("--quick", options.quick);
  reader.flag("--verify", options.verify);
  reader.read(count, arguments, options.name);
  return options;
}

void run(const Options& options) {
  Case which = find_case(options.name, options.quick);
  if (!which.is_file()) {
    throw std::runtime_error("there is no case '" + options.name + "'; allowed: G4, G5");
  }
  which.sixteen_bits = options.sixteen_bits;
  Run run(which, options, make_filters(which));
  tell_text("backend", run.engine().backend() + ", " + run.engine().instruction_set());
  tell_plan(run.engine());
  tell_figure("threads", "threads", static_cast<double>(run.engine().threads()));
  tell_figure("call", "frames", static_cast<double>(which.block_frames));
  tell_figure("set-up", "s", run.set_up_seconds());
  tell_bytes(which, run.engine(), "call");
  run.warm_up();
  tell_figure("relative error", "ratio", run.verify());
  if (!options.verify) {
    HostTime host;
    const std::vector<double> took = run.measure(options.seconds, host);
    run.verify();
    tell_rates(which, took, host);
  }
  tell_figure("host memory, most", "GB", most_resident_bytes() * 1e-9);
}

}  // namespace
}  // namespace firbank::bench

int main(int count, char** arguments) {
  return firbank::bench::run_program(
      "gpu_offline", [&] { firbank::bench::run(firbank::bench::read_options(count, arguments)); });
}
