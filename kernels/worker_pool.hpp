// WorkerPool: shares the outputs or inputs of one block among a few threads.
//
// The caller works too and takes whatever no worker has taken, so a block is complete even if no
// worker ever wakes. It waits only for shares that a worker has begun: threads beyond the free
// cores make that wait as long as the scheduler likes. Workers spin briefly for the next block,
// then sleep.
//
// Thread:   one caller at a time.
// Realtime: run() is safe for one thread (it only calls); with more it may cost one wake.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#include "kernels/backend.hpp"

namespace firbank {

/// Items of `bytes` bytes each that a thread copies at a time: fewer are copied before another one
/// has woken.
inline std::size_t items_of_share(std::size_t bytes) noexcept {
  constexpr std::size_t kLeastBytes = std::size_t{64} << 10;
  return bytes >= kLeastBytes ? 1 : kLeastBytes / std::max<std::size_t>(bytes, 1);
}

class WorkerPool {
 public:
  /// `threads` counts the caller: threads - 1 workers are started.
  /// Throws: std::system_error when a thread cannot be started.
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::size_t threads() const noexcept { return workers_.size() + 1; }

  /// Calls work(range, thread) until the ranges cover 0 to count - 1, each index once; thread is
  /// below threads() and differs between calls that overlap. Returns when all are done.
  template <class Work>
  void run(std::size_t count, Work&& work) noexcept {
    if (workers_.empty() || count < 2) {
      work(IndexRange{0, count}, std::size_t{0});
      return;
    }
    run_shared(
        count,
        [](void* context, IndexRange range, std::size_t thread) noexcept {
          (*static_cast<std::remove_reference_t<Work>*>(context))(range, thread);
        },
        &work);
  }

  /// The same in ranges that begin at multiples of `grain`.
  template <class Work>
  void run(std::size_t count, std::size_t grain, Work&& work) noexcept {
    if (workers_.empty()) {
      work(IndexRange{0, count}, std::size_t{0});
      return;
    }
    run((count + grain - 1) / grain, [&](IndexRange grains, std::size_t thread) noexcept {
      work(IndexRange{grains.first * grain, std::min(grains.last * grain, count)}, thread);
    });
  }

 private:
  using Call = void (*)(void* context, IndexRange range, std::size_t thread) noexcept;

  void run_shared(std::size_t count, Call call, void* context) noexcept;
  bool work_once(std::size_t thread) noexcept;
  void serve(std::size_t thread) noexcept;
  void stop() noexcept;

  // The job in hand. Read only by a thread that has claimed a share of it, and not written again
  // before every share is done.
  Call call_ = nullptr;
  void* context_ = nullptr;
  std::size_t count_ = 0;
  std::size_t shares_ = 0;

  // {job number: 32, shares: 16, next share: 16}: one word, so that a share can only be claimed
  // from the job that its claimer has seen.
  alignas(64) std::atomic<std::uint64_t> claim_{0};
  alignas(64) std::atomic<std::size_t> unfinished_{0};
  alignas(64) std::atomic<std::uint32_t> bell_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
  int process_;  // whose they are: a fork has none
};

}  // namespace firbank
