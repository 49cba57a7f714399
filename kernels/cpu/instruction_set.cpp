#include "kernels/cpu/instruction_set.hpp"

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/simd_targets.hpp"

namespace firbank {
namespace {

/// Highway's bit for a set; 0 for plain code.
std::int64_t target_bit(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::kSse4:
      return HWY_SSE4;
    case InstructionSet::kAvx2:
      return HWY_AVX2;
    case InstructionSet::kAvx512:
      return (HWY_TARGETS & HWY_AVX3) != 0 ? HWY_AVX3 : HWY_AVX3_DL;
    case InstructionSet::kNeon:
      return HWY_NEON;
    case InstructionSet::kScalar:
      break;
  }
  return 0;
}

}  // namespace

bool is_built(InstructionSet set) noexcept {
  return set == InstructionSet::kScalar || (HWY_TARGETS & target_bit(set)) != 0;
}

bool is_supported(InstructionSet set) noexcept {
  if (set == InstructionSet::kScalar) return true;
  // Asked once: where a hypervisor answers for the processor, it takes as long as a small job does.
  static const std::int64_t supported = hwy::SupportedTargets();
  return is_built(set) && (supported & target_bit(set)) != 0;
}

InstructionSet best_instruction_set() noexcept {
  return *std::find_if(kInstructionSets.begin(), kInstructionSets.end(), is_supported);
}

const char* backend_name(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::kSse4:
      return "cpu-sse4";
    case InstructionSet::kAvx2:
      return "cpu-avx2";
    case InstructionSet::kAvx512:
      return "cpu-avx512";
    case InstructionSet::kNeon:
      return "cpu-neon";
    case InstructionSet::kScalar:
      break;
  }
  return "cpu-scalar";
}

const char* name(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::kSse4:
      return "SSE4";
    case InstructionSet::kAvx2:
      return "AVX2";
    case InstructionSet::kAvx512:
      return "AVX-512";
    case InstructionSet::kNeon:
      return "NEON";
    case InstructionSet::kScalar:
      break;
  }
  return "none";
}

}  // namespace firbank
