// Copying past the caches in Highway's vectors, for the kernels that do.

#if defined(FIRBANK_UNCACHED_BYTES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_UNCACHED_BYTES_INL_H
#undef FIRBANK_UNCACHED_BYTES_INL_H
#else
#define FIRBANK_UNCACHED_BYTES_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
/// Past the caches, in whole lines of them; the ends, which are in lines with others, as usual.
/// Other threads see what they are told of after hwy::FlushStream().
HWY_INLINE void copy_uncached(const std::byte* from, std::byte* to, std::size_t bytes) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<std::uint8_t> d;
  constexpr std::size_t kVector = hn::MaxLanes(hn::ScalableTag<std::uint8_t>());
  const std::size_t before = (0 - reinterpret_cast<std::uintptr_t>(to)) % kCacheLineBytes;
  std::size_t n = std::min(before, bytes);
  std::memcpy(to, from, n);
  for (; n + kCacheLineBytes <= bytes; n += kCacheLineBytes) {
    HWY_UNROLL(4)
    for (std::size_t i = n; i < n + kCacheLineBytes; i += kVector) {
      const auto v = hn::LoadU(d, reinterpret_cast<const std::uint8_t*>(from + i));
      hn::Stream(v, d, reinterpret_cast<std::uint8_t*>(to + i));
    }
  }
  std::memcpy(to + n, from + n, bytes - n);
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
