#include "kernels/cpu/real_fft.hpp"

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/real_fft.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/real_fft-inl.h"

#if HWY_ONCE
namespace firbank {

template <class Sample>
const RealFft<Sample>* real_fft(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, real_fft_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_real_fft<Sample>() : nullptr;
}

template const RealFft<float>* real_fft<float>(InstructionSet) noexcept;
template const RealFft<double>* real_fft<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
