// Direct convolution in Highway's vectors; arithmetic only. See direct_fir.hpp.

#if defined(FIRBANK_DIRECT_FIR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_DIRECT_FIR_INL_H
#undef FIRBANK_DIRECT_FIR_INL_H
#else
#define FIRBANK_DIRECT_FIR_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/direct_fir.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// kVectors vectors of outputs at once: each tap is broadcast to all of them.
template <int kVectors, class S>
HWY_INLINE void fir_tile(const S* oldest, const S* reversed, std::size_t taps, S* out) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  for (std::size_t first = 0; first < taps; first += kDirectRun) {
    const std::size_t last = std::min(first + kDirectRun, taps);
    hn::Vec<hn::ScalableTag<S>> sum[kVectors];
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j) sum[j] = hn::Zero(d);
    for (std::size_t i = first; i < last; ++i) {
      const auto tap = hn::Set(d, reversed[i]);
      HWY_UNROLL(8)
      for (int j = 0; j < kVectors; ++j) {
        sum[j] = hn::MulAdd(tap, hn::LoadU(d, oldest + i + static_cast<std::size_t>(j) * kLanes),
                            sum[j]);
      }
    }
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j) {
      S* at = out + static_cast<std::size_t>(j) * kLanes;
      hn::StoreU(hn::Add(hn::LoadU(d, at), sum[j]), d, at);
    }
  }
}

/// One output: lanes run along the taps, in four chains.
template <class S>
HWY_INLINE S fir_dot(const S* oldest, const S* reversed, std::size_t taps) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  auto total = hn::Zero(d);
  std::size_t i = 0;
  while (i + 4 * kLanes <= taps) {
    auto a = hn::Zero(d), b = a, c = a, e = a;
    const std::size_t last = std::min(taps, i + kDirectRun * 4 * kLanes);
    for (; i + 4 * kLanes <= last; i += 4 * kLanes) {
      a = hn::MulAdd(hn::LoadU(d, reversed + i), hn::LoadU(d, oldest + i), a);
      b = hn::MulAdd(hn::LoadU(d, reversed + i + kLanes), hn::LoadU(d, oldest + i + kLanes), b);
      c = hn::MulAdd(hn::LoadU(d, reversed + i + 2 * kLanes), hn::LoadU(d, oldest + i + 2 * kLanes),
                     c);
      e = hn::MulAdd(hn::LoadU(d, reversed + i + 3 * kLanes), hn::LoadU(d, oldest + i + 3 * kLanes),
                     e);
    }
    total = hn::Add(total, hn::Add(hn::Add(a, b), hn::Add(c, e)));
  }
  for (; i + kLanes <= taps; i += kLanes) {
    total = hn::MulAdd(hn::LoadU(d, reversed + i), hn::LoadU(d, oldest + i), total);
  }
  S sum = hn::GetLane(hn::SumOfLanes(d, total));
  for (; i < taps; ++i) sum += reversed[i] * oldest[i];
  return sum;
}

template <class S>
void fir_add(const S* newest, const S* reversed, std::size_t taps, S* out,
             std::size_t frames) noexcept {
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  const S* oldest = newest - (taps - 1);
  std::size_t n = 0;
  for (; n + 4 * kLanes <= frames; n += 4 * kLanes) {
    fir_tile<4>(oldest + n, reversed, taps, out + n);
  }
  for (; n + kLanes <= frames; n += kLanes) fir_tile<1>(oldest + n, reversed, taps, out + n);
  for (; n < frames; ++n) out[n] += fir_dot(oldest + n, reversed, taps);
}

template <class S>
const DirectFir<S>* direct_fir_kernel() noexcept {
  static constexpr DirectFir<S> kKernel = {&fir_add<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
