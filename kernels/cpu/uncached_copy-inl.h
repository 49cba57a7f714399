// A copy past the caches in Highway's vectors. See uncached_copy.hpp.

#if defined(FIRBANK_UNCACHED_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_UNCACHED_COPY_INL_H
#undef FIRBANK_UNCACHED_COPY_INL_H
#else
#define FIRBANK_UNCACHED_COPY_INL_H
#endif

#include <cstddef>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/uncached_bytes-inl.h"
#include "kernels/cpu/uncached_copy.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
inline void copy_past_caches(const void* from, void* to, std::size_t bytes) noexcept {
  copy_uncached(static_cast<const std::byte*>(from), static_cast<std::byte*>(to), bytes);
  hwy::FlushStream();
}

inline UncachedCopy uncached_copy_kernel() noexcept {
  return &copy_past_caches;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
