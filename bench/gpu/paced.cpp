// The engine on one case, paced in real time: how long a block takes from the moment it is there
// until its output is, by process() and through the pipeline; and how fast blocks can follow each
// other. What is wrong is not measured: the outputs are checked before and after.
//
//   gpu_paced CASE [--backend NAME] [--gpu-mode whole|hybrid] [--partitions N]
//             [--spectra full|int16] [--threads N] [--sixteen-bits] [--seconds N] [--quick]
//             [--verify]
//
// A hybrid engine waits here for tails that are late, so that outputs are right and the time shows.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/gpu/case_engine.hpp"
#include "bench/gpu/cases.hpp"
#include "bench/gpu/feed.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/oracle.hpp"
#include "bench/gpu/pacer.hpp"
#include "bench/gpu/program.hpp"
#include "engine/engine.hpp"

namespace firbank::bench {
namespace {

constexpr std::size_t kDepth = 2;  // blocks under way when they follow each other unpaced

struct Options {
  std::string name;
  std::string backend = "cuda:0";
  GpuMode gpu_mode = GpuMode::kWhole;
  std::size_t partitions = 0;  // all of this many taps; 0: as the planner chooses
  Spectra spectra = Spectra::kFull;
  std::size_t threads = 1;
  bool sixteen_bits = false;
  double seconds = 20;
  bool quick = false;
  bool verify = false;  // and nothing else
};

/// An engine and where its stream stands.
class Run {
 public:
  Run(const Case& which, const Options& options, const FilterBank& bank, const Oracle& oracle,
      std::size_t depth)
      : case_(which),
        oracle_(oracle),
        feed_(which),
        rest_in_(which.inputs),
        rest_out_(which.outputs) {
    EngineConfig config;
    config.sample_rate_hz = which.sample_rate_hz;
    config.block_frames = which.block_frames;
    config.depth_blocks = depth;
    config.backend = options.backend;
    config.spectra = options.spectra;
    config.gpu_mode = options.gpu_mode;
    config.threads = options.threads;
    config.late_tail = LateTail::kWait;
    if (options.partitions > 0) config.partition_frames = {options.partitions};
    most_error_ =
        options.spectra == Spectra::kInt16 ? Oracle::kCompactTolerance : Oracle::kTolerance;
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    engine_ = std::make_unique<Engine>(config, bank, make_routing(which));
    set_up_seconds_ = microseconds_since(begin) * 1e-6;
    // A later level has met all of a filter two of its blocks after the filter's length.
    const std::size_t filled = which.taps + 2 * longest_block(*engine_);
    warm_blocks_ = filled / which.block_frames + kDepth + 2;
  }

  const Engine& engine() const { return *engine_; }
  double set_up_seconds() const { return set_up_seconds_; }

  /// Makes the next block ready, as a caller's block would be.
  void aim() { feed_.aim(pushed_); }

  void process() {
    if (engine_->process(feed_.in(), feed_.out(), case_.block_frames) != ProcessStatus::kOk) lose();
    position_ += case_.block_frames;
    pushed_ = position_;
  }

  /// Through the pipeline, waiting for the block itself.
  void push_and_pull() {
    push();
    pull();
  }

  void start() { engine_->start(); }
  void stop() { engine_->stop(); }

  void push() {
    BasicBlock<const float> block;
    block.planes = feed_.in();
    block.channels = case_.inputs;
    for (std::size_t taken = 0; taken < case_.block_frames;) {
      block.frames = case_.block_frames - taken;
      block.first_frame = static_cast<std::int64_t>(pushed_ + taken);
      const PushResult result = engine_->push(block);
      if (!result) throw std::runtime_error("the pipeline refuses a block");
      taken += result.frames;
      if (taken < case_.block_frames) block.planes = behind(rest_in_, feed_.in(), taken);
    }
    pushed_ += case_.block_frames;
  }

  void pull() {
    BasicBlock<float> block;
    block.planes = feed_.out();
    block.channels = case_.outputs;
    for (std::size_t got = 0; got < case_.block_frames;) {
      block.frames = case_.block_frames - got;
      const std::size_t frames = engine_->pull(block);
      if (frames == 0) continue;
      if (has(block.flags, BlockFlags::kLost)) lose();
      got += frames;
      if (got < case_.block_frames) block.planes = behind(rest_out_, feed_.out(), got);
    }
    position_ += case_.block_frames;
  }

  /// Blocks until all filters are full of samples.
  template <class Turn>
  void warm_up(const Turn& turn) {
    for (std::size_t n = 0; n < warm_blocks_; ++n) {
      aim();
      turn();
    }
  }

  /// One turn more, whose outputs must be right. Returns their error.
  template <class Turn>
  double verify(const Turn& turn) {
    feed_.poison();
    const std::size_t first = position_;
    aim();
    turn();
    const double error = oracle_.error(feed_.planes(oracle_.outputs()), first);
    if (!feed_.complete()) throw std::runtime_error("output frames are missing or not finite");
    // Then it would be the CPU that is measured.
    if (engine_->stats().fail_over_frame != Stats::kNone) lose();
    if (error > most_error_) {
      throw std::runtime_error(
          fmt::format("the outputs are wrong: relative error {:.3g}; allowed up to {:.3g}", error,
                      most_error_));
    }
    return error;
  }

  /// Microseconds that each turn takes, at the pace of the stream.
  template <class Turn>
  std::vector<double> pace(double seconds, std::uint64_t& missed, const Turn& turn) {
    const auto turns = static_cast<std::size_t>(seconds * 1e6 / case_.period_us()) + 1;
    std::vector<double> took;
    took.reserve(turns);
    Pacer pacer(case_.period_us());
    // The first ones still bring the caches and the clocks into the state that idling leaves.
    for (std::size_t n = 0; n < turns / 20 + 1; ++n) {
      aim();
      pacer.wait();
      turn();
    }
    missed = pacer.missed();
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    while (took.size() < turns && microseconds_since(begin) < 1.5e6 * seconds) {
      aim();
      pacer.wait();
      const Pacer::Clock::time_point submitted = Pacer::Clock::now();
      turn();
      took.push_back(microseconds_since(submitted));
    }
    missed = pacer.missed() - missed;
    return took;
  }

  /// Microseconds a block when the next one, always the same, never waits.
  template <class Turn>
  double unpaced(double seconds, const Turn& turn) {
    aim();
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    std::size_t blocks = 0;
    do {
      turn();
      ++blocks;
    } while (microseconds_since(begin) < 1e6 * seconds);
    const double block_us = microseconds_since(begin) / static_cast<double>(blocks);
    warm_up(turn);
    verify(turn);
    return block_us;
  }

 private:
  template <class Plane>
  static const Plane* behind(std::vector<Plane>& rest, const Plane* planes, std::size_t frames) {
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = planes[i] + frames;
    return rest.data();
  }

  [[noreturn]] void lose() { throw std::runtime_error("a block is lost: " + engine_->failure()); }

  const Case& case_;
  const Oracle& oracle_;
  Feed feed_;
  std::size_t warm_blocks_ = 0;
  double most_error_ = Oracle::kTolerance;
  std::unique_ptr<Engine> engine_;
  double set_up_seconds_ = 0;
  std::size_t position_ = 0;  // the next output frame
  std::size_t pushed_ = 0;    // the next input frame of the pipeline
  std::vector<const float*> rest_in_;
  std::vector<float*> rest_out_;
};

void tell_paced(const std::string& name, std::vector<double> took, std::uint64_t missed,
                double period_us) {
  double late = 0;
  for (const double us : took) late += us > period_us ? 1 : 0;
  tell_samples(name, "us", std::move(took));
  tell_figure(name + ", blocks over their period", "blocks", late);
  tell_figure(name + ", turns left out", "blocks", static_cast<double>(missed));
}

void measure_process(const Case& which, const Options& options, const FilterBank& bank,
                     const Oracle& oracle) {
  Run run(which, options, bank, oracle, 0);
  const auto process = [&run] { run.process(); };
  tell_text("backend", run.engine().backend() + ", " + run.engine().instruction_set());
  tell_plan(run.engine());
  tell_figure("set-up", "s", run.set_up_seconds());
  tell_figure("period of a block", "us", which.period_us());
  tell_bytes(which, run.engine(), "block");
  run.warm_up(process);
  tell_figure("relative error", "ratio", run.verify(process));
  if (!options.verify) {
    std::uint64_t missed = 0;
    std::vector<double> took = run.pace(options.seconds, missed, process);
    run.verify(process);
    tell_paced("process", std::move(took), missed, which.period_us());
    // A graph ends after its answer is out, so the next one waits for the rest of it: this is the
    // time that the device is busy, or what the host takes, whichever is longer.
    const double block_us = run.unpaced(options.seconds / 10, process);
    tell_figure("process, back to back", "us/block", block_us);
  }

  run.start();
  const auto both = [&run] { run.push_and_pull(); };
  run.warm_up(both);
  run.verify(both);
  if (!options.verify) {
    std::uint64_t missed = 0;
    std::vector<double> took = run.pace(options.seconds, missed, both);
    run.verify(both);
    tell_paced("pipeline", std::move(took), missed, which.period_us());
  }
  run.stop();
}

void measure_throughput(const Case& which, const Options& options, const FilterBank& bank,
                        const Oracle& oracle) {
  Run run(which, options, bank, oracle, kDepth);
  run.start();
  // The pipeline answers kDepth blocks late.
  for (std::size_t n = 0; n < kDepth; ++n) {
    run.aim();
    run.push();
  }
  const auto both = [&run] { run.push_and_pull(); };
  run.warm_up(both);
  run.verify(both);
  const double block_us = run.unpaced(options.seconds / 10, both);
  tell_figure(fmt::format("pipeline of depth {}, back to back", kDepth), "us/block", block_us);
  run.stop();
}

Options read_options(int count, char** arguments) {
  Options options;
  OptionReader reader;
  reader.text("--backend", options.backend);
  reader.number("--partitions", options.partitions);
  reader.choice("--gpu-mode", options.gpu_mode,
                {{"whole", GpuMode::kWhole}, {"hybrid", GpuMode::kHybrid}});
  reader.choice("--spectra", options.spectra,
                {{"full", Spectra::kFull}, {"int16", Spectra::kInt16}});
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
  if (which.name.empty() || which.is_file()) {
    throw std::runtime_error("there is no case '" + options.name + "'; allowed: G1, G2, G3");
  }
  which.sixteen_bits = options.sixteen_bits;
  const FilterBank bank = make_filters(which);
  const Oracle oracle(which);
  measure_process(which, options, bank, oracle);
  // A hybrid engine has nothing under way that a caller could wait for.
  if (options.verify || options.gpu_mode == GpuMode::kHybrid) return;
  measure_throughput(which, options, bank, oracle);
}

}  // namespace
}  // namespace firbank::bench

int main(int count, char** arguments) {
  return firbank::bench::run_program(
      "gpu_paced", [&] { firbank::bench::run(firbank::bench::read_options(count, arguments)); });
}
