// A copy past the caches in Highway's vectors. See streaming_copy.hpp.

#if defined(FIRBANK_STREAMING_COPY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_STREAMING_COPY_INL_H
#undef FIRBANK_STREAMING_COPY_INL_H
#else
#define FIRBANK_STREAMING_COPY_INL_H
#endif

#include <cstddef>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_targets.hpp"
#include "kernels/cpu/stream_bytes-inl.h"
#include "kernels/cpu/streaming_copy.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
inline void copy_past_caches(const void* from, void* to, std::size_t bytes) noexcept {
  stream_bytes(static_cast<const std::byte*>(from), static_cast<std::byte*>(to), bytes);
  hwy::FlushStream();
}

inline StreamingCopy streaming_copy_kernel() noexcept {
  return &copy_past_caches;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
