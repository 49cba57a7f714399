// The stages round the bank at 384 channels and 30 kHz, one call at a time, on the best CPU
// backend. core_percent is processor time over stream time: of one core. items are samples of all
// channels.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/engine.hpp"
#include "engine/stages/common_reference.hpp"
#include "engine/stages/decimator.hpp"
#include "engine/stages/envelope.hpp"
#include "engine/stages/event_detector.hpp"
#include "engine/stages/template_distance.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/channel_centre.hpp"

namespace {

using namespace firbank;

constexpr double kRateHz = 30'000;

/// Noise in planes, a second or so long, which calls go round in.
class Stream {
 public:
  Stream(std::size_t channels, std::size_t block) : block_(block), frames_(16'384 / block * block) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::size_t c = 0; c < channels; ++c) {
      auto& plane = planes_.emplace_back(frames_);
      for (float& x : plane) x = normal(random);
    }
    pointers_.resize(channels);
  }

  /// The next call's planes.
  float* const* next() {
    at_ = at_ + 2 * block_ > frames_ ? 0 : at_ + block_;
    for (std::size_t c = 0; c < planes_.size(); ++c) pointers_[c] = planes_[c].data() + at_;
    first_frame_ += static_cast<std::int64_t>(block_);
    return pointers_.data();
  }
  std::int64_t first_frame() const { return first_frame_; }

  void count(benchmark::State& state) const {
    using benchmark::Counter;
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(block_ * planes_.size()));
    // Seconds of processor time for 100 seconds of stream.
    state.counters["core_percent"] = Counter(static_cast<double>(block_) / kRateHz / 100,
                                             Counter::kIsIterationInvariantRate | Counter::kInvert);
  }

 private:
  std::size_t block_;
  std::size_t frames_;
  std::vector<AlignedVector<float>> planes_;
  std::vector<float*> pointers_;
  std::size_t at_ = 0;
  std::int64_t first_frame_ = 0;
};

class Output {
 public:
  Output(std::size_t channels, std::size_t frames) : samples_(channels * frames) {
    for (std::size_t c = 0; c < channels; ++c) planes_.push_back(&samples_[c * frames]);
  }
  float* const* planes() { return planes_.data(); }

 private:
  AlignedVector<float> samples_;
  std::vector<float*> planes_;
};

std::vector<double> low_pass(std::size_t taps) {
  std::vector<double> filter(taps);
  for (std::size_t k = 0; k < taps; ++k) {
    filter[k] =
        std::sin(3.141592653589793 * (static_cast<double>(k) + 0.5) / static_cast<double>(taps)) /
        static_cast<double>(taps);
  }
  return filter;
}

void reference(benchmark::State& state, ReferenceKind kind) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto groups = static_cast<std::size_t>(state.range(1));
  const auto block = static_cast<std::size_t>(state.range(2));
  CommonReferenceConfig config{.channels = channels, .kind = kind};
  config.groups.resize(groups);
  for (std::size_t c = 0; c < channels; ++c) config.groups[c * groups / channels].push_back(c);
  CommonReference stage(config);
  Stream stream(channels, block);
  for (auto _ : state) stage.process(stream.next(), block);
  stream.count(state);
}
void reference_axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "groups", "block"});
  for (const int groups : {1, 4, 24}) {
    for (const int block : {32, 300}) b->Args({384, groups, block});
  }
}
BENCHMARK_CAPTURE(reference, mean, ReferenceKind::kMean)->Apply(reference_axes);
BENCHMARK_CAPTURE(reference, median, ReferenceKind::kMedian)->Apply(reference_axes);

/// The median on each instruction set; the scalar one is a selection in each frame.
void median(benchmark::State& state, InstructionSet set) {
  constexpr std::size_t kBlock = 256;
  const auto channels = static_cast<std::size_t>(state.range(0));
  Stream stream(channels, kBlock);
  AlignedVector<std::int32_t> work(channels * ChannelCentre::kTile);
  std::vector<float> centre(kBlock);
  for (auto _ : state) {
    channel_centre(set)->median(stream.next(), channels, 0, kBlock, 1e30F, work.data(),
                                centre.data());
    benchmark::ClobberMemory();
  }
  stream.count(state);
}
const int medians = [] {
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = std::string("median/") + backend_name(set);
    benchmark::RegisterBenchmark(name.c_str(), median, set)
        ->ArgName("channels")
        ->Arg(4)
        ->Arg(16)
        ->Arg(64)
        ->Arg(128)
        ->Arg(192)
        ->Arg(384);
  }
  return 0;
}();

void decimation(benchmark::State& state, DecimatorForm form) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto factor = static_cast<std::size_t>(state.range(1));
  const auto taps = static_cast<std::size_t>(state.range(2));
  const auto block = static_cast<std::size_t>(state.range(3));
  Decimator stage({.channels = channels, .factor = factor, .block_frames = block, .form = form},
                  FilterBank({low_pass(taps)}));
  Stream stream(channels, block);
  Output out(channels, stage.most_frames(block));
  for (auto _ : state) {
    float* const* in = stream.next();
    stage.process(in, block, stream.first_frame(), out.planes());
  }
  stream.count(state);
  state.SetLabel(stage.form() == DecimatorForm::kDirect      ? "direct"
                 : stage.form() == DecimatorForm::kPolyphase ? "polyphase"
                                                             : "whole");
}
/// What it replaces: every frame is filtered, and most are thrown away.
void filter_all(benchmark::State& state) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto factor = static_cast<std::size_t>(state.range(1));
  const auto taps = static_cast<std::size_t>(state.range(2));
  const auto block = static_cast<std::size_t>(state.range(3));
  EngineConfig config;
  config.block_frames = block;
  Engine engine(config, FilterBank({low_pass(taps)}), Routing::rows(channels, 1));
  Stream stream(channels, block);
  Output out(channels, block);
  Output kept(channels, block);
  std::size_t phase = 0;
  for (auto _ : state) {
    engine.process(stream.next(), out.planes(), block);
    for (std::size_t c = 0; c < channels; ++c) {
      std::size_t k = 0;
      for (std::size_t n = phase; n < block; n += factor)
        kept.planes()[c][k++] = out.planes()[c][n];
    }
    phase = (phase + factor - block % factor) % factor;
    benchmark::ClobberMemory();
  }
  stream.count(state);
  state.SetLabel(engine.plan().describe());
}
void decimation_axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "factor", "taps", "block"});
  for (const int block : {32, 300}) {
    for (const int factor : {2, 6, 12, 30}) {
      for (const int taps : {128, 512, 2'048, 8'192}) b->Args({384, factor, taps, block});
    }
  }
}
BENCHMARK_CAPTURE(decimation, auto, DecimatorForm::kAuto) -> Apply(decimation_axes);
BENCHMARK_CAPTURE(decimation, direct, DecimatorForm::kDirect)->Apply(decimation_axes);
BENCHMARK_CAPTURE(decimation, polyphase, DecimatorForm::kPolyphase)->Apply(decimation_axes);
BENCHMARK_CAPTURE(decimation, whole, DecimatorForm::kWhole)->Apply(decimation_axes);
BENCHMARK(filter_all)->Apply(decimation_axes);

void envelope(benchmark::State& state, EnvelopeKind kind) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto taps = static_cast<std::size_t>(state.range(1));
  const auto block = static_cast<std::size_t>(state.range(2));
  Envelope stage({.channels = channels, .kind = kind, .taps = taps, .block_frames = block});
  Stream stream(channels, block);
  Output out(channels, block);
  for (auto _ : state) {
    float* const* in = stream.next();
    stage.process(in, out.planes(), block, stream.first_frame());
  }
  stream.count(state);
}
void envelope_axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "taps", "block"})->Args({384, 151, 32})->Args({384, 151, 300});
}
BENCHMARK_CAPTURE(envelope, rms, EnvelopeKind::kRms)->Apply(envelope_axes);
BENCHMARK_CAPTURE(envelope, analytic, EnvelopeKind::kAnalytic)->Apply(envelope_axes);

void events(benchmark::State& state) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto block = static_cast<std::size_t>(state.range(1));
  EventDetector stage({.channels = channels, .refractory_frames = 20, .peak_frames = 15});
  Stream stream(channels, block);
  std::vector<Event> buffer(10'000);
  double found = 0;
  for (auto _ : state) {
    float* const* in = stream.next();
    found += static_cast<double>(
        stage.process(in, block, stream.first_frame(), buffer.data(), buffer.size()).events);
  }
  stream.count(state);
  state.counters["events_per_block"] = found / static_cast<double>(state.iterations());
}
BENCHMARK(events)->ArgNames({"channels", "block"})->Args({384, 32})->Args({384, 300});

/// K templates of 61 samples, each on some neighbouring channels. `near` of 1: all windows of one
/// template in eight match to 1e-7, the worst that there is.
void distance(benchmark::State& state) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto templates = static_cast<std::size_t>(state.range(1));
  const auto width = static_cast<std::size_t>(state.range(2));
  const auto block = static_cast<std::size_t>(state.range(3));
  const bool near = state.range(4) != 0;
  constexpr std::size_t kLength = 61;
  std::mt19937 random(2);
  std::normal_distribution<double> normal(0, 5);
  TemplateDistanceConfig config{.channels = channels, .block_frames = block};
  for (std::size_t k = 0; k < templates; ++k) {
    Template one;
    for (std::size_t i = 0; i < width; ++i) {
      // The near ones are on a channel by twos, so that taking off their mean is no way out.
      const std::size_t first = near ? k / 2 : k;
      one.channels.push_back((first * channels / templates + i) % channels);
      auto& samples = one.samples.emplace_back(kLength);
      for (double& sample : samples) sample = near ? (k % 2 == 0 ? 1 : -1) : normal(random);
    }
    config.templates.push_back(std::move(one));
  }
  TemplateDistance stage(config);
  Stream stream(channels, block);
  Output out(templates, block);
  if (near) {
    for (std::size_t n = 0; n < 16'384 / block; ++n) {
      float* const* planes = stream.next();
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = 0; i < block; ++i) planes[c][i] = 1 + 1e-7F * (planes[c][i] > 0);
      }
    }
  }
  for (auto _ : state) {
    float* const* in = stream.next();
    stage.process(in, out.planes(), block, stream.first_frame());
  }
  stream.count(state);
  state.counters["exact"] = static_cast<double>(stage.exact_windows());
  state.counters["unrefined"] = static_cast<double>(stage.unrefined_windows());
}
BENCHMARK(distance)
    ->ArgNames({"channels", "templates", "width", "block", "near"})
    ->Args({384, 32, 1, 32, 0})
    ->Args({384, 384, 1, 32, 0})
    ->Args({384, 384, 1, 300, 0})
    ->Args({384, 384, 1, 300, 1})
    ->Args({384, 64, 12, 32, 0})
    ->Args({384, 64, 12, 300, 0});

}  // namespace
