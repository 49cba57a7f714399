#include "kernels/cpu/checked_copy.hpp"

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/checked_copy.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/checked_copy-inl.h"

#if HWY_ONCE
namespace firbank {

template <class Sample>
const CheckedCopy<Sample>* checked_copy(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, checked_copy_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_checked_copy<Sample>() : nullptr;
}

template const CheckedCopy<float>* checked_copy<float>(InstructionSet) noexcept;
template const CheckedCopy<double>* checked_copy<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
