// Checks on a firbank_kernel_call that every device makes before it takes one, so that a fault of
// the caller is an error with a line and not a fault of the device. Needs no CUDA header.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/launch_shape.hpp"

namespace firbank::cuda {

/// Threads of a thread block that a kernel is compiled for.
constexpr std::uint32_t most_threads(Kernel kernel, std::size_t real_bytes) {
  switch (kernel) {
    case Kernel::kBegin:
    case Kernel::kForwardOuter:
    case Kernel::kInverseOuter:
    case Kernel::kAccumulate:
    case Kernel::kReduce:
    case Kernel::kLoadOuter:
    case Kernel::kCompact:
    case Kernel::kListen:
    case Kernel::kTakeSamples:
    case Kernel::kDirect:
    case Kernel::kDirectRows:
    case Kernel::kDirectReduce:
      return kStreamingThreads;
    case Kernel::kForward:
    case Kernel::kRender:
    case Kernel::kEnd:
    case Kernel::kLoad:
    case Kernel::kDeliver:
    case Kernel::kConvolve:
      // The longest inner transform has as many.
      return real_bytes == sizeof(float) ? 512 : 256;
  }
  return 0;
}

/// Thread blocks of as many threads that a multiprocessor has registers for at a time: while one of
/// kConvolve waits at a barrier or for a response, the other one computes.
constexpr std::uint32_t least_blocks(Kernel kernel) {
  return kernel == Kernel::kConvolve ? 2 : 1;
}

/// Of the structure that a kernel is given.
template <class Real>
constexpr std::size_t params_bytes(Kernel kernel) {
  switch (kernel) {
    case Kernel::kBegin:
    case Kernel::kEnd:
      return sizeof(CommandParams);
    case Kernel::kForwardOuter:
    case Kernel::kForward:
    case Kernel::kListen:
      return sizeof(ForwardParams<Real>);
    case Kernel::kRender:
    case Kernel::kInverseOuter:
      return sizeof(RenderParams<Real>);
    case Kernel::kAccumulate:
    case Kernel::kReduce:
      return sizeof(AccumulateParams<Real>);
    case Kernel::kLoadOuter:
    case Kernel::kLoad:
      return sizeof(LoadParams<Real>);
    case Kernel::kCompact:
      return sizeof(CompactParams);
    case Kernel::kDeliver:
      return sizeof(DeliverParams);
    case Kernel::kConvolve:
      return sizeof(ConvolveParams<Real>);
    case Kernel::kTakeSamples:
      return sizeof(SampleParams<Real>);
    case Kernel::kDirect:
    case Kernel::kDirectRows:
    case Kernel::kDirectReduce:
      return sizeof(DirectParams<Real>);
  }
  return 0;
}

/// What is wrong with `call`, or null. `most_shared_bytes` is the device's limit.
constexpr const char* fault_of(const firbank_kernel_call& call, std::size_t most_shared_bytes) {
  if (call.kernel >= kKernels) return "there is no kernel of that number";
  const auto kernel = static_cast<Kernel>(call.kernel);
  if (call.real_bytes != sizeof(float) && call.real_bytes != sizeof(double)) {
    return "real_bytes is neither 4 nor 8";
  }
  if (call.params == nullptr) return "params is null";
  if (call.params_bytes != (call.real_bytes == sizeof(float) ? params_bytes<float>(kernel)
                                                             : params_bytes<double>(kernel))) {
    return "params_bytes is not the size of the kernel's structure";
  }
  if (call.threads < 1 || call.threads > most_threads(kernel, call.real_bytes)) {
    return "threads is not from 1 to what the kernel is compiled for";
  }
  if (call.grid[0] < 1 || call.grid[0] > 0x7fffffffU || call.grid[1] < 1 ||
      call.grid[1] > 0xffffU || call.grid[2] != 1) {
    return "the grid is not from 1 to 2147483647 by 1 to 65535 by 1";
  }
  if (call.shared_bytes > most_shared_bytes) {
    return "more shared memory than a thread block of the device has";
  }
  return nullptr;
}

/// What is wrong with that which call `number` of a graph comes after, or null.
constexpr const char* fault_of_order(const firbank_kernel_call& call, std::size_t number) {
  if (call.after_count == 0) return nullptr;
  if (call.after == nullptr) return "after is null";
  for (std::uint32_t i = 0; i < call.after_count; ++i) {
    if (call.after[i] >= number) return "it comes after a call that is not before it in the list";
    for (std::uint32_t earlier = 0; earlier < i; ++earlier) {
      if (call.after[earlier] == call.after[i]) return "it comes after the same call twice";
    }
  }
  return nullptr;
}

}  // namespace firbank::cuda
