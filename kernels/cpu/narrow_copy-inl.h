// A narrowing copy in Highway's vectors. See narrow_copy.hpp.

#if defined(FIRBANK_NARROW_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_NARROW_COPY_INL_H
#undef FIRBANK_NARROW_COPY_INL_H
#else
#define FIRBANK_NARROW_COPY_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/narrow_copy.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/uncached_bytes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// Towards zero; what does not fit into 32 bits becomes some number.
template <class DI, class D>
HWY_INLINE hn::Vec<DI> to_int32(DI di, D /*d*/, hn::Vec<D> x) {
  if constexpr (sizeof(hn::TFromD<D>) == sizeof(float)) {
    return hn::ConvertTo(di, x);
  } else {
    return hn::DemoteTo(di, x);
  }
}

template <class D, class V32>
HWY_INLINE hn::Vec<D> from_int32(D d, V32 x) {
  if constexpr (sizeof(hn::TFromD<D>) == sizeof(float)) {
    return hn::ConvertTo(d, x);
  } else {
    return hn::PromoteTo(d, x);
  }
}

template <class S>
bool copy_by_caches(const S* from, std::int16_t* to, std::size_t frames) noexcept {
  using D = hn::ScalableTag<S>;
  const D d;
  const hn::Rebind<std::int32_t, D> d32;
  const hn::Rebind<std::int16_t, D> d16;
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  if (frames < kLanes) return scalar_narrow_copy<S>()->run(from, to, frames, false);
  const auto up = hn::Set(d, S{32'768});
  const auto down = hn::Set(d, S{1} / 32'768);
  auto all_fit = hn::Eq(up, up);
  const auto copy = [&](std::size_t n) HWY_ATTR {
    const auto x = hn::LoadU(d, from + n);
    const auto narrow = hn::DemoteTo(d16, to_int32(d32, d, hn::Mul(x, up)));
    hn::StoreU(narrow, d16, to + n);
    const auto back = hn::Mul(from_int32(d, hn::PromoteTo(d32, narrow)), down);
    all_fit = hn::And(all_fit, hn::Eq(back, x));
  };
  std::size_t n = 0;
  for (; n + kLanes <= frames; n += kLanes) copy(n);
  if (n < frames) copy(frames - kLanes);
  return hn::AllTrue(d, all_fit);
}

/// By a patch that stays in the first-level cache: vectors of 16 bits are shorter than the lines
/// that go past it whole, and seldom begin where those do.
template <class S>
bool copy_past_caches(const S* from, std::int16_t* to, std::size_t frames) noexcept {
  constexpr std::size_t kPatch = 2'048;
  alignas(kCacheLineBytes) std::int16_t patch[kPatch];
  const std::size_t in_line = reinterpret_cast<std::uintptr_t>(to) % kCacheLineBytes;
  std::size_t count = kPatch - in_line / sizeof(std::int16_t);  // the others begin with a line
  bool all_fit = true;
  for (std::size_t n = 0; n < frames && all_fit; n += count, count = kPatch) {
    count = std::min(count, frames - n);
    all_fit = copy_by_caches(from + n, patch, count);
    copy_uncached(reinterpret_cast<const std::byte*>(patch), reinterpret_cast<std::byte*>(to + n),
                  count * sizeof(std::int16_t));
  }
  hwy::FlushStream();
  return all_fit;
}

template <class S>
bool copy_narrow(const S* from, std::int16_t* to, std::size_t frames, bool past_caches) noexcept {
  return past_caches ? copy_past_caches(from, to, frames) : copy_by_caches(from, to, frames);
}

template <class S>
const NarrowCopy<S>* narrow_copy_kernel() noexcept {
  static constexpr NarrowCopy<S> kKernel = {&copy_narrow<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
