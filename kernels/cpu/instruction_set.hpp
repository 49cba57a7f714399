// InstructionSet: the vector instructions that the CPU kernels exist for.
#pragma once

#include <array>

namespace firbank {

enum class InstructionSet { kScalar, kSse4, kAvx2, kAvx512, kNeon };

inline constexpr std::array kInstructionSets = {InstructionSet::kAvx512, InstructionSet::kAvx2,
                                                InstructionSet::kSse4, InstructionSet::kNeon,
                                                InstructionSet::kScalar};  // best first

/// Whether this build holds kernels for it, and whether this processor can run them.
bool is_built(InstructionSet set) noexcept;
bool is_supported(InstructionSet set) noexcept;

/// The best that this processor can run.
InstructionSet best_instruction_set() noexcept;

const char* backend_name(InstructionSet set) noexcept;  // "cpu-avx2"
const char* name(InstructionSet set) noexcept;          // "AVX2"

}  // namespace firbank
