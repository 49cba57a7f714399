// The kernels in plain C++: what the vector kernels are compared with, and what runs everywhere.
#pragma once

#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/direct_fir.hpp"
#include "kernels/cpu/narrow_copy.hpp"
#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/spectral_mac.hpp"

namespace firbank {

template <class Sample>
const RealFft<Sample>* scalar_real_fft() noexcept;
template <class Sample>
const SpectralMac<Sample>* scalar_spectral_mac() noexcept;
template <class Sample>
const DirectFir<Sample>* scalar_direct_fir() noexcept;
template <class Sample>
const CheckedCopy<Sample>* scalar_checked_copy() noexcept;
template <class Sample>
const NarrowCopy<Sample>* scalar_narrow_copy() noexcept;

}  // namespace firbank
