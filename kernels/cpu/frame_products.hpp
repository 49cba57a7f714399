// FrameProducts: the sum over all channels of each channel convolved with its own filter, where the
// samples of a frame lie side by side; on one instruction set.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

template <class Sample>
struct FrameProducts {
  /// out[n] += sum_k sum_c x[(n + k) * row_stride + c] * h[(taps - 1 - k) * width + c], for n below
  /// `count`, k below `taps`, c below `width`: row n + taps - 1 of `x` is the newest that out[n]
  /// hears, by the first row of `h`. `row_stride` counts samples and may be negative. Sums of at
  /// most kFrameProductsRun products are added up at a time. Where a row holds an infinity, sums
  /// may become NaN instead of infinite. Rows a multiple of 4,096 bytes apart share places in first
  /// caches, which takes up to twice the time.
  void (*add)(const Sample* x, std::ptrdiff_t row_stride, std::size_t width, const Sample* h,
              std::size_t taps, Sample* out, std::size_t count) noexcept;
};

inline constexpr std::size_t kFrameProductsRun = 64;

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
template <class Sample>
const FrameProducts<Sample>* frame_products(InstructionSet set) noexcept;

template <class Sample>
const FrameProducts<Sample>* scalar_frame_products() noexcept;

}  // namespace firbank
