// The host's copies for a device, into a staging slot and out of one: by one thread and by two, by
// the caches and past them. Planes are 8,192 frames long; the slots are plain memory, one after
// another of several, as a stream uses them. Bytes are those of the samples, as the caller has
// them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cuda/slot_copy.hpp"
#include "kernels/worker_pool.hpp"

namespace {

using namespace firbank;

constexpr std::size_t kFrames = 8'192;
constexpr std::size_t kSlots = 4;  // as throughput mode has them with two calls under way

enum class Way { kFill, kFillNarrow, kBringHome };

/// Planes, checked as the engine checks them.
class Planes final : public NewSamples<float> {
 public:
  explicit Planes(const float* const* planes) : planes_(planes) {}

  std::size_t frames() const noexcept override { return kFrames; }
  const float* raw(std::size_t input) const noexcept override { return planes_[input]; }
  void take(IndexRange inputs, float* to, std::size_t stride,
            bool past_caches) const noexcept override {
    for (std::size_t input = inputs.first; input < inputs.last; ++input, to += stride) {
      benchmark::DoNotOptimize(copy_.run(planes_[input], to, kFrames, 0x1p96F, past_caches));
    }
  }
  void pass(IndexRange) const noexcept override {}

 private:
  const float* const* planes_;
  const CheckedCopy<float>& copy_ = *checked_copy<float>(best_instruction_set());
};

struct Arguments {
  Way way;
  std::size_t threads;
  bool past_caches;
};

void copy(benchmark::State& state, Arguments arguments) {
  const auto planes = static_cast<std::size_t>(state.range(0)) / (kFrames * sizeof(float));
  WorkerPool pool(arguments.threads);
  const cuda::StreamShape shape{.inputs = planes, .outputs = planes, .copiers = &pool};
  const cuda::SlotCopy<float> copies(shape, arguments.past_caches ? 0 : SIZE_MAX);
  const std::size_t samples = planes * kFrames;
  AlignedVector<float> slots(kSlots * samples);
  // Planes of a caller may have lines between them.
  AlignedVector<float> memory(kSlots * planes * (kFrames + 16), 0.25F);
  std::vector<const float*> in(kSlots * planes);
  std::vector<float*> out(kSlots * planes);
  for (std::size_t p = 0; p < in.size(); ++p) {
    out[p] = memory.data() + p * (kFrames + 16);
    in[p] = out[p];
  }
  std::size_t turn = 0;
  for (auto _ : state) {
    const std::size_t slot = turn++ % kSlots;
    float* const at = slots.data() + slot * samples;
    const Planes newest(in.data() + slot * planes);
    const Window<float> window{.samples = &newest, .fresh = {kFrames, 2 * kFrames}};
    switch (arguments.way) {
      case Way::kFill:
        copies.fill(window, at);
        break;
      case Way::kFillNarrow:
        if (!copies.fill_narrow(window, reinterpret_cast<std::int16_t*>(at))) {
          state.SkipWithError("the samples are not narrow");
        }
        break;
      case Way::kBringHome:
        copies.bring_home(at, kFrames, out.data() + slot * planes);
        break;
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(samples * sizeof(float)));
}

const bool kRegistered = [] {
  for (const auto& [way, name] :
       {std::pair{Way::kFill, "fill"}, std::pair{Way::kFillNarrow, "fill_narrow"},
        std::pair{Way::kBringHome, "bring_home"}}) {
    for (const std::size_t threads : {1, 2}) {
      for (const bool past_caches : {false, true}) {
        benchmark::RegisterBenchmark(fmt::format("{}/threads:{}/{}", name, threads,
                                                 past_caches ? "past_caches" : "by_caches")
                                         .c_str(),
                                     &copy, Arguments{way, threads, past_caches})
            ->ArgName("bytes")
            ->RangeMultiplier(4)
            ->Range(std::int64_t{1} << 16, std::int64_t{1} << 28)
            ->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
