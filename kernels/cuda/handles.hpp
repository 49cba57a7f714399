// Owners of what the CUDA run-time library hands out. Each makes its thing in its constructor,
// which throws CudaFailure, and gives it back in its destructor, which never throws: an error there
// can only be that of a device already lost. get() lends the handle. Included by .cu files only.
//
// None of the destructors waits for the device: CUDA frees streams, events, graphs and pools that
// are in use once they no longer are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <cuda_runtime_api.h>

#include "kernels/cuda/cuda_error.hpp"

namespace firbank::cuda {

template <class Handle, cudaError_t (*destroy)(Handle)>
class Owner {
 public:
  Owner() noexcept = default;
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owner() {
    if (handle_ != nullptr) static_cast<void>(destroy(handle_));
  }

  Handle get() const noexcept { return handle_; }

 protected:
  Handle handle_ = nullptr;
};

/// A stream that no other waits for. Where thread blocks of several streams wait for room on the
/// device, those of the most urgent one go first; of graphs that of the stream they are launched in
/// counts.
class CudaStream : public Owner<cudaStream_t, cudaStreamDestroy> {
 public:
  /// `urgency`: 0 or more, as far as the device tells them apart.
  explicit CudaStream(int urgency) {
    int least = 0;
    int greatest = 0;  // lower numbers are more urgent
    check("cudaDeviceGetStreamPriorityRange", cudaDeviceGetStreamPriorityRange(&least, &greatest));
    check("cudaStreamCreateWithPriority",
          cudaStreamCreateWithPriority(&handle_, cudaStreamNonBlocking,
                                       std::max(greatest, least - urgency)));
  }
};

/// A mark in a stream, without a time.
class CudaEvent : public Owner<cudaEvent_t, cudaEventDestroy> {
 public:
  CudaEvent() {
    check("cudaEventCreateWithFlags", cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming));
  }
};

/// A graph that is being put together.
class CudaGraph : public Owner<cudaGraph_t, cudaGraphDestroy> {
 public:
  CudaGraph() { check("cudaGraphCreate", cudaGraphCreate(&handle_, 0)); }
};

/// A graph that can be launched.
class CudaGraphExec : public Owner<cudaGraphExec_t, cudaGraphExecDestroy> {
 public:
  explicit CudaGraphExec(const CudaGraph& graph) {
    check("cudaGraphInstantiate", cudaGraphInstantiate(&handle_, graph.get(), 0));
  }
};

/// Device memory that is allocated and freed in the order of a stream, so that neither stops the
/// device or another thread's launches. What is freed stays in the pool: giving it back to the
/// driver takes a while, and the next set of responses will want as much.
class CudaMemoryPool : public Owner<cudaMemPool_t, cudaMemPoolDestroy> {
 public:
  explicit CudaMemoryPool(int device) {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    check("cudaMemPoolCreate", cudaMemPoolCreate(&handle_, &properties));
    std::uint64_t kept = ~std::uint64_t{0};
    check("cudaMemPoolSetAttribute",
          cudaMemPoolSetAttribute(handle_, cudaMemPoolAttrReleaseThreshold, &kept));
  }

  /// Gives back to the driver what is not in use.
  void trim() { check("cudaMemPoolTrimTo", cudaMemPoolTrimTo(handle_, 0)); }
};

}  // namespace firbank::cuda
