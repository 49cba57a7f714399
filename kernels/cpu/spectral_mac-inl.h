// Spectral multiply-accumulate in Highway's vectors; arithmetic only. See spectral_mac.hpp.

#if defined(FIRBANK_SPECTRAL_MAC_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_SPECTRAL_MAC_INL_H
#undef FIRBANK_SPECTRAL_MAC_INL_H
#else
#define FIRBANK_SPECTRAL_MAC_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/spectral_mac.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// Loads into a register even where the compiler would rather fold the load into both of the
/// instructions that use it: the load ports are what binds here.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V load_once(D d, const hn::TFromD<D>* at) {
  V v = hn::Load(d, at);
#if HWY_ARCH_X86 && defined(__GNUC__) && !defined(__clang__)
  asm("" : "+v"(v.raw));
#endif
  return v;
}

/// The sum of one chunk: kPairs {re, im} pairs of vectors, kept `kChains` times over so that
/// successive additions do not wait for one another.
template <class D, int kPairs>
struct ChunkSum {
  using S = hn::TFromD<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  static constexpr int kChains = 4 / kPairs;
  static constexpr std::size_t kSamples = 2 * kLanes * kPairs;

  hn::Vec<D> re[kChains * kPairs];
  hn::Vec<D> im[kChains * kPairs];

  HWY_INLINE void clear() {
    const D d;
    HWY_UNROLL(8)
    for (int k = 0; k < kChains * kPairs; ++k) re[k] = im[k] = hn::Zero(d);
  }

  HWY_INLINE void add_product(int chain, const S* x, const S* h) {
    const D d;
    HWY_UNROLL(8)
    for (int pair = 0; pair < kPairs; ++pair) {
      const int k = chain * kPairs + pair;
      const auto xr = load_once(d, x + 2 * kLanes * static_cast<std::size_t>(pair));
      const auto xi = load_once(d, x + 2 * kLanes * static_cast<std::size_t>(pair) + kLanes);
      const auto hr = load_once(d, h + 2 * kLanes * static_cast<std::size_t>(pair));
      const auto hi = load_once(d, h + 2 * kLanes * static_cast<std::size_t>(pair) + kLanes);
      re[k] = hn::MulAdd(xr, hr, re[k]);
      im[k] = hn::MulAdd(xr, hi, im[k]);
      re[k] = hn::NegMulAdd(xi, hi, re[k]);
      im[k] = hn::MulAdd(xi, hr, im[k]);
    }
  }

  HWY_INLINE void add_products(const S* x, const S* h, std::size_t count) {
    std::size_t p = 0;
    for (; p + kChains <= count; p += kChains) {
      HWY_UNROLL(8)
      for (int chain = 0; chain < kChains; ++chain, x += kSamples, h += kSamples) {
        add_product(chain, x, h);
      }
    }
    for (; p < count; ++p, x += kSamples, h += kSamples) add_product(0, x, h);
  }

  /// total += sum; sum = 0.
  HWY_INLINE void fold(S* total) {
    const D d;
    HWY_UNROLL(8)
    for (int pair = 0; pair < kPairs; ++pair) {
      auto r = re[pair], i = im[pair];
      HWY_UNROLL(8)
      for (int chain = 1; chain < kChains; ++chain) {
        r = hn::Add(r, re[chain * kPairs + pair]);
        i = hn::Add(i, im[chain * kPairs + pair]);
      }
      S* at = total + 2 * kLanes * static_cast<std::size_t>(pair);
      hn::Store(hn::Add(hn::Load(d, at), r), d, at);
      hn::Store(hn::Add(hn::Load(d, at + kLanes), i), d, at + kLanes);
    }
    clear();
  }
};

template <class D, int kPairs, class S = hn::TFromD<D>>
void mac_chunks(const MacJob<S>& job) {
  const D d;
  ChunkSum<D, kPairs> sum;
  sum.clear();
  for (std::size_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
    S* total = job.to + chunk * job.chunk_samples;
    if (job.from == nullptr) {
      for (std::size_t k = 0; k < sum.kSamples; k += sum.kLanes)
        hn::Store(hn::Zero(d), d, total + k);
    } else if (job.from != job.to) {
      const S* from = job.from + chunk * job.chunk_samples;
      for (std::size_t k = 0; k < sum.kSamples; k += sum.kLanes) {
        hn::Store(hn::Load(d, from + k), d, total + k);
      }
    }
    std::size_t room = kMacRun;
    for (const MacTerm<S>& term : job.terms) {
      const std::size_t last = std::min(job.last_partition, term.last_partition);
      std::size_t p = std::max(job.first_partition, term.first_partition);
      if (p >= last) continue;
      std::size_t slot = job.newest + p;
      if (slot >= job.slots) slot -= job.slots;
      const S* input = term.input + chunk * job.input_stride;
      const S* response = term.response + chunk * term.response_stride;
      while (p < last) {
        const std::size_t count = std::min({last - p, job.slots - slot, room});
        sum.add_products(input + slot * job.chunk_samples,
                         response + (p - term.first_partition) * job.chunk_samples, count);
        p += count;
        slot += count;
        if (slot == job.slots) slot = 0;
        room -= count;
        if (room == 0) {
          sum.fold(total);
          room = kMacRun;
        }
      }
    }
    if (room < kMacRun) sum.fold(total);
  }
}

template <class D, class S = hn::TFromD<D>>
void mac_planes(const MacJob<S>& job) {
  switch (job.chunk_samples / (2 * hn::MaxLanes(D()))) {
    case 1:
      return mac_chunks<D, 1>(job);
    case 2:
      return mac_chunks<D, 2>(job);
    default:
      return mac_chunks<D, 4>(job);
  }
}

template <class S>
void mac_run(const MacJob<S>& job) noexcept {
  constexpr std::size_t kFull = hn::MaxLanes(hn::ScalableTag<S>());
  if (job.plane_lanes == kFull) return mac_planes<hn::ScalableTag<S>>(job);
  // Only a transform smaller than one vector comes here.
  if constexpr (kFull == 16) mac_planes<hn::CappedTag<S, 8>>(job);
}

template <class S>
const SpectralMac<S>* spectral_mac_kernel() noexcept {
  static constexpr SpectralMac<S> kKernel = {&mac_run<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
