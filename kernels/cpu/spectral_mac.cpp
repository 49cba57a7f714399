#include "kernels/cpu/spectral_mac.hpp"

#include "kernels/cpu/scalar_kernels.hpp"
#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/spectral_mac.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/spectral_mac-inl.h"

#if HWY_ONCE
namespace firbank {

template <class Sample>
const SpectralMac<Sample>* spectral_mac(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, spectral_mac_kernel<Sample>())
  return set == InstructionSet::kScalar ? scalar_spectral_mac<Sample>() : nullptr;
}

template const SpectralMac<float>* spectral_mac<float>(InstructionSet) noexcept;
template const SpectralMac<double>* spectral_mac<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
