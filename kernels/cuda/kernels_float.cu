// The kernels of values of type float.
#include "kernels/cuda/kernel_entries.cuh"

namespace firbank::cuda {

template const void* kernel_entry<float>(std::uint32_t);

}  // namespace firbank::cuda
