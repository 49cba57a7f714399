// Copies between arrays and planes in Highway's vectors. See array_copy.hpp.

#if defined(FIRBANK_ARRAY_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_ARRAY_COPY_INL_H
#undef FIRBANK_ARRAY_COPY_INL_H
#else
#define FIRBANK_ARRAY_COPY_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/array_copy.hpp"
#include "kernels/cpu/array_element.hpp"
#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/uncached_bytes-inl.h"

// Highway's own conversions for processors without an instruction truncate, and know no infinity.
#undef FIRBANK_FLOAT16_INSTRUCTIONS
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
#ifndef HWY_DISABLE_F16C
#define FIRBANK_FLOAT16_INSTRUCTIONS 1
#endif
#elif HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64
#define FIRBANK_FLOAT16_INSTRUCTIONS 1
#endif

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

// --- One channel -------------------------------------------------------------------------------

/// How many of `count` contiguous elements were converted by instructions that the compiler does
/// not choose by itself.
template <class Element, class S>
HWY_INLINE std::size_t gather_vectors(const std::byte* from, S* plane, std::size_t count) {
#ifdef FIRBANK_FLOAT16_INSTRUCTIONS
  if constexpr (std::is_same_v<Element, Float16Element> && sizeof(S) == sizeof(float)) {
    const hn::ScalableTag<float> d;
    const hn::Rebind<std::uint16_t, decltype(d)> d_bits;
    const hn::Rebind<hwy::float16_t, decltype(d)> d_half;
    constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<float>());
    std::size_t n = 0;
    for (; n + kLanes <= count; n += kLanes) {
      const auto* const bits = reinterpret_cast<const std::uint16_t*>(from + 2 * n);
      const auto half = hn::BitCast(d_half, hn::LoadU(d_bits, bits));
      hn::StoreU(hn::PromoteTo(d, half), d, plane + n);
    }
    if (n < count) {
      std::uint16_t bits[kLanes] = {};
      float samples[kLanes];
      std::memcpy(bits, from + 2 * n, 2 * (count - n));
      hn::StoreU(hn::PromoteTo(d, hn::BitCast(d_half, hn::LoadU(d_bits, bits))), d, samples);
      std::memcpy(plane + n, samples, sizeof(float) * (count - n));
    }
    return count;
  }
#endif
  return 0;
}

template <class Element, class S>
HWY_INLINE std::size_t scatter_vectors(const S* plane, std::byte* to, std::size_t count) {
#ifdef FIRBANK_FLOAT16_INSTRUCTIONS
  if constexpr (std::is_same_v<Element, Float16Element> && sizeof(S) == sizeof(float)) {
    const hn::ScalableTag<float> d;
    const hn::Rebind<std::uint16_t, decltype(d)> d_bits;
    const hn::Rebind<hwy::float16_t, decltype(d)> d_half;
    constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<float>());
    std::size_t n = 0;
    for (; n + kLanes <= count; n += kLanes) {
      const auto half = hn::DemoteTo(d_half, hn::LoadU(d, plane + n));
      hn::StoreU(hn::BitCast(d_bits, half), d_bits, reinterpret_cast<std::uint16_t*>(to + 2 * n));
    }
    if (n < count) {
      float samples[kLanes] = {};
      std::uint16_t bits[kLanes];
      std::memcpy(samples, plane + n, sizeof(float) * (count - n));
      const auto half = hn::DemoteTo(d_half, hn::LoadU(d, samples));
      hn::StoreU(hn::BitCast(d_bits, half), d_bits, bits);
      std::memcpy(to + 2 * n, bits, 2 * (count - n));
    }
    return count;
  }
#endif
  return 0;
}

/// Loops of one conversion, which the compiler turns into this target's vectors where the stride
/// is known to be 1.
template <class Element, class S>
void gather_elements(const void* source, std::ptrdiff_t stride, S* HWY_RESTRICT plane,
                     std::size_t count) {
  const auto* const from = static_cast<const std::byte*>(source);
  if (stride == 1) {
    if constexpr (std::is_same_v<Element, S>) {
      if (count > 0) std::memcpy(plane, from, count * sizeof(S));
    } else {
      for (std::size_t n = gather_vectors<Element>(from, plane, count); n < count; ++n) {
        plane[n] = load_element<Element, S>(from + n * sizeof(Element));
      }
    }
    return;
  }
  const std::ptrdiff_t step = stride * static_cast<std::ptrdiff_t>(sizeof(Element));
  for (std::size_t n = 0; n < count; ++n) {
    plane[n] = load_element<Element, S>(from + static_cast<std::ptrdiff_t>(n) * step);
  }
}

template <class Element, class S>
void scatter_elements(const S* HWY_RESTRICT plane, void* target, std::ptrdiff_t stride,
                      std::size_t count) {
  auto* const to = static_cast<std::byte*>(target);
  if (stride == 1) {
    if constexpr (std::is_same_v<Element, S>) {
      if (count > 0) std::memcpy(to, plane, count * sizeof(S));
    } else {
      for (std::size_t n = scatter_vectors<Element>(plane, to, count); n < count; ++n) {
        store_element<Element>(plane[n], to + n * sizeof(Element));
      }
    }
    return;
  }
  const std::ptrdiff_t step = stride * static_cast<std::ptrdiff_t>(sizeof(Element));
  for (std::size_t n = 0; n < count; ++n) {
    store_element<Element>(plane[n], to + static_cast<std::ptrdiff_t>(n) * step);
  }
}

template <class S>
void gather(const void* source, ElementType type, std::ptrdiff_t stride, S* plane,
            std::size_t count) noexcept {
  switch (type) {
    case ElementType::kFloat32:
      return gather_elements<float>(source, stride, plane, count);
    case ElementType::kFloat64:
      return gather_elements<double>(source, stride, plane, count);
    case ElementType::kFloat16:
      return gather_elements<Float16Element>(source, stride, plane, count);
    case ElementType::kInt8:
      return gather_elements<std::int8_t>(source, stride, plane, count);
    case ElementType::kInt16:
      return gather_elements<std::int16_t>(source, stride, plane, count);
    case ElementType::kInt32:
      return gather_elements<std::int32_t>(source, stride, plane, count);
    case ElementType::kInt64:
      return gather_elements<std::int64_t>(source, stride, plane, count);
    case ElementType::kUint8:
      return gather_elements<std::uint8_t>(source, stride, plane, count);
    case ElementType::kUint16:
      return gather_elements<std::uint16_t>(source, stride, plane, count);
    case ElementType::kUint32:
      return gather_elements<std::uint32_t>(source, stride, plane, count);
    case ElementType::kUint64:
      return gather_elements<std::uint64_t>(source, stride, plane, count);
    case ElementType::kBool:
      return gather_elements<BoolElement>(source, stride, plane, count);
  }
}

template <class S>
void scatter(const S* plane, void* target, ElementType type, std::ptrdiff_t stride,
             std::size_t count) noexcept {
  if (type == ElementType::kFloat32) return scatter_elements<float>(plane, target, stride, count);
  if (type == ElementType::kFloat64) return scatter_elements<double>(plane, target, stride, count);
  scatter_elements<Float16Element>(plane, target, stride, count);
}

// --- Adjacent channels ---------------------------------------------------------------------------

/// A vector of blocks of 128 bits, block b from `from` + b * `step` bytes.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const std::byte* from, std::ptrdiff_t step) {
  using S = hn::TFromD<D>;
  if constexpr (hn::MaxLanes(D()) * sizeof(S) == 16) {
    return hn::LoadU(d, reinterpret_cast<const S*>(from));
  } else {
    constexpr auto kBlocks = static_cast<std::ptrdiff_t>(hn::MaxLanes(D()) * sizeof(S) / 16);
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, from + kBlocks / 2 * step, step),
                       load_blocks(half, from, step));
  }
}

template <class D>
HWY_INLINE void store_blocks(D d, hn::Vec<D> v, std::byte* to, std::ptrdiff_t step) {
  using S = hn::TFromD<D>;
  if constexpr (hn::MaxLanes(D()) * sizeof(S) == 16) {
    hn::StoreU(v, d, reinterpret_cast<S*>(to));
  } else {
    constexpr auto kBlocks = static_cast<std::ptrdiff_t>(hn::MaxLanes(D()) * sizeof(S) / 16);
    const hn::Half<D> half;
    store_blocks(half, hn::LowerHalf(half, v), to, step);
    store_blocks(half, hn::UpperHalf(half, v), to + kBlocks / 2 * step, step);
  }
}

/// As many channels as a block of 128 bits has samples are transposed at a time, for as many frames
/// as a vector has lanes: each block of a vector by itself, in the blocks that it was loaded to.
template <class S>
struct Tile {
  using D = hn::ScalableTag<S>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  static constexpr std::size_t kChannels = 16 / sizeof(S);

  static HWY_INLINE void transpose(V* v) {
    const D d;
    if constexpr (kChannels == 4) {
      const V even_lower = hn::InterleaveLower(d, v[0], v[2]);
      const V odd_lower = hn::InterleaveLower(d, v[1], v[3]);
      const V even_upper = hn::InterleaveUpper(d, v[0], v[2]);
      const V odd_upper = hn::InterleaveUpper(d, v[1], v[3]);
      v[0] = hn::InterleaveLower(d, even_lower, odd_lower);
      v[1] = hn::InterleaveUpper(d, even_lower, odd_lower);
      v[2] = hn::InterleaveLower(d, even_upper, odd_upper);
      v[3] = hn::InterleaveUpper(d, even_upper, odd_upper);
    } else {
      const V lower = hn::InterleaveLower(d, v[0], v[1]);
      v[1] = hn::InterleaveUpper(d, v[0], v[1]);
      v[0] = lower;
    }
  }

  /// Frames `first` to `first` + kLanes of the planes, from rows `row_bytes` apart.
  static HWY_INLINE void gather(const std::byte* rows, std::ptrdiff_t row_bytes, S* const* planes,
                                std::size_t first) {
    const D d;
    V v[kChannels];
    HWY_UNROLL(4)
    for (std::size_t r = 0; r < kChannels; ++r) {
      v[r] = load_blocks(d, rows + static_cast<std::ptrdiff_t>(r) * row_bytes,
                         static_cast<std::ptrdiff_t>(kChannels) * row_bytes);
    }
    transpose(v);
    HWY_UNROLL(4)
    for (std::size_t c = 0; c < kChannels; ++c) hn::StoreU(v[c], d, planes[c] + first);
  }

  static HWY_INLINE void scatter(const S* const* planes, std::size_t first, std::byte* rows,
                                 std::ptrdiff_t row_bytes) {
    const D d;
    V v[kChannels];
    HWY_UNROLL(4)
    for (std::size_t c = 0; c < kChannels; ++c) v[c] = hn::LoadU(d, planes[c] + first);
    transpose(v);
    HWY_UNROLL(4)
    for (std::size_t r = 0; r < kChannels; ++r) {
      store_blocks(d, v[r], rows + static_cast<std::ptrdiff_t>(r) * row_bytes,
                   static_cast<std::ptrdiff_t>(kChannels) * row_bytes);
    }
  }
};

/// Two or three channels whose frames follow one another, which are fewer than a tile takes: how
/// many frames were copied.
template <class S>
HWY_INLINE std::size_t gather_few(const std::byte* rows, std::size_t channels, S* const* planes,
                                  std::size_t first, std::size_t frames) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  const auto* const from = reinterpret_cast<const S*>(rows);
  std::size_t n = 0;
  for (; n + kLanes <= frames; n += kLanes) {
    auto a = hn::Zero(d), b = a, c = a;
    if (channels == 2) {
      hn::LoadInterleaved2(d, from + 2 * n, a, b);
    } else {
      hn::LoadInterleaved3(d, from + 3 * n, a, b, c);
      hn::StoreU(c, d, planes[2] + first + n);
    }
    hn::StoreU(a, d, planes[0] + first + n);
    hn::StoreU(b, d, planes[1] + first + n);
  }
  return n;
}

template <class S>
HWY_INLINE std::size_t scatter_few(const S* const* planes, std::size_t channels, std::size_t first,
                                   std::size_t frames, std::byte* rows) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  auto* const to = reinterpret_cast<S*>(rows);
  std::size_t n = 0;
  for (; n + kLanes <= frames; n += kLanes) {
    const auto a = hn::LoadU(d, planes[0] + first + n);
    const auto b = hn::LoadU(d, planes[1] + first + n);
    if (channels == 2) {
      hn::StoreInterleaved2(a, b, d, to + 2 * n);
    } else {
      hn::StoreInterleaved3(a, b, hn::LoadU(d, planes[2] + first + n), d, to + 3 * n);
    }
  }
  return n;
}

/// Frames `first` to `last` of all planes; row `first` starts at `rows`. The last tile of a row
/// ends where the row does, and does some channels of the one before it again.
template <class S>
HWY_INLINE void gather_rows(const std::byte* rows, std::ptrdiff_t row_bytes, std::size_t channels,
                            S* const* planes, std::size_t first, std::size_t last) {
  using T = Tile<S>;
  const std::size_t frames = last - first;
  const bool close = row_bytes == static_cast<std::ptrdiff_t>(channels * sizeof(S));
  std::size_t n = 0;
  if (channels >= T::kChannels) {
    for (; n + T::kLanes <= frames; n += T::kLanes) {
      const std::byte* const row = rows + static_cast<std::ptrdiff_t>(n) * row_bytes;
      for (std::size_t c = 0; c < channels; c += T::kChannels) {
        const std::size_t at = std::min(c, channels - T::kChannels);
        T::gather(row + at * sizeof(S), row_bytes, planes + at, first + n);
      }
    }
  } else if (close && channels > 1) {
    n = gather_few(rows, channels, planes, first, frames);
  }
  for (; n < frames; ++n) {
    const std::byte* const row = rows + static_cast<std::ptrdiff_t>(n) * row_bytes;
    for (std::size_t c = 0; c < channels; ++c) {
      planes[c][first + n] = load_element<S, S>(row + c * sizeof(S));
    }
  }
}

template <class S>
HWY_INLINE void scatter_rows(const S* const* planes, std::size_t channels, std::size_t first,
                             std::size_t last, std::byte* rows, std::ptrdiff_t row_bytes) {
  using T = Tile<S>;
  const std::size_t frames = last - first;
  const bool close = row_bytes == static_cast<std::ptrdiff_t>(channels * sizeof(S));
  std::size_t n = 0;
  if (channels >= T::kChannels) {
    for (; n + T::kLanes <= frames; n += T::kLanes) {
      std::byte* const row = rows + static_cast<std::ptrdiff_t>(n) * row_bytes;
      for (std::size_t c = 0; c < channels; c += T::kChannels) {
        const std::size_t at = std::min(c, channels - T::kChannels);
        T::scatter(planes + at, first + n, row + at * sizeof(S), row_bytes);
      }
    }
  } else if (close && channels > 1) {
    n = scatter_few(planes, channels, first, frames, rows);
  }
  for (; n < frames; ++n) {
    std::byte* const row = rows + static_cast<std::ptrdiff_t>(n) * row_bytes;
    for (std::size_t c = 0; c < channels; ++c) {
      store_element<S>(planes[c][first + n], row + c * sizeof(S));
    }
  }
}

/// Samples that stay in the first-level cache while they are transposed, and how they lie there.
constexpr std::size_t kPatchSamples = 2'048;

template <class S>
struct Patch {
  bool one_piece;  // whole frames, which follow one another in the array too
  std::size_t width;
  std::size_t frames;

  Patch(std::size_t channels, std::ptrdiff_t frame_stride)
      : one_piece(frame_stride == static_cast<std::ptrdiff_t>(channels) &&
                  channels * Tile<S>::kLanes <= kPatchSamples),
        width(one_piece ? channels : std::min<std::size_t>(channels, 64)),
        frames(kPatchSamples / width / Tile<S>::kLanes * Tile<S>::kLanes) {}
};

template <class S>
constexpr ElementType kTypeOf = sizeof(S) == sizeof(float) ? ElementType::kFloat32
                                                           : ElementType::kFloat64;

/// Samples of other types are converted into a patch that is then transposed. Those of the same
/// type take that way too where frames follow one another: one stream of whole lines comes from
/// memory sooner than the blocks of a tile do.
template <class S>
void gather_frames(const void* source, ElementType type, std::ptrdiff_t frame_stride,
                   std::size_t channels, S* const* planes, std::size_t count) noexcept {
  if (channels == 0) return;
  const auto* const from = static_cast<const std::byte*>(source);
  const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(type));
  const std::ptrdiff_t row_bytes = frame_stride * bytes;
  const Patch<S> shape(channels, frame_stride);
  if (type == kTypeOf<S> && (!shape.one_piece || channels < Tile<S>::kChannels)) {
    return gather_rows<S>(from, row_bytes, channels, planes, 0, count);
  }
  alignas(kCacheLineBytes) S patch[kPatchSamples];
  for (std::size_t n = 0; n < count; n += shape.frames) {
    const std::size_t frames = std::min(shape.frames, count - n);
    const std::byte* const row = from + static_cast<std::ptrdiff_t>(n) * row_bytes;
    for (std::size_t c = 0; c < channels; c += shape.width) {
      const std::size_t width = std::min(shape.width, channels - c);
      const std::byte* const corner = row + static_cast<std::ptrdiff_t>(c) * bytes;
      if (shape.one_piece) {
        gather<S>(corner, type, 1, patch, frames * width);
      } else {
        for (std::size_t m = 0; m < frames; ++m) {
          gather<S>(corner + static_cast<std::ptrdiff_t>(m) * row_bytes, type, 1, patch + m * width,
                    width);
        }
      }
      gather_rows<S>(reinterpret_cast<const std::byte*>(patch),
                     static_cast<std::ptrdiff_t>(width * sizeof(S)), width, planes + c, n,
                     n + frames);
    }
  }
}

template <class S>
void scatter_frames(const S* const* planes, std::size_t channels, void* target, ElementType type,
                    std::ptrdiff_t frame_stride, std::size_t count, bool past_caches) noexcept {
  if (channels == 0) return;
  auto* const to = static_cast<std::byte*>(target);
  const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(type));
  const std::ptrdiff_t row_bytes = frame_stride * bytes;
  const Patch<S> shape(channels, frame_stride);
  if (type == kTypeOf<S> && !shape.one_piece) {
    return scatter_rows<S>(planes, channels, 0, count, to, row_bytes);
  }
  alignas(kCacheLineBytes) S patch[kPatchSamples];
  alignas(kCacheLineBytes) std::byte converted[kPatchSamples * sizeof(double)];
  for (std::size_t n = 0; n < count; n += shape.frames) {
    const std::size_t frames = std::min(shape.frames, count - n);
    std::byte* const row = to + static_cast<std::ptrdiff_t>(n) * row_bytes;
    for (std::size_t c = 0; c < channels; c += shape.width) {
      const std::size_t width = std::min(shape.width, channels - c);
      std::byte* const corner = row + static_cast<std::ptrdiff_t>(c) * bytes;
      scatter_rows<S>(planes + c, width, n, n + frames, reinterpret_cast<std::byte*>(patch),
                      static_cast<std::ptrdiff_t>(width * sizeof(S)));
      if (shape.one_piece && past_caches) {
        scatter<S>(patch, converted, type, 1, frames * width);
        copy_uncached(converted, corner, frames * width * element_bytes(type));
      } else if (shape.one_piece) {
        scatter<S>(patch, corner, type, 1, frames * width);
      } else {
        for (std::size_t m = 0; m < frames; ++m) {
          scatter<S>(patch + m * width, corner + static_cast<std::ptrdiff_t>(m) * row_bytes, type,
                     1, width);
        }
      }
    }
  }
  if (past_caches) hwy::FlushStream();  // other threads see what they are told of after this
}

template <class S>
const ArrayCopy<S>* array_copy_kernel() noexcept {
  static constexpr ArrayCopy<S> kKernel = {&gather<S>, &gather_frames<S>, &scatter<S>,
                                           &scatter_frames<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
