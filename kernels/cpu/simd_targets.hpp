// The instruction sets that every SIMD source here is compiled for, and the one place where a
// run-time InstructionSet becomes a compile-time target. Included before Highway's headers.
#pragma once

// Leave out targets that would only repeat a neighbour's code. A compiler that is told to assume
// more than AVX-512's first form has only the later one.
#if defined(__AVX512VNNI__)
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#else
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif

#include <hwy/targets.h>

// The baseline of a plain build has no vectors worth using; the scalar kernels serve it.
#define FIRBANK_SIMD_TARGET                                                      \
  (HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || \
   HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON)

// FIRBANK_SELECT(set, function, arguments): calls the function of the target for `set`, and
// returns its value from the enclosing function. Falls through for sets without a SIMD target.
#if HWY_TARGETS & HWY_SSE4
#define FIRBANK_SELECT_SSE4(set, call) \
  if ((set) == InstructionSet::kSse4) return N_SSE4::call;
#else
#define FIRBANK_SELECT_SSE4(set, call)
#endif
#if HWY_TARGETS & HWY_AVX2
#define FIRBANK_SELECT_AVX2(set, call) \
  if ((set) == InstructionSet::kAvx2) return N_AVX2::call;
#else
#define FIRBANK_SELECT_AVX2(set, call)
#endif
#if HWY_TARGETS & HWY_AVX3
#define FIRBANK_SELECT_AVX512(set, call) \
  if ((set) == InstructionSet::kAvx512) return N_AVX3::call;
#elif HWY_TARGETS & HWY_AVX3_DL
#define FIRBANK_SELECT_AVX512(set, call) \
  if ((set) == InstructionSet::kAvx512) return N_AVX3_DL::call;
#else
#define FIRBANK_SELECT_AVX512(set, call)
#endif
#if HWY_TARGETS & HWY_NEON
#define FIRBANK_SELECT_NEON(set, call) \
  if ((set) == InstructionSet::kNeon) return N_NEON::call;
#else
#define FIRBANK_SELECT_NEON(set, call)
#endif
#define FIRBANK_SELECT(set, call)  \
  FIRBANK_SELECT_SSE4(set, call)   \
  FIRBANK_SELECT_AVX2(set, call)   \
  FIRBANK_SELECT_AVX512(set, call) \
  FIRBANK_SELECT_NEON(set, call)
