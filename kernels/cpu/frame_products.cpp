#include "kernels/cpu/frame_products.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/frame_products.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/frame_products-inl.h"

#if HWY_ONCE
namespace firbank {
namespace {

template <class Sample>
void scalar_add(const Sample* x, std::ptrdiff_t row_stride, std::size_t width, const Sample* h,
                std::size_t taps, Sample* out, std::size_t count) noexcept {
  for (std::size_t n = 0; n < count; ++n) {
    Sample total = 0;
    Sample sum = 0;
    std::size_t products = 0;
    for (std::size_t k = 0; k < taps; ++k) {
      const Sample* const row = x + static_cast<std::ptrdiff_t>(n + k) * row_stride;
      const Sample* const tap = h + (taps - 1 - k) * width;
      for (std::size_t c = 0; c < width; ++c) {
        sum += row[c] * tap[c];
        if (++products % kFrameProductsRun == 0) {
          total += sum;
          sum = 0;
        }
      }
    }
    out[n] += total + sum;
  }
}

}  // namespace

template <class Sample>
const FrameProducts<Sample>* scalar_frame_products() noexcept {
  static constexpr FrameProducts<Sample> kKernel = {&scalar_add<Sample>};
  return &kKernel;
}

template <class Sample>
const FrameProducts<Sample>* frame_products(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, frame_products_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_frame_products<Sample>() : nullptr;
}

template const FrameProducts<float>* frame_products<float>(InstructionSet) noexcept;
template const FrameProducts<double>* frame_products<double>(InstructionSet) noexcept;
template const FrameProducts<float>* scalar_frame_products<float>() noexcept;
template const FrameProducts<double>* scalar_frame_products<double>() noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
