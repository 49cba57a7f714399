// NarrowCopy: samples that are whole multiples of 1/32,768, as those of 16-bit sources are, in two
// bytes each, on one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

template <class Sample>
struct NarrowCopy {
  /// to[n] = 32,768 from[n] for n below `frames`; `from` and `to` do not overlap. Returns whether
  /// all of them are whole numbers of 16 bits, so that nothing is lost but the sign of a zero; what
  /// is in `to` is of no use otherwise. `past_caches` writes past the caches: see
  /// uncached_copy.hpp.
  bool (*run)(const Sample* from, std::int16_t* to, std::size_t frames, bool past_caches) noexcept;
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const NarrowCopy<Sample>* narrow_copy(InstructionSet set) noexcept;

}  // namespace firbank
