// Sliding products of frames by rows, width and taps. Items are products.
#include <algorithm>
#include <cstddef>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/frame_products.hpp"

namespace {

using namespace firbank;

template <class Sample>
void products(benchmark::State& state, InstructionSet set) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto width = static_cast<std::size_t>(state.range(1));
  const auto taps = static_cast<std::size_t>(state.range(2));
  AlignedVector<Sample> x((rows + taps - 1) * width, Sample(0.5));
  AlignedVector<Sample> h(taps * width, Sample(0.25));
  AlignedVector<Sample> out(rows);
  for (auto _ : state) {
    std::fill(out.begin(), out.end(), Sample{0});
    frame_products<Sample>(set)->add(x.data(), static_cast<std::ptrdiff_t>(width), width, h.data(),
                                     taps, out.data(), rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows * width * taps));
}

const int registered = [] {
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    const auto shapes = [](benchmark::internal::Benchmark* b) {
      b->ArgNames({"rows", "width", "taps"})->Args({10'000, 16, 5});
      for (const std::int64_t width : {100, 1'000, 1'024}) {
        for (const std::int64_t taps : {5, 32}) b->Args({1'024, width, taps});
      }
    };
    shapes(benchmark::RegisterBenchmark(("products/float/" + name).c_str(), products<float>, set));
    shapes(
        benchmark::RegisterBenchmark(("products/double/" + name).c_str(), products<double>, set));
  }
  return 0;
}();

}  // namespace
