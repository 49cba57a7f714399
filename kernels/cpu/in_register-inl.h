// One helper of the kernels in Highway's vectors.

#if defined(FIRBANK_IN_REGISTER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_IN_REGISTER_INL_H
#undef FIRBANK_IN_REGISTER_INL_H
#else
#define FIRBANK_IN_REGISTER_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
/// Keeps a loaded vector in a register even where the compiler would rather fold the load into each
/// of the instructions that use it: where the load ports bind, one load must serve them all.
template <class V>
HWY_INLINE V in_register(V v) {
#if HWY_ARCH_X86 && defined(__GNUC__) && !defined(__clang__)
  asm("" : "+v"(v.raw));
#endif
  return v;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
