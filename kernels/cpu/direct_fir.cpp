#include "kernels/cpu/direct_fir.hpp"

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/direct_fir.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/direct_fir-inl.h"

#if HWY_ONCE
namespace firbank {

template <class Sample>
const DirectFir<Sample>* direct_fir(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, direct_fir_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_direct_fir<Sample>() : nullptr;
}

template const DirectFir<float>* direct_fir<float>(InstructionSet) noexcept;
template const DirectFir<double>* direct_fir<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
