// Real transforms by size, precision and instruction set. Items are samples; flops/s counts
// 2.5 N log2 N, as is usual for a real transform of N samples. With FFTW present, its
// single-precision plans run in the same process, so that a ratio can be taken.
#include <algorithm>
#include <cmath>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/cpu/instruction_set.hpp"
#include "kernels/cpu/real_fft.hpp"

#ifdef FIRBANK_BENCH_FFTW
#include <fftw3.h>
#endif

namespace {

using namespace firbank;

void count(benchmark::State& state) {
  const auto size = static_cast<double>(state.range(0));
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["flops"] = benchmark::Counter(2.5 * size * std::log2(size),
                                               benchmark::Counter::kIsIterationInvariantRate,
                                               benchmark::Counter::kIs1000);
}

template <class Sample>
struct Buffers {
  explicit Buffers(const TransformPlan<Sample>& plan)
      : older(plan.points, Sample(0.1)),
        newer(plan.points, Sample(-0.2)),
        work(2 * plan.points),
        spectrum(2 * plan.points) {}
  AlignedVector<Sample> older, newer, work, spectrum;
};

template <class Sample>
void forward(benchmark::State& state, InstructionSet set) {
  const RealFft<Sample>& fft = *real_fft<Sample>(set);
  const TransformPlan<Sample> plan(static_cast<std::size_t>(state.range(0)) / 2, fft.traits);
  Buffers<Sample> b(plan);
  for (auto _ : state) {
    fft.forward(plan, b.older.data(), b.newer.data(), b.work.data(), b.spectrum.data(),
                plan.chunk_samples());
    benchmark::ClobberMemory();
  }
  count(state);
}

/// The inverse destroys its input; the copy that keeps it finite is part of the time.
template <class Sample>
void inverse(benchmark::State& state, InstructionSet set) {
  const RealFft<Sample>& fft = *real_fft<Sample>(set);
  const TransformPlan<Sample> plan(static_cast<std::size_t>(state.range(0)) / 2, fft.traits);
  Buffers<Sample> b(plan);
  fft.forward(plan, b.older.data(), b.newer.data(), b.work.data(), b.spectrum.data(),
              plan.chunk_samples());
  for (auto _ : state) {
    std::copy(b.spectrum.begin(), b.spectrum.end(), b.work.begin());
    fft.inverse(plan, b.work.data(), b.newer.data());
    benchmark::ClobberMemory();
  }
  count(state);
}

#ifdef FIRBANK_BENCH_FFTW
void fftw_forward(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  auto* in = fftwf_alloc_real(static_cast<std::size_t>(size));
  auto* out = fftwf_alloc_complex(static_cast<std::size_t>(size) / 2 + 1);
  const fftwf_plan plan = fftwf_plan_dft_r2c_1d(size, in, out, FFTW_PATIENT);
  std::fill_n(in, size, 0.1f);
  for (auto _ : state) {
    fftwf_execute(plan);
    benchmark::ClobberMemory();
  }
  count(state);
  fftwf_destroy_plan(plan);
  fftwf_free(in);
  fftwf_free(out);
}
#endif

const int registered = [] {
  const auto sizes = [](benchmark::internal::Benchmark* b) {
    b->ArgName("size");
    for (std::int64_t size = 16; size <= 65'536; size *= 2) b->Arg(size);
  };
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    sizes(benchmark::RegisterBenchmark(("forward/float/" + name).c_str(), forward<float>, set));
    sizes(benchmark::RegisterBenchmark(("inverse/float/" + name).c_str(), inverse<float>, set));
    sizes(benchmark::RegisterBenchmark(("forward/double/" + name).c_str(), forward<double>, set));
    sizes(benchmark::RegisterBenchmark(("inverse/double/" + name).c_str(), inverse<double>, set));
  }
#ifdef FIRBANK_BENCH_FFTW
  sizes(benchmark::RegisterBenchmark("forward/float/fftw", fftw_forward));
#endif
  return 0;
}();

}  // namespace
