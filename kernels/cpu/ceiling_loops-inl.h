// Reading, and multiplying and adding, in Highway's vectors; arithmetic only. See
// ceiling_loops.hpp.

#if defined(FIRBANK_CEILING_LOOPS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_CEILING_LOOPS_INL_H
#undef FIRBANK_CEILING_LOOPS_INL_H
#else
#define FIRBANK_CEILING_LOOPS_INL_H
#endif

#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/ceiling_loops.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// Sums at a time. Reading needs as many as additions take to be done; multiply-adds more, of which
/// two or four begin at a time. Twelve fit into 16 registers with what they are multiplied by.
inline constexpr int kReadSums = 8;
inline constexpr int kMultiplyAdds = HWY_TARGET == HWY_NEON ? 24 : 12;

template <class S>
S read_all(const S* data, std::size_t samples) noexcept {
  const hn::ScalableTag<S> d;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<S>());
  static_assert(kCeilingReadBytes % (kReadSums * kLanes * sizeof(S)) == 0);
  hn::Vec<decltype(d)> sums[kReadSums];
  HWY_UNROLL(kReadSums)
  for (int k = 0; k < kReadSums; ++k) sums[k] = hn::Zero(d);
  for (std::size_t n = 0; n < samples; n += kReadSums * kLanes) {
    HWY_UNROLL(kReadSums)
    for (int k = 0; k < kReadSums; ++k) {
      sums[k] = hn::Add(sums[k], hn::Load(d, data + n + static_cast<std::size_t>(k) * kLanes));
    }
  }
  HWY_UNROLL(kReadSums)
  for (int k = 1; k < kReadSums; ++k) sums[0] = hn::Add(sums[0], sums[k]);
  return hn::GetLane(hn::SumOfLanes(d, sums[0]));
}

template <class S>
S multiply_and_add(std::size_t rounds, S scale, S step) noexcept {
  const hn::ScalableTag<S> d;
  const auto factor = hn::Set(d, scale);
  const auto summand = hn::Set(d, step);
  hn::Vec<decltype(d)> sums[kMultiplyAdds];
  // They begin apart, or the compiler would compute one and take it for all.
  HWY_UNROLL(kMultiplyAdds)
  for (int k = 0; k < kMultiplyAdds; ++k) sums[k] = hn::Set(d, step * static_cast<S>(k));
  for (std::size_t n = 0; n < rounds; ++n) {
    HWY_UNROLL(kMultiplyAdds)
    for (int k = 0; k < kMultiplyAdds; ++k) sums[k] = hn::MulAdd(sums[k], factor, summand);
  }
  HWY_UNROLL(kMultiplyAdds)
  for (int k = 1; k < kMultiplyAdds; ++k) sums[0] = hn::Add(sums[0], sums[k]);
  return hn::GetLane(hn::SumOfLanes(d, sums[0]));
}

template <class S>
const CeilingLoops<S>* ceiling_loops_kernel() noexcept {
  static constexpr CeilingLoops<S> kLoops = {
      &read_all<S>, &multiply_and_add<S>,
      2 * static_cast<std::size_t>(kMultiplyAdds) * hn::MaxLanes(hn::ScalableTag<S>())};
  return &kLoops;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
