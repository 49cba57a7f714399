// CheckedCopy: copies samples and looks at their size on the way, on one instruction set.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

template <class Sample>
struct CheckedCopy {
  /// to[n] = from[n] for n below `frames`; `from` and `to` do not overlap. Returns whether every
  /// sample's magnitude is below `bound`, which is positive; a NaN's is not, whatever the compiler
  /// was told of floating-point numbers. `past_caches` is for a target that the caches do not hold
  /// until it is read, where the instruction set can store past them.
  bool (*run)(const Sample* from, Sample* to, std::size_t frames, Sample bound,
              bool past_caches) noexcept;
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const CheckedCopy<Sample>* checked_copy(InstructionSet set) noexcept;

}  // namespace firbank
