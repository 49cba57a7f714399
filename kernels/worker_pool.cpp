#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <unistd.h>

#include "kernels/cpu/denormals.hpp"

namespace firbank {
namespace {

constexpr std::size_t kSharesPerThread = 4;
constexpr int kSpins = 4'000;  // some microseconds: a wake costs more

constexpr std::uint64_t pack(std::uint64_t job, std::uint64_t shares, std::uint64_t next) {
  return job << 32 | shares << 16 | next;
}

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads) : process_(::getpid()) {
  try {
    for (std::size_t thread = 1; thread < threads; ++thread) {
      workers_.emplace_back([this, thread] { serve(thread); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

void WorkerPool::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  bell_.fetch_add(1, std::memory_order_release);
  bell_.notify_all();
  if (::getpid() != process_) {
    // A fork has no workers to be joined: what remembers them is left as it is.
    static_cast<void>(new (std::nothrow) std::vector<std::thread>(std::move(workers_)));
    return;
  }
  for (std::thread& worker : workers_) worker.join();
}

void WorkerPool::run_shared(std::size_t count, Call call, void* context) noexcept {
  call_ = call;
  context_ = context;
  count_ = count;
  shares_ = std::min(count, threads() * kSharesPerThread);
  unfinished_.store(shares_, std::memory_order_relaxed);
  const std::uint64_t job = (claim_.load(std::memory_order_relaxed) >> 32) + 1;
  claim_.store(pack(job & 0xFFFF'FFFF, shares_, 0), std::memory_order_release);
  bell_.fetch_add(1, std::memory_order_release);
  bell_.notify_all();
  while (work_once(0)) {
  }
  while (unfinished_.load(std::memory_order_acquire) != 0) pause();
}

bool WorkerPool::work_once(std::size_t thread) noexcept {
  std::uint64_t claim = claim_.load(std::memory_order_acquire);
  std::uint64_t share;
  do {
    share = claim & 0xFFFF;
    if (share >= (claim >> 16 & 0xFFFF)) return false;
  } while (!claim_.compare_exchange_weak(claim, claim + 1, std::memory_order_acq_rel,
                                         std::memory_order_acquire));
  call_(context_, {share * count_ / shares_, (share + 1) * count_ / shares_}, thread);
  unfinished_.fetch_sub(1, std::memory_order_release);
  return true;
}

void WorkerPool::serve(std::size_t thread) noexcept {
  const FlushDenormals flush;
  while (true) {
    const std::uint32_t seen = bell_.load(std::memory_order_acquire);
    while (work_once(thread)) {
    }
    if (stopping_.load(std::memory_order_relaxed)) return;
    int spins = 0;
    while (bell_.load(std::memory_order_relaxed) == seen && spins < kSpins) {
      pause();
      ++spins;
    }
    if (spins == kSpins) bell_.wait(seen, std::memory_order_acquire);
  }
}

}  // namespace firbank
