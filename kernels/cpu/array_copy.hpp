// ArrayCopy: samples between arrays of any type and stride, as they lie in the memory of another
// program, and the contiguous planes that all other kernels work on; on one instruction set.
//
// Pointers to arrays need no alignment, not even to an element. Numbers are converted as by C++'s
// static_cast, those of 16 bits rounded to nearest even. Nothing outside the elements named is read
// or written; arrays and planes do not overlap.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"
#include "kernels/element_type.hpp"

namespace firbank {

template <class Sample>
struct ArrayCopy {
  /// plane[n] = source[n * stride], for n below `count`. `stride` counts elements of `type`; it may
  /// be 0 or negative.
  void (*gather)(const void* source, ElementType type, std::ptrdiff_t stride, Sample* plane,
                 std::size_t count) noexcept;

  /// planes[c][n] = source[n * frame_stride + c], for c below `channels` and n below `count`.
  void (*gather_frames)(const void* source, ElementType type, std::ptrdiff_t frame_stride,
                        std::size_t channels, Sample* const* planes, std::size_t count) noexcept;

  /// target[n * stride] = plane[n]. `type` is one of the three floating-point types.
  void (*scatter)(const Sample* plane, void* target, ElementType type, std::ptrdiff_t stride,
                  std::size_t count) noexcept;

  /// target[n * frame_stride + c] = planes[c][n]. `type` is one of the three floating-point types.
  /// `past_caches` writes past the caches where frames follow one another: for targets larger than
  /// the caches, in 0.4 to 0.9 of the time (bench/array_copy_bench.cpp). It is not for those that
  /// somebody reads soon after.
  void (*scatter_frames)(const Sample* const* planes, std::size_t channels, void* target,
                         ElementType type, std::ptrdiff_t frame_stride, std::size_t count,
                         bool past_caches) noexcept;
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const ArrayCopy<Sample>* array_copy(InstructionSet set) noexcept;

template <class Sample>
const ArrayCopy<Sample>* scalar_array_copy() noexcept;

}  // namespace firbank
