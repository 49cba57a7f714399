// What the host spends on a call of a case while a device answers at once, and how much of it by
// which threads: the engine's own share of a stream's time, beside which the GPU's has to fit.
// Nothing is computed, so no output is looked at.
//
//   gpu_host_share CASE [--gpu-mode whole|throughput] [--threads N] [--sixteen-bits]
//                  [--no-fail-over] [--seconds N] [--quick]
//
// Needs FIRBANK_PLUGIN_DIR to name the folder of the idle device.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/gpu/case_engine.hpp"
#include "bench/gpu/cases.hpp"
#include "bench/gpu/feed.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/pacer.hpp"
#include "bench/gpu/program.hpp"
#include "engine/engine.hpp"

namespace firbank::bench {
namespace {

constexpr std::size_t kLeastCalls = 5;  // that are measured, however long they take

struct Options {
  std::string name;
  std::optional<GpuMode> gpu_mode;  // none: as the case has it
  std::size_t threads = 1;
  bool sixteen_bits = false;
  bool fail_over = true;
  double seconds = 3;
  bool quick = false;
};

EngineConfig config_of(const Case& which, const Options& options) {
  EngineConfig config;
  config.sample_rate_hz = which.sample_rate_hz;
  config.backend = "cuda:0";
  config.threads = options.threads;
  config.fail_over = options.fail_over;
  config.gpu_mode =
      options.gpu_mode.value_or(which.is_file() ? GpuMode::kThroughput : GpuMode::kWhole);
  if (which.is_file()) {
    config.goal = PlanGoal::kOffline;
  } else {
    config.block_frames = which.block_frames;
  }
  config.depth_blocks = 1;  // or a call would be collected as it is submitted
  return config;
}

void run(const Options& options) {
  Case which = find_case(options.name, options.quick);
  if (which.name.empty()) {
    throw std::runtime_error("there is no case '" + options.name + "'; allowed: G1 to G5");
  }
  which.sixteen_bits = options.sixteen_bits;
  Engine engine(config_of(which, options), make_filters(which), make_routing(which));
  if (which.is_file()) which.block_frames = engine.plan().call_frames;
  tell_text("backend", engine.backend() + ", " + engine.instruction_set());
  tell_plan(engine);
  Feed feed(which);
  std::vector<double> submitting;
  std::vector<double> collecting;
  double processor = 0;
  const Pacer::Clock::time_point begin = Pacer::Clock::now();
  for (std::size_t call = 0;
       submitting.size() < kLeastCalls || microseconds_since(begin) < 1e6 * options.seconds;
       ++call) {
    feed.aim(call * which.block_frames);
    const double before = processor_us();
    const Pacer::Clock::time_point first = Pacer::Clock::now();
    if (!engine.submit(feed.in(), feed.out(), which.block_frames)) {
      throw std::runtime_error("the engine takes no call");
    }
    const double submitted = microseconds_since(first);
    const Pacer::Clock::time_point second = Pacer::Clock::now();
    if (engine.collect() != ProcessStatus::kOk) throw std::runtime_error("a call is lost");
    if (call < 2) continue;  // the first ones touch memory for the first time
    collecting.push_back(microseconds_since(second));
    submitting.push_back(submitted);
    processor += processor_us() - before;
  }
  const auto calls = static_cast<double>(submitting.size());
  if (!which.is_file()) tell_figure("period of a call", "us", which.period_us());
  tell_figure("call", "frames", static_cast<double>(which.block_frames));
  tell_samples("submitting a call", "us", submitting);
  tell_samples("collecting a call", "us", collecting);
  tell_figure("processor time a call", "us", processor / calls);
  double us = 0;
  for (std::size_t k = 0; k < submitting.size(); ++k) us += submitting[k] + collecting[k];
  const double samples = calls * static_cast<double>(which.block_frames) *
                         static_cast<double>(which.inputs + which.outputs);
  tell_figure("samples taken and given, 4 bytes each", "GB/s", samples * 4e-3 / us);
}

Options read_options(int count, char** arguments) {
  Options options;
  OptionReader reader;
  reader.choice<std::optional<GpuMode>>(
      "--gpu-mode", options.gpu_mode,
      {{"whole", GpuMode::kWhole}, {"throughput", GpuMode::kThroughput}});
  reader.number("--threads", options.threads);
  reader.flag("--sixteen-bits", options.sixteen_bits);
  reader.flag("--no-fail-over", options.fail_over, false);
  reader.number("--seconds", options.seconds);
  reader.flag("--quick", options.quick);
  reader.read(count, arguments, options.name);
  return options;
}

}  // namespace
}  // namespace firbank::bench

int main(int count, char** arguments) {
  return firbank::bench::run_program("gpu_host_share", [&] {
    firbank::bench::run(firbank::bench::read_options(count, arguments));
  });
}
