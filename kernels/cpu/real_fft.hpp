// RealFft: the right-angle real transform on one instruction set (see TransformPlan).
//
// Forward takes 2M real samples to M complex values; the inverse takes them back, times M. There is
// no bin for zero frequency or Nyquist, and no reordering: forward, products and inverse share one
// permuted order, which differs between sizes and instruction sets. These are not DFT bins.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"
#include "kernels/cpu/transform_plan.hpp"

namespace firbank {

template <class Sample>
struct RealFft {
  using Plan = TransformPlan<Sample>;

  TransformTraits traits;

  // Steps [first_step, last_step) of each; it is done when all have run, in order and on the same
  // buffers. How it was cut changes no bit of the result.
  void (*forward_steps)(const Plan& plan, const Sample* older, const Sample* newer, Sample* work,
                        Sample* spectrum, std::size_t chunk_stride, std::size_t first_step,
                        std::size_t last_step) noexcept;
  void (*inverse_steps)(const Plan& plan, Sample* spectrum, Sample* newer, std::size_t first_step,
                        std::size_t last_step) noexcept;
  void (*inverse_both_steps)(const Plan& plan, Sample* spectrum, Sample* older, Sample* newer,
                             std::size_t first_step, std::size_t last_step) noexcept;

  /// older[0..M), newer[0..M) -> chunk c of the spectrum at spectrum[c * chunk_stride]. `work`
  /// holds 2M samples, aligned to a cache line, as is the spectrum.
  void forward(const Plan& plan, const Sample* older, const Sample* newer, Sample* work,
               Sample* spectrum, std::size_t chunk_stride) const noexcept {
    forward_steps(plan, older, newer, work, spectrum, chunk_stride, 0, plan.steps.size());
  }

  /// Contiguous spectrum (destroyed) -> newer[0..M).
  void inverse(const Plan& plan, Sample* spectrum, Sample* newer) const noexcept {
    inverse_steps(plan, spectrum, newer, 0, plan.steps.size());
  }

  /// Contiguous spectrum (destroyed) -> both halves.
  void inverse_both(const Plan& plan, Sample* spectrum, Sample* older,
                    Sample* newer) const noexcept {
    inverse_both_steps(plan, spectrum, older, newer, 0, plan.steps.size());
  }
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const RealFft<Sample>* real_fft(InstructionSet set) noexcept;

}  // namespace firbank
