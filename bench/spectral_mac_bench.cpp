// Spectral multiply-accumulate by the size of the filter's spectra and of the transform: from the
// first-level cache to memory. bins/s counts complex products.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/spectral_mac.hpp"

namespace {

using namespace firbank;

template <class Sample>
void multiply_accumulate(benchmark::State& state, InstructionSet set) {
  const auto bins = static_cast<std::size_t>(state.range(0));
  const std::size_t bytes = static_cast<std::size_t>(state.range(1)) * 1024;
  const std::size_t partitions = std::max<std::size_t>(1, bytes / (2 * sizeof(Sample) * bins));
  const TransformPlan<Sample> plan(bins, real_fft<Sample>(set)->traits);
  AlignedVector<Sample> input(2 * bins * partitions, Sample(0.5));
  AlignedVector<Sample> response(2 * bins * partitions, Sample(0.25));
  AlignedVector<Sample> sum(2 * bins);
  const std::size_t stride = partitions * plan.chunk_samples();
  const MacTerm<Sample> term{input.data(), response.data(), stride, 0, partitions};
  MacJob<Sample> job;
  job.terms = {&term, 1};
  job.last_chunk = plan.chunks();
  job.chunk_samples = plan.chunk_samples();
  job.plane_lanes = plan.plane_lanes;
  job.slots = partitions;
  job.input_stride = stride;
  job.last_partition = partitions;
  job.to = sum.data();
  for (auto _ : state) {
    spectral_mac<Sample>(set)->run(job);
    job.newest = job.newest == 0 ? partitions - 1 : job.newest - 1;
    benchmark::ClobberMemory();
  }
  state.counters["bins"] = benchmark::Counter(static_cast<double>(bins * partitions),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

const int registered = [] {
  const auto shapes = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"bins", "filter_KiB"});
    for (const std::int64_t bins : {32, 256, 4'096}) {
      for (const std::int64_t kib : {16, 256, 8'192, 65'536}) b->Args({bins, kib});
    }
  };
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    shapes(benchmark::RegisterBenchmark(("mac/float/" + name).c_str(), multiply_accumulate<float>,
                                        set));
    shapes(benchmark::RegisterBenchmark(("mac/double/" + name).c_str(), multiply_accumulate<double>,
                                        set));
  }
  return 0;
}();

}  // namespace
