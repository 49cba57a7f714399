#include "kernels/cpu/narrow_copy.hpp"

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/narrow_copy.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/narrow_copy-inl.h"

#if HWY_ONCE
namespace firbank {

template <class Sample>
const NarrowCopy<Sample>* narrow_copy(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, narrow_copy_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_narrow_copy<Sample>() : nullptr;
}

template const NarrowCopy<float>* narrow_copy<float>(InstructionSet) noexcept;
template const NarrowCopy<double>* narrow_copy<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
