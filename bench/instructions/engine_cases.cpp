// Calls of Engine::process over whole cycles of the plan, and of firbank_process, which converts
// the samples as well. What start, push and pull do besides is left to the clock: how often two
// threads look for each other is never the same.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bench/instructions/counted_case.hpp"
#include "bench/instructions/noise.hpp"
#include "capi/firbank.h"
#include "engine/engine.hpp"

namespace firbank::bench {
namespace {

struct Shape {
  std::size_t channels = 0;
  std::size_t taps = 0;
  std::vector<std::size_t> calls =
      {};  // frames of the calls of a step; the first is the nominal one
  bool is_matrix = false;
  Spectra spectra = Spectra::kFull;
};

/// Frames after which the work of a plan repeats: two blocks of its longest level, as sums may be
/// made for two at a time.
std::size_t cycle_frames(const PartitionPlan& plan) {
  std::size_t frames = plan.call_frames;
  for (const LevelPlan& level : plan.levels) frames = std::max(frames, 2 * level.block_frames);
  return frames;
}

template <class Sample>
struct EngineRig {
  EngineRig(const Shape& wanted, InstructionSet set)
      : shape(wanted),
        most(*std::max_element(shape.calls.begin(), shape.calls.end())),
        engine(config(set), FilterBank(noise_filters(filters(), shape.taps)), routing()),
        planes(2 * shape.channels, most) {}

  void step() noexcept {
    Sample* const* const in = planes.planes();
    for (const std::size_t frames : shape.calls) {
      engine.process(in, in + shape.channels, frames);
    }
  }

  std::size_t filters() const {
    return shape.is_matrix ? shape.channels * shape.channels : shape.channels;
  }
  Routing routing() const {
    return shape.is_matrix ? Routing::matrix(shape.channels, shape.channels, filters())
                           : Routing::rows(shape.channels, filters());
  }
  EngineConfig config(InstructionSet set) const {
    EngineConfig config;
    config.block_frames = shape.calls.front();
    config.max_frames = most;
    config.backend = backend_name(set);
    config.costs = CostModel{};  // not those of this machine
    config.spectra = shape.spectra;
    return config;
  }

  Shape shape;
  std::size_t most;
  BasicEngine<Sample> engine;
  // Inputs and then outputs, in one piece: which of them lies lower in memory is looked at.
  NoisePlanes<Sample> planes;
};

template <class Sample = float>
CountedCase engine(const char* name, const char* unit, const Shape& shape) {
  return {name, unit, [shape](InstructionSet set) {
            const auto rig = std::make_shared<EngineRig<Sample>>(shape, set);
            std::size_t step_frames = 0;
            for (const std::size_t frames : shape.calls) step_frames += frames;
            const PartitionPlan& plan = rig->engine.plan();
            const std::size_t cycle = cycle_frames(plan);
            CountedRun run{[rig] { rig->step(); }};
            run.warm_up = (shape.taps + 2 * cycle) / step_frames;
            run.steps = std::max(cycle / step_frames, run.steps);
            run.plan = plan.describe();
            return run;
          }};
}

/// What an acquisition program calls: 16-bit samples in, floats out, both interleaved.
class Handle {
 public:
  static constexpr std::size_t kChannels = 384;
  static constexpr std::size_t kTaps = 512;
  static constexpr std::size_t kFrames = 32;

  explicit Handle(InstructionSet set)
      : engine_(firbank_new()), packet_(kChannels * kFrames), out_(kChannels * kFrames) {
    Xoshiro256 random(1);
    for (std::int16_t& sample : packet_) {
      sample = static_cast<std::int16_t>(400 * random.uniform() - 200);
    }
    const std::vector<std::vector<double>> taps = noise_filters(kChannels, kTaps);
    std::vector<const double*> starts;
    for (const std::vector<double>& one : taps) starts.push_back(one.data());
    const std::vector<std::size_t> lengths(kChannels, kTaps);
    const firbank_filters filters{kChannels, starts.data(), lengths.data(), nullptr};
    firbank_config config;
    firbank_config_init(&config, sizeof config);
    config.channels = kChannels;
    config.in.scale = 0.195;
    config.block_frames = kFrames;
    config.backend = backend_name(set);
    if (firbank_open(engine_, &config, &filters) != FIRBANK_OK) {
      const std::string why = firbank_message(engine_);
      firbank_free(engine_);
      throw std::runtime_error(why);
    }
  }
  ~Handle() { firbank_free(engine_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void step() noexcept { firbank_process(engine_, packet_.data(), out_.data(), kFrames); }

 private:
  firbank_engine* engine_;
  AlignedVector<std::int16_t> packet_;
  AlignedVector<float> out_;
};

CountedCase c_process() {
  return {"c-process", "32 frames of 384 channels, int16 in and float out", [](InstructionSet set) {
            const auto handle = std::make_shared<Handle>(set);
            return CountedRun{[handle] { handle->step(); }, 32, 32};
          }};
}

}  // namespace

std::vector<CountedCase> engine_cases() {
  return {
      engine("engine-reverb", "64 frames of 2 channels, 192,000 taps each", {2, 192'000, {64}}),
      engine("engine-one", "32 frames of 1 channel, 2,048 taps", {1, 2'048, {32}}),
      engine("engine-rows", "32 frames of 384 channels, 512 taps each", {384, 512, {32}}),
      engine("engine-matrix", "128 frames of 16 x 16 filters, 2,048 taps each",
             {16, 2'048, {128}, true}),
      engine("engine-direct", "64 frames of 2 channels, 32 taps each", {2, 32, {64}}),
      engine("engine-uneven",
             "calls of 64, 1, 37, 100, 13 and 41 frames of 2 channels, 4,096 taps each",
             {2, 4'096, {64, 1, 37, 100, 13, 41}}),
      engine("engine-int16", "64 frames of 2 channels, 48,000 taps each, spectra of 16 bits",
             {2, 48'000, {64}, false, Spectra::kInt16}),
      engine<double>("engine-double", "64 frames of 2 channels, 48,000 taps each, in double",
                     {2, 48'000, {64}}),
      c_process(),
  };
}

}  // namespace firbank::bench
