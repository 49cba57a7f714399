// Samples between the forms that they have outside and planes of floats: of callers and packets, by
// type, layout, channels and frames; of files, by encoding; and the copies that an engine takes its
// input by, on each instruction set. Items are samples of all channels.
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/native_samples.hpp"
#include "io/sample_codec.hpp"
#include "io/sample_encoding.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/narrow_copy.hpp"

namespace {

using namespace firbank;

constexpr std::size_t kLargestSample = sizeof(double);

/// A caller's buffer, in either layout, and planes.
class Buffers {
 public:
  Buffers(benchmark::State& state, NativeType type)
      : channels_(static_cast<std::size_t>(state.range(0))),
        frames_(static_cast<std::size_t>(state.range(1))),
        format_{type, state.range(2) != 0, 1 / 32'768.0, 0},
        outside_(channels_ * frames_ * kLargestSample),
        inside_(channels_ * frames_, 0.25F) {
    for (std::size_t c = 0; c < channels_; ++c) {
      outside_planes_.push_back(outside_.data() + c * frames_ * kLargestSample);
      planes_.push_back(inside_.data() + c * frames_);
    }
  }

  void take() {
    from_native(format_, buffer(), channels_, 0, frames_, planes_.data());
    benchmark::ClobberMemory();
  }
  void give() {
    benchmark::DoNotOptimize(to_native(format_, planes_.data(), channels_, 0, frames_, buffer()));
    benchmark::ClobberMemory();
  }
  void count(benchmark::State& state) const {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(channels_ * frames_));
  }

 private:
  void* buffer() {
    return format_.is_planar ? static_cast<void*>(outside_planes_.data()) : outside_.data();
  }

  std::size_t channels_;
  std::size_t frames_;
  NativeFormat format_;
  AlignedVector<unsigned char> outside_;
  AlignedVector<float> inside_;
  std::vector<void*> outside_planes_;
  std::vector<float*> planes_;
};

void to_planes(benchmark::State& state, NativeType type) {
  Buffers buffers(state, type);
  for (auto _ : state) buffers.take();
  buffers.count(state);
}

void from_planes(benchmark::State& state, NativeType type) {
  Buffers buffers(state, type);
  for (auto _ : state) buffers.give();
  buffers.count(state);
}

void axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "frames", "planar"});
  for (const std::int64_t planar : {0, 1}) {
    b->Args({1, 256, planar})->Args({2, 256, planar});
    b->Args({384, 32, planar})->Args({384, 300, planar})->Args({4'096, 300, planar});
  }
}
BENCHMARK_CAPTURE(to_planes, int16, NativeType::kInt16)->Apply(axes);
BENCHMARK_CAPTURE(to_planes, int32, NativeType::kInt32)->Apply(axes);
BENCHMARK_CAPTURE(to_planes, float32, NativeType::kFloat32)->Apply(axes);
BENCHMARK_CAPTURE(to_planes, float64, NativeType::kFloat64)->Apply(axes);
BENCHMARK_CAPTURE(from_planes, int16, NativeType::kInt16)->Apply(axes);
BENCHMARK_CAPTURE(from_planes, int32, NativeType::kInt32)->Apply(axes);
BENCHMARK_CAPTURE(from_planes, float32, NativeType::kFloat32)->Apply(axes);
BENCHMARK_CAPTURE(from_planes, float64, NativeType::kFloat64)->Apply(axes);

void decoded(benchmark::State& state, SampleEncoding encoding) {
  const auto samples = static_cast<std::size_t>(state.range(0));
  AlignedVector<unsigned char> bytes(samples * bytes_per_sample(encoding), 0x11);
  AlignedVector<float> out(samples);
  for (auto _ : state) {
    decode(bytes.data(), encoding, false, out.data(), samples);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void encoded(benchmark::State& state, SampleEncoding encoding) {
  constexpr std::size_t kChannels = 2;
  const auto samples = static_cast<std::size_t>(state.range(0));
  Encoder encoder(encoding, kChannels, state.range(1) != 0);
  AlignedVector<float> in(samples, 0.25F);
  AlignedVector<unsigned char> bytes(samples * bytes_per_sample(encoding));
  for (auto _ : state) {
    encoder.encode(in.data(), samples / kChannels, bytes.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(decoded, int16, SampleEncoding::kInt16)->ArgName("samples")->Arg(16'384);
BENCHMARK_CAPTURE(decoded, int24, SampleEncoding::kInt24)->ArgName("samples")->Arg(16'384);
BENCHMARK_CAPTURE(decoded, float32, SampleEncoding::kFloat32)->ArgName("samples")->Arg(16'384);
void encoded_axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"samples", "dither"})->Args({16'384, 0})->Args({16'384, 1});
}
BENCHMARK_CAPTURE(encoded, int16, SampleEncoding::kInt16)->Apply(encoded_axes);
BENCHMARK_CAPTURE(encoded, int24, SampleEncoding::kInt24)->Apply(encoded_axes);
BENCHMARK_CAPTURE(encoded, float32, SampleEncoding::kFloat32)
    ->ArgNames({"samples", "dither"})
    ->Args({16'384, 0});

template <class Sample>
void checked(benchmark::State& state, InstructionSet set) {
  const auto frames = static_cast<std::size_t>(state.range(0));
  const AlignedVector<Sample> from(frames, Sample(0.25));
  AlignedVector<Sample> to(frames);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        checked_copy<Sample>(set)->run(from.data(), to.data(), frames, Sample(2), false));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <class Sample>
void narrowed(benchmark::State& state, InstructionSet set) {
  const auto frames = static_cast<std::size_t>(state.range(0));
  const AlignedVector<Sample> from(frames, Sample(0.25));
  AlignedVector<std::int16_t> to(frames);
  for (auto _ : state) {
    benchmark::DoNotOptimize(narrow_copy<Sample>(set)->run(from.data(), to.data(), frames, false));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

const int registered = [] {
  const auto frames = [](benchmark::internal::Benchmark* b) {
    b->ArgName("frames")->Arg(32)->Arg(256)->Arg(4'096);
  };
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    frames(benchmark::RegisterBenchmark(("checked/float/" + name).c_str(), checked<float>, set));
    frames(benchmark::RegisterBenchmark(("checked/double/" + name).c_str(), checked<double>, set));
    frames(benchmark::RegisterBenchmark(("narrowed/float/" + name).c_str(), narrowed<float>, set));
    frames(
        benchmark::RegisterBenchmark(("narrowed/double/" + name).c_str(), narrowed<double>, set));
  }
  return 0;
}();

}  // namespace
