// Accelerator: one opened device behind the plug-in's interface, and owners of what is made on it.
//
// Set-up throws BackendError. Running operations report through check(): the first failure is kept,
// and from then on nothing more is asked of the device, as nothing can be expected of it.
//
// Thread: any; launch() one at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/launch_shape.hpp"

namespace firbank::cuda {

class Accelerator {
 public:
  /// Opens device `index`. Throws: BackendError.
  Accelerator(const firbank_device_api& api, int index);
  ~Accelerator();
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

  const firbank_device_api& api() const noexcept { return api_; }
  firbank_device* device() const noexcept { return device_; }
  const firbank_device_info& info() const noexcept { return info_; }

  /// Throws BackendError when `status` tells of a failure of `action`, such as "make a graph".
  void require(int status, const std::string& action);

  /// Whether `status` is a success; what went wrong otherwise is kept.
  bool check(int status) noexcept;
  void fail(const char* reason) noexcept;
  bool has_failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  std::string failure() const;

 private:
  const firbank_device_api& api_;
  firbank_device* device_ = nullptr;
  firbank_device_info info_{};
  std::atomic<bool> failed_{false};
  mutable std::mutex failing_;
  char reason_[256]{};
};

/// `count` values of device memory, zero at first. The host cannot touch them.
template <class T>
class DeviceMemory {
 public:
  DeviceMemory(std::shared_ptr<Accelerator> accelerator, std::size_t count)
      : accelerator_(std::move(accelerator)), count_(count) {
    if (count == 0) return;
    accelerator_->require(
        accelerator_->api().allocate(accelerator_->device(), count * sizeof(T), &data_),
        "allocate " + std::to_string(count * sizeof(T)) + " bytes of device memory");
  }
  ~DeviceMemory() {
    if (data_ != nullptr) accelerator_->api().release(accelerator_->device(), data_);
  }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  T* data() const noexcept { return static_cast<T*>(data_); }
  std::size_t size() const noexcept { return count_; }

  void upload(std::span<const T> values) {
    if (values.empty()) return;
    accelerator_->require(accelerator_->api().upload(accelerator_->device(), data_, values.data(),
                                                     values.size_bytes()),
                          "copy to device memory");
  }

 private:
  std::shared_ptr<Accelerator> accelerator_;
  std::size_t count_;
  void* data_ = nullptr;
};

/// Device memory that holds a copy of `values`.
template <class T>
std::unique_ptr<DeviceMemory<T>> device_copy(std::shared_ptr<Accelerator> accelerator,
                                             const std::vector<T>& values) {
  auto memory = std::make_unique<DeviceMemory<T>>(std::move(accelerator), values.size());
  memory->upload(values);
  return memory;
}

/// `count` values of host memory, zero at first, that the device reads and writes too.
template <class T>
class PinnedMemory {
 public:
  PinnedMemory(std::shared_ptr<Accelerator> accelerator, std::size_t count)
      : accelerator_(std::move(accelerator)) {
    accelerator_->require(
        accelerator_->api().allocate_pinned(accelerator_->device(), count * sizeof(T), &data_),
        "allocate " + std::to_string(count * sizeof(T)) + " bytes of pinned memory");
  }
  ~PinnedMemory() { accelerator_->api().release_pinned(accelerator_->device(), data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  T* data() const noexcept { return static_cast<T*>(data_); }
  T& operator[](std::size_t i) const noexcept { return data()[i]; }

 private:
  std::shared_ptr<Accelerator> accelerator_;
  void* data_ = nullptr;
};

/// Which call of its list a kernel launch is, counted from 0.
using CallNumber = std::uint32_t;

/// A list of kernel launches, whose parameters it keeps: to be run in order, or for a graph.
class KernelCalls {
 public:
  /// `real_bytes` is 4 for kernels of float, 8 for those of double; `after` is what it waits for in
  /// a graph.
  template <class Params>
  CallNumber add(Kernel kernel, std::size_t real_bytes, const Params& params,
                 std::vector<CallNumber> after = {}) {
    struct Kept {
      Params params;
      std::vector<CallNumber> after;
    };
    const LaunchShape shape = launch_shape(kernel, params);
    const auto kept = std::make_shared<const Kept>(Kept{params, std::move(after)});
    calls_.push_back({.kernel = static_cast<std::uint32_t>(kernel),
                      .real_bytes = static_cast<std::uint32_t>(real_bytes),
                      .grid = {shape.grid[0], shape.grid[1], shape.grid[2]},
                      .threads = shape.threads,
                      .shared_bytes = shape.shared_bytes,
                      .params_bytes = sizeof(Params),
                      .params = &kept->params,
                      .after_count = static_cast<std::uint32_t>(kept->after.size()),
                      .after = kept->after.data()});
    kept_.push_back(kept);
    return static_cast<CallNumber>(calls_.size() - 1);
  }

  std::span<const firbank_kernel_call> calls() const noexcept { return calls_; }

 private:
  std::vector<firbank_kernel_call> calls_;
  std::vector<std::shared_ptr<const void>> kept_;
};

/// Kernels that are launched together.
class Graph {
 public:
  Graph(std::shared_ptr<Accelerator> accelerator, const KernelCalls& calls);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  firbank_graph* get() const noexcept { return graph_; }

 private:
  std::shared_ptr<Accelerator> accelerator_;
  firbank_graph* graph_ = nullptr;
};

}  // namespace firbank::cuda
