// Direct convolution of one channel by block and taps. Items are products.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace {

using namespace firbank;

/// Whether the sums are added to what is there, as the engine does it, or take its place.
enum class Onto { kZeros, kNothing };

template <class Sample>
void convolve(benchmark::State& state, InstructionSet set, Onto onto) {
  const auto frames = static_cast<std::size_t>(state.range(0));
  const auto taps = static_cast<std::size_t>(state.range(1));
  // The history ends anywhere in memory: a ring is read from every place.
  AlignedVector<Sample> in(taps + 2 * frames, Sample(0.5));
  AlignedVector<Sample> reversed(taps, Sample(0.25));
  AlignedVector<Sample> out(frames);
  std::size_t shift = 0;
  for (auto _ : state) {
    const Sample* const newest = in.data() + taps - 1 + shift;
    if (onto == Onto::kZeros) {
      std::fill(out.begin(), out.end(), Sample{0});
      direct_fir<Sample>(set)->add(newest, reversed.data(), taps, out.data(), frames);
    } else {
      direct_fir<Sample>(set)->set(newest, reversed.data(), taps, out.data(), frames);
    }
    shift = (shift + 5) % frames;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames * taps));
}

const int registered = [] {
  const auto shapes = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"frames", "taps"});
    for (const std::int64_t frames : {32, 64, 128, 256}) {
      for (const std::int64_t taps : {8, 16, 32, 48, 64, 128, 256}) b->Args({frames, taps});
    }
  };
  const auto short_filters = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"frames", "taps"});
    for (const std::int64_t taps : {1, 2, 3, 4, 5, 8, 12, 16}) b->Args({10'000, taps});
    b->Args({1'000, 5})->Args({100, 5});
  };
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    const auto add = [&](const char* type, auto* function) {
      shapes(benchmark::RegisterBenchmark((std::string("direct/") + type + name).c_str(), function,
                                          set, Onto::kZeros));
      short_filters(benchmark::RegisterBenchmark((std::string("direct_set/") + type + name).c_str(),
                                                 function, set, Onto::kNothing));
      short_filters(benchmark::RegisterBenchmark((std::string("direct_add/") + type + name).c_str(),
                                                 function, set, Onto::kZeros));
    };
    add("float/", &convolve<float>);
    add("double/", &convolve<double>);
  }
  return 0;
}();

}  // namespace
