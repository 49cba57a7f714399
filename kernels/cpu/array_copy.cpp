#include "kernels/cpu/array_copy.hpp"

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/array_element.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/array_copy.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/array_copy-inl.h"

#if HWY_ONCE
namespace firbank {
namespace {

template <class Sample>
Sample load(const std::byte* at, ElementType type) noexcept {
  switch (type) {
    case ElementType::kFloat32:
      return load_element<float, Sample>(at);
    case ElementType::kFloat64:
      return load_element<double, Sample>(at);
    case ElementType::kFloat16:
      return load_element<Float16Element, Sample>(at);
    case ElementType::kInt8:
      return load_element<std::int8_t, Sample>(at);
    case ElementType::kInt16:
      return load_element<std::int16_t, Sample>(at);
    case ElementType::kInt32:
      return load_element<std::int32_t, Sample>(at);
    case ElementType::kInt64:
      return load_element<std::int64_t, Sample>(at);
    case ElementType::kUint8:
      return load_element<std::uint8_t, Sample>(at);
    case ElementType::kUint16:
      return load_element<std::uint16_t, Sample>(at);
    case ElementType::kUint32:
      return load_element<std::uint32_t, Sample>(at);
    case ElementType::kUint64:
      return load_element<std::uint64_t, Sample>(at);
    case ElementType::kBool:
      break;
  }
  return load_element<BoolElement, Sample>(at);
}

template <class Sample>
void scalar_gather(const void* source, ElementType type, std::ptrdiff_t stride, Sample* plane,
                   std::size_t count) noexcept {
  const auto* const from = static_cast<const std::byte*>(source);
  const std::ptrdiff_t step = stride * static_cast<std::ptrdiff_t>(element_bytes(type));
  for (std::size_t n = 0; n < count; ++n) {
    plane[n] = load<Sample>(from + static_cast<std::ptrdiff_t>(n) * step, type);
  }
}

template <class Sample>
void scalar_gather_frames(const void* source, ElementType type, std::ptrdiff_t frame_stride,
                          std::size_t channels, Sample* const* planes, std::size_t count) noexcept {
  const auto* const from = static_cast<const std::byte*>(source);
  for (std::size_t c = 0; c < channels; ++c) {
    scalar_gather(from + c * element_bytes(type), type, frame_stride, planes[c], count);
  }
}

template <class Sample>
void scalar_scatter(const Sample* plane, void* target, ElementType type, std::ptrdiff_t stride,
                    std::size_t count) noexcept {
  auto* const to = static_cast<std::byte*>(target);
  const std::ptrdiff_t step = stride * static_cast<std::ptrdiff_t>(element_bytes(type));
  for (std::size_t n = 0; n < count; ++n) {
    std::byte* const at = to + static_cast<std::ptrdiff_t>(n) * step;
    if (type == ElementType::kFloat32) {
      store_element<float>(plane[n], at);
    } else if (type == ElementType::kFloat64) {
      store_element<double>(plane[n], at);
    } else {
      store_element<Float16Element>(plane[n], at);
    }
  }
}

template <class Sample>
void scalar_scatter_frames(const Sample* const* planes, std::size_t channels, void* target,
                           ElementType type, std::ptrdiff_t frame_stride, std::size_t count,
                           bool /*past_caches*/) noexcept {
  auto* const to = static_cast<std::byte*>(target);
  for (std::size_t c = 0; c < channels; ++c) {
    scalar_scatter(planes[c], to + c * element_bytes(type), type, frame_stride, count);
  }
}

}  // namespace

template <class Sample>
const ArrayCopy<Sample>* scalar_array_copy() noexcept {
  static constexpr ArrayCopy<Sample> kKernel = {
      &scalar_gather<Sample>, &scalar_gather_frames<Sample>, &scalar_scatter<Sample>,
      &scalar_scatter_frames<Sample>};
  return &kKernel;
}

template <class Sample>
const ArrayCopy<Sample>* array_copy(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, array_copy_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_array_copy<Sample>() : nullptr;
}

template const ArrayCopy<float>* array_copy<float>(InstructionSet) noexcept;
template const ArrayCopy<double>* array_copy<double>(InstructionSet) noexcept;
template const ArrayCopy<float>* scalar_array_copy<float>() noexcept;
template const ArrayCopy<double>* scalar_array_copy<double>() noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
