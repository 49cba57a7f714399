// What the CUDA run-time library on the host (host_runtime.cpp) is made of: the memory that it has
// allocated, points of its streams, the streams, and launches of kernels.
//
// Thread: any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>

#include "kernels/cuda/kernel_calls.hpp"
#include "tests/support/host_executor.hpp"

namespace firbank::test {

inline constexpr std::size_t kRuntimeSharedBytes = 48 << 10;  // of a thread block

[[noreturn]] inline void end(const char* fault) {
  std::fprintf(stderr, "CUDA run-time library on the host: %s\n", fault);
  std::abort();
}

/// Ends the process where it is not.
inline void require(bool is_right, const char* fault) {
  if (!is_right) end(fault);
}

/// What is allocated.
class Memory {
 public:
  /// Stays until the process is gone: streams may still come to their end then.
  static Memory& get() {
    static Memory& memory = *new Memory;
    return memory;
  }

  void* allocate(std::size_t bytes) {
    const std::size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    auto* const made = static_cast<std::byte*>(std::aligned_alloc(kAlignment, whole));
    require(made != nullptr, "the host is out of memory");
    std::memset(made, 0xcb, whole);  // a device's memory holds anything
    const std::lock_guard lock(mutex_);
    bytes_[made] = bytes;
    return made;
  }

  void release(void* memory) {
    {
      const std::lock_guard lock(mutex_);
      require(bytes_.erase(static_cast<std::byte*>(memory)) == 1,
              "memory is given back that was not allocated");
    }
    std::free(memory);
  }

  void require_whole(const void* memory, std::size_t bytes) {
    const auto* const first = static_cast<const std::byte*>(memory);
    const std::lock_guard lock(mutex_);
    const auto after = bytes_.upper_bound(const_cast<std::byte*>(first));
    require(after != bytes_.begin(), "memory is touched that was not allocated");
    const auto& [begin, size] = *std::prev(after);
    require(first + bytes <= begin + size, "memory is touched beyond its allocation");
  }

 private:
  static constexpr std::size_t kAlignment = 256;

  std::mutex mutex_;
  std::map<std::byte*, std::size_t> bytes_;  // of what is allocated
};

/// A point of a stream.
class Mark {
 public:
  void reach() {
    const std::lock_guard lock(mutex_);
    is_reached_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_reached_; });
  }
  bool is_reached() {
    const std::lock_guard lock(mutex_);
    return is_reached_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_reached_ = false;
};

/// A thread that does one thing after another.
class TaskStream {
 public:
  TaskStream() : thread_([this] { work(); }) {}
  ~TaskStream() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
      changed_.notify_one();
    }
    thread_.join();
  }

  void append(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }
  bool is_idle() {
    const std::lock_guard lock(mutex_);
    return tasks_.empty() && !is_busy_;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      is_busy_ = true;
      lock.unlock();
      task();
      lock.lock();
      is_busy_ = false;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool is_busy_ = false;
  bool ends_ = false;
  std::thread thread_;  // last: it begins when all else is there
};

/// What stands for the kernels' entries: their addresses say which they are.
inline char entries[2][cuda::kKernels];

template <class Real>
inline constexpr std::size_t kEntries = sizeof(Real) == sizeof(float) ? 0 : 1;

/// A launch, with the parameters as they were when it was asked for.
class Launch {
 public:
  Launch(const void* function, dim3 grid, dim3 threads, void** params, std::size_t shared_bytes) {
    require(function != nullptr, "a kernel without an entry is launched");
    const auto number = static_cast<const char*>(function) - entries[0];
    require(number >= 0 && number < 2 * static_cast<std::ptrdiff_t>(cuda::kKernels),
            "what is launched is no kernel");
    const auto kernel = static_cast<std::uint32_t>(number) % cuda::kKernels;
    const bool is_float = number < static_cast<std::ptrdiff_t>(cuda::kKernels);
    const auto which = static_cast<cuda::Kernel>(kernel);
    const std::size_t bytes =
        is_float ? cuda::params_bytes<float>(which) : cuda::params_bytes<double>(which);
    const auto* const first = static_cast<const std::byte*>(params[0]);
    params_.assign(first, first + bytes);
    call_ = {.kernel = kernel,
             .real_bytes = is_float ? 4U : 8U,
             .grid = {grid.x, grid.y, grid.z},
             .threads = threads.x,
             .shared_bytes = static_cast<std::uint32_t>(shared_bytes),
             .params_bytes = static_cast<std::uint32_t>(bytes),
             .params = params_.data(),
             .after_count = 0,
             .after = nullptr};
    require(threads.y == 1 && threads.z == 1, "thread blocks have one dimension here");
    const char* fault = cuda::fault_of(call_, kRuntimeSharedBytes);
    if (fault != nullptr) end(fault);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  void run() const {
    static std::atomic<std::uint64_t> seed{0};
    try {
      execute_kernel(call_, {.seed = ++seed});
    } catch (const std::exception& fault) {
      end(fault.what());
    }
  }

 private:
  std::vector<std::byte> params_;
  firbank_kernel_call call_{};
};

using Launches = std::vector<std::shared_ptr<const Launch>>;

}  // namespace firbank::test
