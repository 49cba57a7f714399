// Spectral multiply-accumulate by the size of the filters' spectra and of the transform, from the
// first-level cache to memory, and by the outputs that one input is read for at once; with filters
// in full and, as mac_int16, in 16 bits a value, of which the same size holds more. Items are
// complex products.
#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/spectral_mac.hpp"

namespace {

using namespace firbank;

template <class Sample, bool kCompact = false>
void multiply_accumulate(benchmark::State& state, InstructionSet set) {
  // Of a compact value, the scale that it shares included.
  constexpr double kValueBytes = kCompact ? 2.25 : sizeof(Sample);
  const auto bins = static_cast<std::size_t>(state.range(0));
  const auto bytes = static_cast<double>(state.range(1)) * 1024;
  const auto count = static_cast<std::size_t>(state.range(2));
  const auto partitions = static_cast<std::size_t>(
      std::max(1.0, bytes / (2 * kValueBytes * static_cast<double>(bins * count))));
  const TransformPlan<Sample> plan(bins, real_fft<Sample>(set)->traits);
  const std::size_t padding = kCacheLineBytes / sizeof(Sample);
  const std::size_t filter = 2 * bins * partitions + padding;
  AlignedVector<Sample> input(filter, Sample(0.5));
  AlignedVector<Sample> responses(kCompact ? 0 : filter * count, Sample(0.25));
  AlignedVector<std::int16_t> multiples(kCompact ? filter * count : 0, 0x2000);
  const std::size_t filter_scales = plan.chunks() * partitions * plan.plane_lanes;
  AlignedVector<std::uint16_t> scales(kCompact ? filter_scales * count : 0, 0x3800);
  AlignedVector<Sample> sums((2 * bins + padding) * count);
  const std::size_t stride = partitions * plan.chunk_samples();
  std::vector<MacTerm<Sample>> terms;
  for (std::size_t o = 0; o < count; ++o) {
    MacTerm<Sample>& term = terms.emplace_back();
    term.input = input.data();
    if (kCompact) {
      term.compact = multiples.data() + o * filter;
      term.scales = scales.data() + o * filter_scales;
      term.scale_stride = partitions * plan.plane_lanes;
    } else {
      term.response = responses.data() + o * filter;
    }
    term.response_stride = stride;
    term.last_partition = partitions;
  }
  MacJob<Sample> job;
  job.last_chunk = plan.chunks();
  job.chunk_samples = plan.chunk_samples();
  job.plane_lanes = plan.plane_lanes;
  job.slots = partitions;
  job.input_stride = stride;
  job.last_partition = partitions;
  std::vector<MacSum<Sample>> aims(count);
  for (std::size_t o = 0; o < count; ++o) {
    aims[o].terms = {&terms[o], 1};
    aims[o].to = sums.data() + o * (2 * bins + padding);
  }
  for (auto _ : state) {
    const SpectralMac<Sample>& mac = *spectral_mac<Sample>(set);
    (kCompact ? mac.run_compact : mac.run)(job, aims);
    job.newest = job.newest == 0 ? partitions - 1 : job.newest - 1;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(bins * partitions * count));
}

const int registered = [] {
  const auto shapes = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"bins", "filters_KiB", "outputs"});
    for (const std::int64_t bins : {32, 256, 4'096}) {
      for (const std::int64_t kib : {16, 256, 8'192, 65'536}) {
        for (const std::int64_t outputs : {1, 2, 3, 4}) b->Args({bins, kib, outputs});
      }
    }
  };
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    shapes(benchmark::RegisterBenchmark(("mac/float/" + name).c_str(), multiply_accumulate<float>,
                                        set));
    shapes(benchmark::RegisterBenchmark(("mac_int16/float/" + name).c_str(),
                                        multiply_accumulate<float, true>, set));
    shapes(benchmark::RegisterBenchmark(("mac/double/" + name).c_str(), multiply_accumulate<double>,
                                        set));
  }
  return 0;
}();

}  // namespace
