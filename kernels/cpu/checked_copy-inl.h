// A checked copy in Highway's vectors. See checked_copy.hpp.

#if defined(FIRBANK_CHECKED_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_CHECKED_COPY_INL_H
#undef FIRBANK_CHECKED_COPY_INL_H
#else
#define FIRBANK_CHECKED_COPY_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/uncached_bytes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

template <class S>
bool copy_below_by_caches(const S* from, S* to, std::size_t frames, S bound) noexcept {
  using D = hn::ScalableTag<S>;
  const D d;
  const hn::RebindToSigned<D> di;
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  const auto limit = hn::BitCast(di, hn::Set(d, bound));
  const auto magnitude = hn::Set(di, hwy::LimitsMax<hwy::MakeSigned<S>>());
  auto reached = hn::Zero(di);
  const auto copy = [&](std::size_t n) HWY_ATTR {
    const auto x = hn::LoadU(d, from + n);
    hn::StoreU(x, d, to + n);
    const auto below = hn::Lt(hn::And(hn::BitCast(di, x), magnitude), limit);
    reached = hn::Or(reached, hn::VecFromMask(di, hn::Not(below)));
  };
  if (frames < kLanes) return scalar_checked_copy<S>()->run(from, to, frames, bound, false);
  std::size_t n = 0;
  for (; n + kLanes <= frames; n += kLanes) copy(n);
  if (n < frames) copy(frames - kLanes);
  return hn::AllTrue(di, hn::Eq(reached, hn::Zero(di)));
}

/// By a patch that stays in the first-level cache, as what is stored past it has to be whole lines.
template <class S>
bool copy_below_past_caches(const S* from, S* to, std::size_t frames, S bound) noexcept {
  constexpr std::size_t kPatch = 4'096 / sizeof(S);
  alignas(kCacheLineBytes) S patch[kPatch];
  const std::size_t in_line = reinterpret_cast<std::uintptr_t>(to) % kCacheLineBytes;
  std::size_t count = kPatch - in_line / sizeof(S);  // the others begin with a line
  bool all_below = true;
  for (std::size_t n = 0; n < frames; n += count, count = kPatch) {
    count = std::min(count, frames - n);
    all_below &= copy_below_by_caches(from + n, patch, count, bound);
    copy_uncached(reinterpret_cast<const std::byte*>(patch), reinterpret_cast<std::byte*>(to + n),
                  count * sizeof(S));
  }
  hwy::FlushStream();
  return all_below;
}

template <class S>
bool copy_below(const S* from, S* to, std::size_t frames, S bound, bool past_caches) noexcept {
  return past_caches ? copy_below_past_caches(from, to, frames, bound)
                     : copy_below_by_caches(from, to, frames, bound);
}

template <class S>
const CheckedCopy<S>* checked_copy_kernel() noexcept {
  static constexpr CheckedCopy<S> kKernel = {&copy_below<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
