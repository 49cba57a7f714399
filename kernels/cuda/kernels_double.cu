// The kernels of values of type double.
#include "kernels/cuda/kernel_entries.cuh"

namespace firbank::cuda {

template const void* kernel_entry<double>(std::uint32_t);

}  // namespace firbank::cuda
