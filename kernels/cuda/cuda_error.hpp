// How a failed call of the CUDA run-time library becomes a status of the device's interface.
// Included by .cu files only.
#pragma once

#include <stdexcept>
#include <string>

#include <cuda_runtime_api.h>

#include "kernels/cuda/device_api.h"

namespace firbank::cuda {

/// Thrown inside the plug-in, and turned into a status where the interface is left.
class CudaFailure : public std::runtime_error {
 public:
  CudaFailure(int status, const std::string& message)
      : std::runtime_error(message), status_(status) {}

  int status() const noexcept { return status_; }

 private:
  int status_;  // a firbank_status
};

inline int status_of(cudaError_t error) noexcept {
  switch (error) {
    case cudaSuccess:
      return FIRBANK_OK;
    case cudaErrorInsufficientDriver:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorCallRequiresNewerDriver:
    case cudaErrorStubLibrary:
    case cudaErrorSystemNotReady:
      return FIRBANK_NO_DRIVER;
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable:
      return FIRBANK_NO_DEVICE;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidKernelImage:
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorJitCompilationDisabled:
      return FIRBANK_NO_KERNELS;
    case cudaErrorMemoryAllocation:
      return FIRBANK_OUT_OF_MEMORY;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidResourceHandle:
    case cudaErrorLaunchOutOfResources:
      return FIRBANK_INVALID;
    default:
      return FIRBANK_DEVICE_FAILED;
  }
}

/// Throws CudaFailure when `error`, which `call` returned, is one.
inline void check(const char* call, cudaError_t error) {
  if (error == cudaSuccess) return;
  throw CudaFailure(status_of(error), std::string(call) + ": " + cudaGetErrorString(error));
}

}  // namespace firbank::cuda
