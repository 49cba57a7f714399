// Direct convolution of one channel by block and taps. Items are products.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace {

using namespace firbank;

template <class Sample>
void convolve(benchmark::State& state, InstructionSet set) {
  const auto frames = static_cast<std::size_t>(state.range(0));
  const auto taps = static_cast<std::size_t>(state.range(1));
  // The history ends anywhere in memory: a ring is read from every place.
  AlignedVector<Sample> in(taps + 2 * frames, Sample(0.5));
  AlignedVector<Sample> reversed(taps, Sample(0.25));
  AlignedVector<Sample> out(frames);
  std::size_t shift = 0;
  for (auto _ : state) {
    std::fill(out.begin(), out.end(), Sample{0});
    direct_fir<Sample>(set)->add(in.data() + taps - 1 + shift, reversed.data(), taps, out.data(),
                                 frames);
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
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    shapes(benchmark::RegisterBenchmark(("direct/float/" + name).c_str(), convolve<float>, set));
    shapes(benchmark::RegisterBenchmark(("direct/double/" + name).c_str(), convolve<double>, set));
  }
  return 0;
}();

}  // namespace
