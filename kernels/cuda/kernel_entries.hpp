// The compiled kernels, as the CUDA run-time library names them. Included by .cu files only.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace firbank::cuda {

/// The entry of kernel number `kernel`, below kKernels, for values of 4 or 8 bytes: what
/// cudaLaunchKernel and a graph's kernel node take.
template <class Real>
const void* kernel_entry(std::uint32_t kernel);

}  // namespace firbank::cuda
