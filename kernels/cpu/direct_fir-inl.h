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
#include "kernels/cpu/in_register-inl.h"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// kVectors vectors of outputs: their sums, kept `kChains` times over so that successive additions
/// do not wait for one another.
template <int kVectors, class S>
struct FirSums {
  using D = hn::ScalableTag<S>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  static constexpr int kChains = kVectors < 8 ? 8 / kVectors : 1;

  V sum[kChains][kVectors];

  HWY_INLINE FirSums() {
    HWY_UNROLL(8)
    for (int c = 0; c < kChains; ++c) {
      HWY_UNROLL(8)
      for (int j = 0; j < kVectors; ++j) sum[c][j] = hn::Zero(D());
    }
  }

  /// Taps i, i + kLanes, i + 2 kLanes...: kTaps of them. Vector q of the input meets tap t in
  /// output vector q - t, so that each serves up to kTaps products.
  template <int kTaps>
  HWY_INLINE void add(const S* oldest, const S* reversed, std::size_t i, int chain) {
    const D d;
    V tap[kTaps];
    HWY_UNROLL(8)
    for (int t = 0; t < kTaps; ++t) {
      tap[t] = in_register(hn::Set(d, reversed[i + static_cast<std::size_t>(t) * kLanes]));
    }
    HWY_UNROLL(16)
    for (int q = 0; q < kVectors + kTaps - 1; ++q) {
      const V x = in_register(hn::LoadU(d, oldest + i + static_cast<std::size_t>(q) * kLanes));
      HWY_UNROLL(8)
      for (int t = 0; t < kTaps; ++t) {
        if (q < t || q >= t + kVectors) continue;
        V& to = sum[(chain + t) % kChains][q - t];
        to = hn::MulAdd(tap[t], x, to);
      }
    }
  }

  /// As many stretches of kTaps * kLanes taps from `i` on as end before `last`; where it stopped.
  template <int kTaps>
  HWY_INLINE std::size_t add_stretches(const S* oldest, const S* reversed, std::size_t i,
                                       std::size_t last) {
    constexpr std::size_t kChainSets = kChains / (kTaps <= 2 ? kTaps : 4);
    constexpr std::size_t kAtOnce = std::clamp<std::size_t>(kChainSets, 1, kLanes);
    static_assert(kLanes % kAtOnce == 0);
    for (; i + kTaps * kLanes <= last; i += kTaps * kLanes) {
      for (std::size_t k = 0; k < kLanes; k += kAtOnce) {
        HWY_UNROLL(8)
        for (std::size_t c = 0; c < kAtOnce; ++c) {
          add<kTaps>(oldest, reversed, i + k + c, static_cast<int>(c) * kTaps);
        }
      }
    }
    return i;
  }

  HWY_INLINE void add_rest(const S* oldest, const S* reversed, std::size_t i, std::size_t last) {
    for (; i + kChains <= last; i += kChains) {
      HWY_UNROLL(8)
      for (int c = 0; c < kChains; ++c) {
        add<1>(oldest, reversed, i + static_cast<std::size_t>(c), c);
      }
    }
    for (; i < last; ++i) add<1>(oldest, reversed, i, 0);
  }
};

/// kVectors vectors of outputs at once, added to what is there or in its place.
template <int kVectors, bool kAdd, class S>
HWY_INLINE void fir_tile(const S* oldest, const S* reversed, std::size_t taps, S* out) {
  using Sums = FirSums<kVectors, S>;
  const hn::ScalableTag<S> d;
  for (std::size_t first = 0; first < taps; first += kDirectRun) {
    const std::size_t last = std::min(first + kDirectRun, taps);
    Sums sums;
    std::size_t i = sums.template add_stretches<4>(oldest, reversed, first, last);
    i = sums.template add_stretches<3>(oldest, reversed, i, last);
    i = sums.template add_stretches<2>(oldest, reversed, i, last);
    sums.add_rest(oldest, reversed, i, last);
    HWY_UNROLL(8)
    for (int j = 0; j < kVectors; ++j) {
      S* at = out + static_cast<std::size_t>(j) * Sums::kLanes;
      auto sum = sums.sum[0][j];
      HWY_UNROLL(8)
      for (int c = 1; c < Sums::kChains; ++c) sum = hn::Add(sum, sums.sum[c][j]);
      if (kAdd || first > 0) sum = hn::Add(hn::LoadU(d, at), sum);
      hn::StoreU(sum, d, at);
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

/// As many whole vectors of outputs as there are; where they stop.
template <bool kAdd, class S>
HWY_INLINE std::size_t fir_vectors(const S* oldest, const S* reversed, std::size_t taps, S* out,
                                   std::size_t frames) {
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  std::size_t n = 0;
  for (; n + 8 * kLanes <= frames; n += 8 * kLanes) {
    fir_tile<8, kAdd>(oldest + n, reversed, taps, out + n);
  }
  if (n + 4 * kLanes <= frames) {
    fir_tile<4, kAdd>(oldest + n, reversed, taps, out + n);
    n += 4 * kLanes;
  }
  if (n + 2 * kLanes <= frames) {
    fir_tile<2, kAdd>(oldest + n, reversed, taps, out + n);
    n += 2 * kLanes;
  }
  if (n + kLanes <= frames) {
    fir_tile<1, kAdd>(oldest + n, reversed, taps, out + n);
    n += kLanes;
  }
  return n;
}

template <class S>
void fir_add(const S* newest, const S* reversed, std::size_t taps, S* out,
             std::size_t frames) noexcept {
  const S* oldest = newest - (taps - 1);
  std::size_t n = fir_vectors<true>(oldest, reversed, taps, out, frames);
  for (; n < frames; ++n) out[n] += fir_dot(oldest + n, reversed, taps);
}

/// The last outputs are those of a whole vector that ends with them: some are computed twice.
template <class S>
void fir_set(const S* newest, const S* reversed, std::size_t taps, S* out,
             std::size_t frames) noexcept {
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  const S* oldest = newest - (taps - 1);
  std::size_t n = fir_vectors<false>(oldest, reversed, taps, out, frames);
  if (n < frames && n > 0) {
    n = frames - kLanes;
    fir_tile<1, false>(oldest + n, reversed, taps, out + n);
    return;
  }
  for (; n < frames; ++n) out[n] = fir_dot(oldest + n, reversed, taps);
}

/// Four outputs `step` frames apart: lanes run along the taps, which are read once for all four.
template <class S>
HWY_INLINE void fir_dots(const S* oldest, const S* reversed, std::size_t taps, std::size_t step,
                         S* out) {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  const S* const x[4] = {oldest, oldest + step, oldest + 2 * step, oldest + 3 * step};
  hn::Vec<hn::ScalableTag<S>> total[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  std::size_t i = 0;
  while (i + 2 * kLanes <= taps) {
    auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    const std::size_t last = std::min(taps, i + kDirectRun * 2 * kLanes);
    for (; i + 2 * kLanes <= last; i += 2 * kLanes) {
      const auto a = hn::LoadU(d, reversed + i);
      const auto b = hn::LoadU(d, reversed + i + kLanes);
      a0 = hn::MulAdd(a, hn::LoadU(d, x[0] + i), a0);
      a1 = hn::MulAdd(a, hn::LoadU(d, x[1] + i), a1);
      a2 = hn::MulAdd(a, hn::LoadU(d, x[2] + i), a2);
      a3 = hn::MulAdd(a, hn::LoadU(d, x[3] + i), a3);
      b0 = hn::MulAdd(b, hn::LoadU(d, x[0] + i + kLanes), b0);
      b1 = hn::MulAdd(b, hn::LoadU(d, x[1] + i + kLanes), b1);
      b2 = hn::MulAdd(b, hn::LoadU(d, x[2] + i + kLanes), b2);
      b3 = hn::MulAdd(b, hn::LoadU(d, x[3] + i + kLanes), b3);
    }
    total[0] = hn::Add(total[0], hn::Add(a0, b0));
    total[1] = hn::Add(total[1], hn::Add(a1, b1));
    total[2] = hn::Add(total[2], hn::Add(a2, b2));
    total[3] = hn::Add(total[3], hn::Add(a3, b3));
  }
  if (i + kLanes <= taps) {
    const auto a = hn::LoadU(d, reversed + i);
    HWY_UNROLL(4)
    for (int k = 0; k < 4; ++k) total[k] = hn::MulAdd(a, hn::LoadU(d, x[k] + i), total[k]);
    i += kLanes;
  }
  for (int k = 0; k < 4; ++k) {
    S sum = hn::GetLane(hn::SumOfLanes(d, total[k]));
    for (std::size_t j = i; j < taps; ++j) sum += reversed[j] * x[k][j];
    out[k] = sum;
  }
}

template <class S>
void fir_decimate(const S* oldest, const S* reversed, std::size_t taps, std::size_t step, S* out,
                  std::size_t count) noexcept {
  std::size_t k = 0;
  for (; k + 4 <= count; k += 4) fir_dots(oldest + k * step, reversed, taps, step, out + k);
  for (; k < count; ++k) out[k] = fir_dot(oldest + k * step, reversed, taps);
}

template <class S>
const DirectFir<S>* direct_fir_kernel() noexcept {
  static constexpr DirectFir<S> kKernel = {&fir_add<S>, &fir_set<S>, &fir_decimate<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
