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
  TransformTraits traits;

  /// older[0..M), newer[0..M) -> chunk c of the spectrum at spectrum[c * chunk_stride]. `work`
  /// holds 2M samples, aligned to a cache line, as is the spectrum.
  void (*forward)(const TransformPlan<Sample>& plan, const Sample* older, const Sample* newer,
                  Sample* work, Sample* spectrum, std::size_t chunk_stride) noexcept;

  /// Contiguous spectrum (destroyed) -> newer[0..M).
  void (*inverse)(const TransformPlan<Sample>& plan, Sample* spectrum, Sample* newer) noexcept;

  /// Contiguous spectrum (destroyed) -> both halves.
  void (*inverse_both)(const TransformPlan<Sample>& plan, Sample* spectrum, Sample* older,
                       Sample* newer) noexcept;
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const RealFft<Sample>* real_fft(InstructionSet set) noexcept;

}  // namespace firbank
