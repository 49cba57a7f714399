// What engines compute with, one call a step.
#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "bench/instructions/counted_case.hpp"
#include "bench/instructions/noise.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/direct_fir.hpp"
#include "kernels/cpu/narrow_copy.hpp"
#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/spectral_mac.hpp"

namespace firbank::bench {
namespace {

template <class Sample>
struct Transform {
  Transform(InstructionSet set, std::size_t size)
      : fft(*real_fft<Sample>(set)),
        plan(size / 2, fft.traits),
        samples(noise<Sample>(size)),
        work(size),
        spectrum(size),
        answer(size / 2) {}

  void there_and_back() noexcept {
    fft.forward(plan, samples.data(), samples.data() + plan.points, work.data(), spectrum.data(),
                plan.chunk_samples());
    fft.inverse(plan, spectrum.data(), answer.data());
  }

  const RealFft<Sample>& fft;
  TransformPlan<Sample> plan;
  AlignedVector<Sample> samples, work, spectrum, answer;
};

template <class Sample>
CountedCase transform(std::size_t size, const char* suffix = "") {
  return {fmt::format("transform-{}{}", size, suffix),
          fmt::format("{} samples there and back", size), [size](InstructionSet set) {
            const auto transform = std::make_shared<Transform<Sample>>(set, size);
            return CountedRun{[transform] { transform->there_and_back(); }};
          }};
}

/// Outputs of one tile, which hear the same input.
struct Products {
  static constexpr std::size_t kPartitions = 32;

  Products(InstructionSet set, std::size_t bins)
      : mac(*spectral_mac<float>(set)),
        input(noise(kPartitions * 2 * bins)),
        responses(noise(kMacTile * kPartitions * 2 * bins)),
        to(kMacTile * 2 * bins),
        terms(kMacTile),
        sums(kMacTile) {
    const TransformPlan<float> plan(bins, real_fft<float>(set)->traits);
    job.last_chunk = plan.chunks();
    job.chunk_samples = plan.chunk_samples();
    job.plane_lanes = plan.plane_lanes;
    job.slots = kPartitions;
    job.input_stride = kPartitions * plan.chunk_samples();
    job.last_partition = kPartitions;
    for (std::size_t o = 0; o < kMacTile; ++o) {
      terms[o].input = input.data();
      terms[o].response = &responses[o * kPartitions * 2 * bins];
      terms[o].response_stride = job.input_stride;
      terms[o].last_partition = kPartitions;
      sums[o].terms = {&terms[o], 1};
      sums[o].to = &to[o * 2 * bins];
    }
  }

  void run() noexcept {
    mac.run(job, sums);
    job.newest = job.newest == 0 ? kPartitions - 1 : job.newest - 1;
  }

  const SpectralMac<float>& mac;
  AlignedVector<float> input, responses, to;
  std::vector<MacTerm<float>> terms;
  std::vector<MacSum<float>> sums;
  MacJob<float> job;
};

CountedCase products() {
  return {"products-256", "256 bins of 32 partitions for 4 outputs", [](InstructionSet set) {
            const auto products = std::make_shared<Products>(set, 256);
            return CountedRun{[products] { products->run(); }};
          }};
}

CountedCase direct() {
  return {
      "direct-64", "64 frames of 64 taps", [](InstructionSet set) {
        const DirectFir<float>* fir = direct_fir<float>(set);
        const auto in = std::make_shared<AlignedVector<float>>(noise(128));
        const auto taps = std::make_shared<AlignedVector<float>>(noise(64, 2));
        const auto out = std::make_shared<AlignedVector<float>>(64);
        return CountedRun{[=] { fir->add(in->data() + 64, taps->data(), 64, out->data(), 64); }};
      }};
}

CountedCase checked() {
  return {"checked-copy", "256 samples", [](InstructionSet set) {
            const CheckedCopy<float>* copy = checked_copy<float>(set);
            const auto from = std::make_shared<AlignedVector<float>>(noise(256));
            const auto to = std::make_shared<AlignedVector<float>>(256);
            return CountedRun{[=] { copy->run(from->data(), to->data(), 256, 2, false); }};
          }};
}

CountedCase narrowed() {
  return {"narrow-copy", "256 samples", [](InstructionSet set) {
            const NarrowCopy<float>* copy = narrow_copy<float>(set);
            // Whole numbers of 16 bits: it does not end at the first one that is none.
            const auto from = std::make_shared<AlignedVector<float>>(256, 0.25F);
            const auto to = std::make_shared<AlignedVector<std::int16_t>>(256);
            return CountedRun{[=] { copy->run(from->data(), to->data(), 256, false); }};
          }};
}

}  // namespace

std::vector<CountedCase> kernel_cases() {
  return {transform<float>(256),
          transform<float>(4'096),
          transform<double>(4'096, "-double"),
          products(),
          direct(),
          checked(),
          narrowed()};
}

}  // namespace firbank::bench
