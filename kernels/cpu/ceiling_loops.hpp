// CeilingLoops: loops that do nothing but read memory, or nothing but multiply and add, on one
// instruction set: with them a processor's ceilings are measured.
//
// Thread:   any.
// Realtime: safe, and as long as they are told to be.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

/// What is read lies on a cache line and is a multiple of this long.
inline constexpr std::size_t kCeilingReadBytes = 1'024;

template <class Sample>
struct CeilingLoops {
  /// Reads all of it once, and returns its sum, so that nothing of it can be left out.
  Sample (*read)(const Sample* data, std::size_t samples) noexcept;

  /// x = x * scale + step, `rounds` times, in so many independent sums at a time that none waits
  /// for another one. Returns all of them together; with scale 0.5 and step 1 they stay near 2.
  Sample (*multiply_add)(std::size_t rounds, Sample scale, Sample step) noexcept;

  std::size_t round_flops;  // of a round; a multiplication and an addition are two
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const CeilingLoops<Sample>* ceiling_loops(InstructionSet set) noexcept;

}  // namespace firbank
