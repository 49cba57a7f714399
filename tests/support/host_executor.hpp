// Runs kernel bodies on the host: all threads of a grid, one thread block after another in shuffled
// order. It stands for any device, so what it finds wrong is wrong:
//
//   fibers   each thread of a thread block is a fiber. Between two barriers they run one after
//            another, in an order that is shuffled anew each time: what reads across a missing
//            barrier finds something else than the answer. Fast, and good with AddressSanitizer.
//   threads  each is a thread of the host, two thread blocks at a time, with the barriers that the
//            body asks for and no others: ThreadSanitizer sees a missing one whatever the order.
//
// Shared memory begins as NaNs in each thread block. A barrier that some threads of a thread block
// come to while others have returned is an error, std::logic_error, and so is an atomic_add() with
// stores or barriers before it that no fence_system() follows.
//
// Thread: any, several at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <type_traits>

#include "kernels/cuda/convolve.cuh"
#include "kernels/cuda/device_api.h"
#include "kernels/cuda/direct_form.cuh"
#include "kernels/cuda/launch_shape.hpp"
#include "kernels/cuda/spectral_mac.cuh"
#include "tests/support/touched_memory.hpp"

namespace firbank::test {

/// What a grid moved from and to global memory.
struct HostTraffic {
  std::uint64_t loaded_bytes = 0;  // samples, spectra and twiddles
  std::uint64_t stored_bytes = 0;
  std::uint64_t parameter_bytes = 0;  // commands, tables and counters, both ways

  HostTraffic& operator+=(const HostTraffic& other) {
    loaded_bytes += other.loaded_bytes;
    stored_bytes += other.stored_bytes;
    parameter_bytes += other.parameter_bytes;
    return *this;
  }
};

/// Where the threads of a thread block meet.
class HostBarrier {
 public:
  virtual void wait() = 0;

 protected:
  ~HostBarrier() = default;
};

/// The context (kernels/cuda/context.hpp) of one thread.
class HostContext {
 public:
  struct Place {
    unsigned thread = 0;
    unsigned threads = 1;
    unsigned block_x = 0;
    unsigned block_y = 0;
    unsigned blocks_x = 1;
    unsigned blocks_y = 1;
  };

  HostContext() = default;
  /// `dropped_sync`: which of its barriers the thread does not come to, counted from 0; or -1.
  /// `touched` is null, or told of each access to global memory.
  HostContext(const Place& place, std::byte* shared, HostBarrier& barrier, int dropped_sync,
              TouchedMemory* touched = nullptr)
      : place_(place),
        shared_(shared),
        barrier_(&barrier),
        dropped_sync_(dropped_sync),
        touched_(touched) {}

  unsigned thread() const { return place_.thread; }
  unsigned threads() const { return place_.threads; }
  unsigned block_x() const { return place_.block_x; }
  unsigned block_y() const { return place_.block_y; }
  unsigned blocks_x() const { return place_.blocks_x; }
  unsigned blocks_y() const { return place_.blocks_y; }

  template <class T>
  T* shared() {
    return reinterpret_cast<T*>(shared_);
  }
  void sync() {
    is_fenced_ = false;
    if (syncs_++ != dropped_sync_) barrier_->wait();
  }

  template <class T>
  T load(const T* from) {
    (kIsData<T> ? traffic_.loaded_bytes : traffic_.parameter_bytes) += sizeof(T);
    if (touched_ != nullptr) touched_->loaded.add(from, sizeof(T));
    return *from;
  }
  template <class T>
  T load_coherent(const T* from) {
    return load(from);
  }
  template <class T>
  void store(T* to, T value) {
    (kIsData<T> ? traffic_.stored_bytes : traffic_.parameter_bytes) += sizeof(T);
    touch(to);
    is_fenced_ = false;
    *to = value;
  }

  // Acquires and releases, so that no fence is left to be made. A device's does not: what it tells
  // of must have been fenced, or it is an error here too.
  std::uint32_t atomic_add(std::uint32_t* to, std::uint32_t value) {
    if (!is_fenced_) throw std::logic_error("what is counted has not been fenced");
    touch(to);
    return std::atomic_ref(*to).fetch_add(value, std::memory_order_acq_rel);
  }
  void fence_system() { is_fenced_ = true; }
  void store_release(std::uint64_t* to, std::uint64_t value) {
    touch(to);
    std::atomic_ref(*to).store(value, std::memory_order_release);
  }

  const HostTraffic& traffic() const { return traffic_; }

 private:
  template <class T>
  struct IsData : std::is_floating_point<T> {};
  template <class Real>
  struct IsData<cuda::Complex<Real>> : std::true_type {};
  template <class Real>
  struct IsData<cuda::Twiddle<Real>> : std::true_type {};
  template <class Real>
  struct IsData<cuda::Bins<Real>> : std::true_type {};
  template <class Real>
  struct IsData<cuda::Chunk<Real>> : std::true_type {};
  template <class T>
  requires std::is_same_v<T, cuda::Multiple> || std::is_same_v<T, cuda::MultiplePair> ||
      std::is_same_v<T, cuda::MultipleGroup> || std::is_same_v<T, cuda::Scale>
  struct IsData<T> : std::true_type {
  };
  template <class T>
  static constexpr bool kIsData = IsData<T>::value;

  template <class T>
  void touch(const T* to) {
    if (touched_ != nullptr) touched_->stored.add(to, sizeof(T));
  }

  Place place_;
  std::byte* shared_ = nullptr;
  HostBarrier* barrier_ = nullptr;
  int dropped_sync_ = -1;
  int syncs_ = 0;
  bool is_fenced_ = false;  // what came before, also at a barrier
  TouchedMemory* touched_ = nullptr;
  HostTraffic traffic_;
};

struct HostRun {
  enum class Threads { kFibers, kThreads };

  std::uint64_t seed = 1;  // of the orders
  Threads threads = Threads::kFibers;
  int dropped_sync = -1;             // as HostContext's, for every thread
  TouchedMemory* touched = nullptr;  // of fibers only: is told what the grid touches
};

using HostBody = std::function<void(HostContext&)>;

/// Runs a body for every thread of a grid. Throws what a thread has thrown.
HostTraffic run_grid(const cuda::LaunchShape& shape, const HostBody& body, const HostRun& run = {});

/// A call of a kernel for values of Real. What it points to is `params`.
template <class Real, class Params>
firbank_kernel_call call_of(cuda::Kernel kernel, const Params& params) {
  const cuda::LaunchShape launch = cuda::launch_shape(kernel, params);
  return {.kernel = static_cast<std::uint32_t>(kernel),
          .real_bytes = sizeof(Real),
          .grid = {launch.grid[0], launch.grid[1], launch.grid[2]},
          .threads = launch.threads,
          .shared_bytes = launch.shared_bytes,
          .params_bytes = sizeof(params),
          .params = &params,
          .after_count = 0,
          .after = nullptr};
}

/// Runs the kernel that is called.
HostTraffic execute_kernel(const firbank_kernel_call& call, const HostRun& run);

}  // namespace firbank::test
