// A GPU as the plug-in drives it: a stream for each lane, and another for set-up, so that setting
// up waits for its own work only. Where there is not room for all, what is set up gives way to the
// lanes; and what tells that an answer is home, a single thread, goes ahead of what computes the
// next one. Included by .cu files only.
//
// Failures are thrown as CudaFailure. Once the device has failed, or has kept a caller waiting for
// longer than any work takes, it counts as lost: every call fails at once, and memory that the
// device might still reach is never given back, since waiting for it could take for ever.
//
// Every call makes the device the current one of the calling thread.
//
// Thread: launch, copy, follow and state belong to one thread at a time; all else may be called by
//         any thread, also meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/handles.hpp"

struct firbank_graph {
  firbank::cuda::CudaGraphExec exec;
};

namespace firbank::cuda {

/// Devices that CUDA can see here; throws when there is no driver for them.
int count_devices();

/// Makes device `index` the calling thread's, and returns `index`; throws when there is none.
int choose_device(int index);

firbank_device_info describe_device(int index);

class Device {
 public:
  /// Opens device `index` and loads every kernel into it.
  explicit Device(int index);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  void* allocate(std::size_t bytes);
  /// Takes effect when everything launched before is done.
  void release(void* memory) noexcept;
  void* allocate_pinned(std::size_t bytes);
  /// Waits for everything launched before.
  void release_pinned(void* memory) noexcept;

  void upload(void* to, const void* from, std::size_t bytes);
  void run(const firbank_kernel_call* calls, std::size_t count);
  firbank_graph* make_graph(const firbank_kernel_call* calls, std::size_t count);

  void launch(int lane, const firbank_graph& graph);
  void copy(int lane, void* to, const void* from, std::size_t bytes);
  void follow(int lane, int ahead);
  /// FIRBANK_OK or FIRBANK_BUSY.
  int state();

  /// From now on nothing is expected of the device any more.
  void lose() noexcept { lost_.store(true, std::memory_order_relaxed); }

 private:
  /// Makes the device the calling thread's; throws when it is lost.
  void enter();
  cudaStream_t stream(int lane) const;
  /// Whether all that `stream` holds now was done within `limit`.
  bool wait(const CudaStream& stream, std::chrono::nanoseconds limit);
  /// The same of all lanes, each within `limit`.
  bool wait_for_lanes(std::chrono::nanoseconds limit);
  /// Waits for the set-up stream; what takes too long is a failure.
  void finish_setup();

  const int index_;  // first: the others are made on it
  std::size_t most_shared_bytes_ = 0;
  std::atomic<bool> lost_{false};
  std::array<CudaStream, FIRBANK_LANES> lanes_{CudaStream(1), CudaStream(1), CudaStream(2)};
  std::array<CudaEvent, FIRBANK_LANES> marks_;  // where each lane was when another one followed
  std::mutex setup_mutex_;                      // guards the use of setup_stream_
  CudaStream setup_stream_{0};
  std::optional<CudaMemoryPool> pool_;  // nothing where the driver has no pools
};

}  // namespace firbank::cuda

struct firbank_device : firbank::cuda::Device {
  using Device::Device;
};
