// The shape and the twiddles of a device's transform (real_fft.cuh), made on the host at set-up.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

inline constexpr std::uint32_t kMinLog2Bins = 3;
inline constexpr std::uint32_t kMaxLog2Bins = 15;

/// Longest inner transform: 32 KiB of shared memory.
template <class Real>
inline constexpr std::uint32_t kMaxLog2Inner = sizeof(Real) == sizeof(float) ? 12 : 11;

/// How transforms of 2^log2_bins values are computed; the twiddles are still to be set. log2_bins
/// is kMinLog2Bins to kMaxLog2Bins.
template <class Real>
Transform<Real> transform_shape(std::uint32_t log2_bins);

/// Pass by pass, for each block, powers 1 to 4 of its w (real_fft.cuh), computed in double and each
/// rounded once.
template <class Real>
std::vector<Complex<Real>> transform_twiddles(const Transform<Real>& transform);

extern template Transform<float> transform_shape(std::uint32_t);
extern template Transform<double> transform_shape(std::uint32_t);
extern template std::vector<Complex<float>> transform_twiddles(const Transform<float>&);
extern template std::vector<Complex<double>> transform_twiddles(const Transform<double>&);

}  // namespace firbank::cuda
