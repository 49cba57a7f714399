// Spectral multiply-accumulate in Highway's vectors; arithmetic only. See spectral_mac.hpp.

#if defined(FIRBANK_SPECTRAL_MAC_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_SPECTRAL_MAC_INL_H
#undef FIRBANK_SPECTRAL_MAC_INL_H
#else
#define FIRBANK_SPECTRAL_MAC_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <hwy/highway.h>

#include "kernels/cpu/in_register-inl.h"
#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/spectral_mac.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// A chunk of successive partitions of a response, read a vector at a time.
template <class D>
struct Response {
  using S = hn::TFromD<D>;
  struct Scale {};
  const S* values;

  Response(const MacTerm<S>& term, std::size_t chunk, std::size_t partition, std::size_t samples)
      : values(term.response + chunk * term.response_stride + partition * samples) {}

  HWY_INLINE Scale scale(std::size_t) const { return {}; }
  HWY_INLINE hn::Vec<D> load(std::size_t at, Scale) const {
    return in_register(hn::Load(D(), values + at));
  }
  HWY_INLINE void skip(std::size_t partitions, std::size_t samples) {
    values += partitions * samples;
  }
};

/// The same of one that is stored in 16 bits.
template <class D>
struct CompactResponse {
  using S = hn::TFromD<D>;
  using Scale = hn::Vec<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  const std::int16_t* values;
  const std::uint16_t* scales;

  CompactResponse(const MacTerm<S>& term, std::size_t chunk, std::size_t partition,
                  std::size_t samples)
      : values(term.compact + chunk * term.response_stride + partition * samples),
        scales(term.scales + chunk * term.scale_stride + partition * kLanes) {}

  HWY_INLINE Scale scale(std::size_t partition) const {
    const hn::Rebind<std::uint16_t, D> narrow;
    const hn::Rebind<std::uint32_t, D> wide;
    const auto upper = hn::PromoteTo(wide, hn::Load(narrow, scales + partition * kLanes));
    return hn::BitCast(D(), hn::ShiftLeft<16>(upper));
  }
  HWY_INLINE hn::Vec<D> load(std::size_t at, Scale scale) const {
    const hn::Rebind<std::int16_t, D> narrow;
    const hn::Rebind<std::int32_t, D> wide;
    const auto multiple = hn::PromoteTo(wide, hn::Load(narrow, values + at));
    return in_register(hn::Mul(hn::ConvertTo(D(), multiple), scale));
  }
  HWY_INLINE void skip(std::size_t partitions, std::size_t samples) {
    values += partitions * samples;
    scales += partitions * kLanes;
  }
};

/// The sums of one chunk for a tile of outputs: kPairs {re, im} pairs of vectors each, kept
/// `kChains` times over so that successive additions do not wait for one another. Which chain a
/// product goes to does not depend on the tile.
template <class D, int kPairs, int kOutputs>
struct ChunkSum {
  using S = hn::TFromD<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  static constexpr int kChains = 4 / kPairs;
  static constexpr int kSums = kChains * kPairs;
  static constexpr std::size_t kSamples = 2 * kLanes * kPairs;

  hn::Vec<D> re[kOutputs][kSums];
  hn::Vec<D> im[kOutputs][kSums];

  HWY_INLINE void clear() {
    const D d;
    HWY_UNROLL(4)
    for (int o = 0; o < kOutputs; ++o) {
      HWY_UNROLL(8)
      for (int k = 0; k < kSums; ++k) re[o][k] = im[o][k] = hn::Zero(d);
    }
  }

  /// Of partition p of what x and h stand at.
  template <class H>
  HWY_INLINE void add_product(int chain, const S* x, const H* h, std::size_t p) {
    const D d;
    const std::size_t at = p * kSamples;
    typename H::Scale scale[kOutputs];
    HWY_UNROLL(4)
    for (int o = 0; o < kOutputs; ++o) scale[o] = h[o].scale(p);
    HWY_UNROLL(8)
    for (int pair = 0; pair < kPairs; ++pair) {
      const int k = chain * kPairs + pair;
      const std::size_t re_at = at + 2 * kLanes * static_cast<std::size_t>(pair);
      const std::size_t im_at = re_at + kLanes;
      const auto xr = in_register(hn::Load(d, x + re_at));
      const auto xi = in_register(hn::Load(d, x + im_at));
      HWY_UNROLL(4)
      for (int o = 0; o < kOutputs; ++o) {
        const auto hr = h[o].load(re_at, scale[o]);
        const auto hi = h[o].load(im_at, scale[o]);
        re[o][k] = hn::MulAdd(xr, hr, re[o][k]);
        im[o][k] = hn::MulAdd(xr, hi, im[o][k]);
        re[o][k] = hn::NegMulAdd(xi, hi, re[o][k]);
        im[o][k] = hn::MulAdd(xi, hr, im[o][k]);
      }
    }
  }

  template <class H>
  HWY_INLINE void add_products(const S* x, const H* h, std::size_t count) {
    std::size_t p = 0;
    for (; p + kChains <= count; p += kChains) {
      HWY_UNROLL(8)
      for (int chain = 0; chain < kChains; ++chain) {
        add_product(chain, x, h, p + static_cast<std::size_t>(chain));
      }
    }
    for (; p < count; ++p) add_product(0, x, h, p);
  }

  /// to = (from or zero) + sum, of one output.
  HWY_INLINE void fold(int output, const S* from, S* to) const {
    const D d;
    HWY_UNROLL(8)
    for (int pair = 0; pair < kPairs; ++pair) {
      auto r = re[output][pair], i = im[output][pair];
      HWY_UNROLL(8)
      for (int chain = 1; chain < kChains; ++chain) {
        r = hn::Add(r, re[output][chain * kPairs + pair]);
        i = hn::Add(i, im[output][chain * kPairs + pair]);
      }
      const std::size_t re_at = 2 * kLanes * static_cast<std::size_t>(pair);
      if (from != nullptr) {
        r = hn::Add(hn::Load(d, from + re_at), r);
        i = hn::Add(hn::Load(d, from + re_at + kLanes), i);
      }
      hn::Store(r, d, to + re_at);
      hn::Store(i, d, to + re_at + kLanes);
    }
  }
};

/// Of each output of a tile.
template <class H, int kOutputs, class S>
HWY_INLINE std::array<H, kOutputs> responses(const MacSum<S>* sums, std::size_t term,
                                             std::size_t chunk, std::size_t partition,
                                             std::size_t samples) {
  const auto of = [&](int o) HWY_ATTR { return H(sums[o].terms[term], chunk, partition, samples); };
  if constexpr (kOutputs == 1) return {of(0)};
  if constexpr (kOutputs == 2) return {of(0), of(1)};
  if constexpr (kOutputs == 3) return {of(0), of(1), of(2)};
  if constexpr (kOutputs == 4) return {of(0), of(1), of(2), of(3)};
}

template <class D, class H, int kPairs, int kOutputs, class S = hn::TFromD<D>>
HWY_INLINE void mac_tile(const MacJob<S>& job, const MacSum<S>* sums, std::size_t chunk) {
  using Sum = ChunkSum<D, kPairs, kOutputs>;
  const std::size_t at = chunk * Sum::kSamples;
  Sum sum;
  sum.clear();
  bool begun = false;
  const auto fold = [&]() HWY_ATTR {
    HWY_UNROLL(4)
    for (int o = 0; o < kOutputs; ++o) {
      const S* from = begun ? sums[o].to : sums[o].from;
      sum.fold(o, from == nullptr ? nullptr : from + at, sums[o].to + at);
    }
    begun = true;
  };
  std::size_t room = kMacRun;
  for (std::size_t t = 0; t < sums->terms.size(); ++t) {
    const MacTerm<S>& term = sums->terms[t];
    const std::size_t last = std::min(job.last_partition, term.last_partition);
    std::size_t p = std::max(job.first_partition, term.first_partition);
    if (p >= last) continue;
    std::size_t slot = job.newest + p;
    if (slot >= job.slots) slot -= job.slots;
    const S* input = term.input + chunk * job.input_stride;
    const std::size_t first = p - term.first_partition;
    auto response = responses<H, kOutputs>(sums, t, chunk, first, Sum::kSamples);
    while (p < last) {
      const std::size_t count = std::min({last - p, job.slots - slot, room});
      sum.add_products(input + slot * Sum::kSamples, response.data(), count);
      for (H& of_output : response) of_output.skip(count, Sum::kSamples);
      p += count;
      slot += count;
      if (slot == job.slots) slot = 0;
      room -= count;
      if (room == 0) {
        fold();
        sum.clear();
        room = kMacRun;
      }
    }
  }
  if (room < kMacRun || !begun) fold();
}

/// Two products with one reading of the response.
template <class D, class H, int kPairs, class S = hn::TFromD<D>>
HWY_INLINE void add_pairs(ChunkSum<D, kPairs, 1>& now, ChunkSum<D, kPairs, 1>& next, const S* x,
                          const S* x_after, const H& h, std::size_t count) {
  const D d;
  using Sum = ChunkSum<D, kPairs, 1>;
  for (std::size_t p = 0; p < count; ++p) {
    const auto scale = h.scale(p);
    HWY_UNROLL(8)
    for (int k = 0; k < kPairs; ++k) {
      const std::size_t re_at = p * Sum::kSamples + 2 * Sum::kLanes * static_cast<std::size_t>(k);
      const std::size_t im_at = re_at + Sum::kLanes;
      const auto hr = h.load(re_at, scale);
      const auto hi = h.load(im_at, scale);
      const auto xr = in_register(hn::Load(d, x + re_at));
      const auto xi = in_register(hn::Load(d, x + im_at));
      now.re[0][k] = hn::MulAdd(xr, hr, now.re[0][k]);
      now.im[0][k] = hn::MulAdd(xr, hi, now.im[0][k]);
      now.re[0][k] = hn::NegMulAdd(xi, hi, now.re[0][k]);
      now.im[0][k] = hn::MulAdd(xi, hr, now.im[0][k]);
      const auto ar = in_register(hn::Load(d, x_after + re_at));
      const auto ai = in_register(hn::Load(d, x_after + im_at));
      next.re[0][k] = hn::MulAdd(ar, hr, next.re[0][k]);
      next.im[0][k] = hn::MulAdd(ar, hi, next.im[0][k]);
      next.re[0][k] = hn::NegMulAdd(ai, hi, next.re[0][k]);
      next.im[0][k] = hn::MulAdd(ai, hr, next.im[0][k]);
    }
  }
}

/// A sum and the one for the block after, one chunk of them.
template <class D, class H, int kPairs, class S = hn::TFromD<D>>
HWY_INLINE void mac_pair(const MacJob<S>& job, const MacSum<S>& sum, std::size_t chunk) {
  using Chunk = ChunkSum<D, kPairs, 1>;
  const std::size_t at = chunk * Chunk::kSamples;
  Chunk now, next;
  now.clear();
  next.clear();
  bool begun = false;
  const auto fold = [&]() HWY_ATTR {
    const S* from = begun ? sum.to : sum.from;
    now.fold(0, from == nullptr ? nullptr : from + at, sum.to + at);
    next.fold(0, begun ? sum.next + at : nullptr, sum.next + at);
    now.clear();
    next.clear();
    begun = true;
  };
  std::size_t room = kMacRun;
  for (const MacTerm<S>& term : sum.terms) {
    const std::size_t last = std::min(job.last_partition, term.last_partition);
    std::size_t p = std::max(job.first_partition, term.first_partition);
    if (p >= last) continue;
    const S* input = term.input + chunk * job.input_stride;
    H response(term, chunk, p - term.first_partition, Chunk::kSamples);
    std::size_t slot = job.newest + p;
    if (slot >= job.slots) slot -= job.slots;
    while (p < last) {
      // The newest block meets partition 0 alone; the first slot's neighbour is the last one.
      const std::size_t count =
          p == 0 || slot == 0 ? 1 : std::min({last - p, job.slots - slot, room});
      const S* x = input + slot * Chunk::kSamples;
      const S* after = input + (slot == 0 ? job.slots - 1 : slot - 1) * Chunk::kSamples;
      if (p == 0) {
        now.add_products(x, &response, 1);
      } else {
        add_pairs<D, H, kPairs>(now, next, x, after, response, count);
      }
      response.skip(count, Chunk::kSamples);
      p += count;
      slot += count;
      if (slot == job.slots) slot = 0;
      room -= count;
      if (room == 0) {
        fold();
        room = kMacRun;
      }
    }
  }
  if (room < kMacRun || !begun) fold();
}

/// As many outputs at a time as have their sums in registers; the others find the chunk of the
/// input in the first-level cache. So does the second sum of a job where registers are few.
template <class D, class H, int kPairs, int kOutputs, class S = hn::TFromD<D>>
void mac_chunks(const MacJob<S>& job, const MacSum<S>* sums) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
  constexpr bool kManyRegisters = true;
#else
  constexpr bool kManyRegisters = false;
#endif
  // 8 sums each, of 32 registers.
  constexpr int kTogether = !kManyRegisters ? 1 : kOutputs == 4 ? 2 : kOutputs;
  if (sums->next == nullptr) {
    for (std::size_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
      for (int o = 0; o < kOutputs; o += kTogether) {
        mac_tile<D, H, kPairs, kTogether>(job, sums + o, chunk);
      }
    }
    return;
  }
  const MacJob<S> after = job.after();
  for (std::size_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
    for (int o = 0; o < kOutputs; ++o) {
      if constexpr (kManyRegisters) {
        mac_pair<D, H, kPairs>(job, sums[o], chunk);
      } else {
        mac_tile<D, H, kPairs, 1>(job, sums + o, chunk);
        const MacSum<S> next = sums[o].after();
        mac_tile<D, H, kPairs, 1>(after, &next, chunk);
      }
    }
  }
}

template <class D, class H, int kPairs, class S = hn::TFromD<D>>
void mac_sums(const MacJob<S>& job, std::span<const MacSum<S>> sums) {
  static_assert(kMacTile == 4);
  switch (sums.size()) {
    case 1:
      return mac_chunks<D, H, kPairs, 1>(job, sums.data());
    case 2:
      return mac_chunks<D, H, kPairs, 2>(job, sums.data());
    case 3:
      return mac_chunks<D, H, kPairs, 3>(job, sums.data());
    default:
      return mac_chunks<D, H, kPairs, 4>(job, sums.data());
  }
}

template <class D, class H, class S = hn::TFromD<D>>
void mac_planes(const MacJob<S>& job, std::span<const MacSum<S>> sums) {
  switch (job.chunk_samples / (2 * hn::MaxLanes(D()))) {
    case 1:
      return mac_sums<D, H, 1>(job, sums);
    case 2:
      return mac_sums<D, H, 2>(job, sums);
    default:
      return mac_sums<D, H, 4>(job, sums);
  }
}

template <class S, template <class> class H>
void mac_run(const MacJob<S>& job, std::span<const MacSum<S>> sums) noexcept {
  using Full = hn::ScalableTag<S>;
  constexpr std::size_t kFull = hn::MaxLanes(Full());
  if (job.plane_lanes == kFull) return mac_planes<Full, H<Full>>(job, sums);
  // Only a transform smaller than one vector comes here.
  using Half = hn::CappedTag<S, 8>;
  if constexpr (kFull == 16) mac_planes<Half, H<Half>>(job, sums);
}

template <class S>
const SpectralMac<S>* spectral_mac_kernel() noexcept {
  if constexpr (sizeof(S) == sizeof(float)) {
    static constexpr SpectralMac<S> kKernel = {&mac_run<S, Response>, &mac_run<S, CompactResponse>};
    return &kKernel;
  } else {
    static constexpr SpectralMac<S> kKernel = {&mac_run<S, Response>, nullptr};
    return &kKernel;
  }
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
