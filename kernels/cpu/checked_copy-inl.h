// A checked copy in Highway's vectors. See checked_copy.hpp.

#if defined(FIRBANK_CHECKED_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_CHECKED_COPY_INL_H
#undef FIRBANK_CHECKED_COPY_INL_H
#else
#define FIRBANK_CHECKED_COPY_INL_H
#endif

#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

template <class S>
bool copy_below(const S* from, S* to, std::size_t frames, S bound) noexcept {
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
  if (frames < kLanes) return scalar_checked_copy<S>()->run(from, to, frames, bound);
  std::size_t n = 0;
  for (; n + kLanes <= frames; n += kLanes) copy(n);
  if (n < frames) copy(frames - kLanes);
  return hn::AllTrue(di, hn::Eq(reached, hn::Zero(di)));
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
