// Fibers jump from stack to stack, which a fortified longjmp takes for an error.
#undef _FORTIFY_SOURCE

#include "tests/support/host_executor.hpp"

#include <algorithm>
#include <barrier>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <setjmp.h>
#include <ucontext.h>

#include "io/random.hpp"
#include "kernels/cuda/kernels.cuh"

#if defined(__SANITIZE_ADDRESS__)
#define FIRBANK_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define FIRBANK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIRBANK_ASAN 1
#elif __has_feature(thread_sanitizer)
#define FIRBANK_TSAN 1
#endif
#endif
#ifdef FIRBANK_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIRBANK_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace firbank::test {
namespace {

/// Makes a thread leave its body that waits in vain at a barrier.
struct Abandoned {};

std::vector<std::uint32_t> shuffled(std::uint32_t count, Xoshiro256& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t left = count; left > 1; --left) {
    std::swap(order[left - 1], order[random() % left]);
  }
  return order;
}

/// The shared memory of a thread block: as long as asked for, so that AddressSanitizer sees what
/// goes beyond.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}))) {}
  ~SharedMemory() { ::operator delete (memory_, std::align_val_t{kAlignment}); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* begin() const { return memory_; }
  /// All bits 1: NaN in float and in double.
  void poison() { std::memset(memory_, 0xff, bytes_); }

 private:
  static constexpr std::size_t kAlignment = 16;
  std::size_t bytes_;
  std::byte* memory_;
};

HostContext::Place place_of(const cuda::LaunchShape& shape, std::uint32_t block,
                            std::uint32_t thread) {
  return {thread,        shape.threads, block % shape.grid[0], block / shape.grid[0],
          shape.grid[0], shape.grid[1]};
}

std::logic_error uneven_barrier(std::uint32_t block, std::size_t waiting, std::size_t threads) {
  return std::logic_error("thread block " + std::to_string(block) + ": " + std::to_string(waiting) +
                          " of " + std::to_string(threads) +
                          " threads came to a barrier, the others returned");
}

// ---- Fibers

/// A stack and where it stands; the host thread's own has no memory here.
struct Strand {
  ucontext_t context{};
  jmp_buf jump{};
  bool begun = false;
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  [[maybe_unused]] void* fake_stack = nullptr;
  [[maybe_unused]] void* tsan_fiber = nullptr;
};

/// Goes on in `to`, and returns when somebody comes back to `from`. makecontext and setcontext
/// begin a strand; jumps, which make no system call, do the rest. ThreadSanitizer does not know
/// jumps between stacks.
void switch_strand(Strand& from, Strand& to) {
#ifdef FIRBANK_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.bytes);
#endif
#ifdef FIRBANK_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
  swapcontext(&from.context, &to.context);
#else
  if (_setjmp(from.jump) == 0) {
    if (to.begun) _longjmp(to.jump, 1);
    to.begun = true;
    setcontext(&to.context);
  }
#endif
#ifdef FIRBANK_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

/// Fibers of one host thread, kept from grid to grid.
class FiberPool final : public HostBarrier {
 public:
  static FiberPool& of_this_thread() {
    static thread_local FiberPool pool;
    return pool;
  }

  FiberPool() {
    main_.begun = true;
#ifdef FIRBANK_TSAN
    main_.tsan_fiber = __tsan_get_current_fiber();
#endif
  }
  ~FiberPool() {
#ifdef FIRBANK_TSAN
    for (const auto& fiber : fibers_) __tsan_destroy_fiber(fiber->strand.tsan_fiber);
#endif
  }

  HostTraffic run(const cuda::LaunchShape& shape, const HostBody& body, const HostRun& run) {
    while (fibers_.size() < shape.threads) fibers_.push_back(make_fiber());
    SharedMemory shared(shape.shared_bytes);
    Xoshiro256 random(run.seed);
    body_ = &body;
    HostTraffic traffic;
    for (const std::uint32_t block : shuffled(shape.grid[0] * shape.grid[1], random)) {
      shared.poison();
      for (std::uint32_t t = 0; t < shape.threads; ++t) {
        fibers_[t]->context = HostContext(place_of(shape, block, t), shared.begin(), *this,
                                          run.dropped_sync, run.touched);
      }
      run_block(block, shape.threads, random);
      for (std::uint32_t t = 0; t < shape.threads; ++t) traffic += fibers_[t]->context.traffic();
    }
    return traffic;
  }

  /// In a fiber: back to the host thread's stack, until the next round.
  void wait() override {
    running_->waits = true;
    switch_strand(running_->strand, main_);
    if (abandoning_) throw Abandoned{};
  }

 private:
  struct Fiber {
    Strand strand;
    std::unique_ptr<std::byte[]> stack;
    HostContext context;
    bool waits = false;
  };

#ifdef FIRBANK_ASAN
  static constexpr std::size_t kStackBytes = 256 * 1024;
#else
  static constexpr std::size_t kStackBytes = 64 * 1024;
#endif

  std::unique_ptr<Fiber> make_fiber() {
    auto fiber = std::make_unique<Fiber>();
    fiber->stack.reset(new std::byte[kStackBytes]);
    Strand& strand = fiber->strand;
    strand.bottom = fiber->stack.get();
    strand.bytes = kStackBytes;
    getcontext(&strand.context);
    strand.context.uc_stack.ss_sp = fiber->stack.get();
    strand.context.uc_stack.ss_size = kStackBytes;
    strand.context.uc_link = nullptr;
    makecontext(&strand.context, &FiberPool::enter, 0);
#ifdef FIRBANK_TSAN
    strand.tsan_fiber = __tsan_create_fiber(0);
#endif
    return fiber;
  }

  /// A fiber's life: one body after another.
  static void enter() {
    FiberPool& pool = of_this_thread();
#ifdef FIRBANK_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &pool.main_.bottom, &pool.main_.bytes);
#endif
    for (;;) {
      pool.run_body();
      switch_strand(pool.running_->strand, pool.main_);
    }
  }

  void run_body() {
    try {
      (*body_)(running_->context);
    } catch (const Abandoned&) {
    } catch (...) {
      if (thrown_ == nullptr) thrown_ = std::current_exception();
    }
  }

  /// Lets each fiber run to its next barrier or its end; returns how many wait.
  std::size_t run_round(std::uint32_t threads, Xoshiro256& random) {
    std::size_t waiting = 0;
    for (const std::uint32_t t : shuffled(threads, random)) {
      running_ = fibers_[t].get();
      running_->waits = false;
      switch_strand(main_, running_->strand);
      if (running_->waits) ++waiting;
    }
    return waiting;
  }

  void run_block(std::uint32_t block, std::uint32_t threads, Xoshiro256& random) {
    for (;;) {
      const std::size_t waiting = run_round(threads, random);
      if (waiting == 0 && thrown_ == nullptr) return;
      if (waiting == threads) continue;
      abandon(threads);
      if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
      throw uneven_barrier(block, waiting, threads);
    }
  }

  void abandon(std::uint32_t threads) {
    abandoning_ = true;
    for (std::uint32_t t = 0; t < threads; ++t) {
      running_ = fibers_[t].get();
      if (running_->waits) switch_strand(main_, running_->strand);
    }
    abandoning_ = false;
  }

  std::vector<std::unique_ptr<Fiber>> fibers_;
  Strand main_;
  Fiber* running_ = nullptr;
  const HostBody* body_ = nullptr;
  bool abandoning_ = false;
  std::exception_ptr thrown_;
};

// ---- Threads

/// What all groups of a grid share.
struct ThreadedGrid {
  ThreadedGrid(const cuda::LaunchShape& shape_in, const HostBody& body_in, const HostRun& run_in,
               std::vector<std::uint32_t> order_in)
      : shape(shape_in), body(body_in), run(run_in), order(std::move(order_in)) {}

  const cuda::LaunchShape& shape;
  const HostBody& body;
  const HostRun& run;
  std::vector<std::uint32_t> order;
  // Relaxed, so that it does not order one thread block after another.
  std::atomic<std::size_t> taken{0};
  std::mutex mutex;
  HostTraffic traffic;
  std::exception_ptr thrown;

  void fail(std::exception_ptr exception) {
    const std::lock_guard lock(mutex);
    if (thrown == nullptr) thrown = std::move(exception);
  }
};

/// As many host threads as a thread block has, which take one thread block after another. Threads
/// that have returned from their body go on coming to the barrier, which thereby notices others
/// that wait for them.
class ThreadGroup final : public HostBarrier {
 public:
  explicit ThreadGroup(ThreadedGrid& grid)
      : grid_(grid),
        shared_(grid.shape.shared_bytes),
        barrier_(grid.shape.threads, Completion{this}) {}

  void start() {
    take_block();
    for (std::uint32_t t = 0; t < grid_.shape.threads; ++t) {
      threads_.emplace_back([this, t] { live(t); });
    }
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
  }

  void wait() override {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    barrier_.arrive_and_wait();
    if (abandoning_) throw Abandoned{};
  }

 private:
  struct Completion {
    ThreadGroup* group;
    void operator()() noexcept { group->complete(); }
  };

  void live(std::uint32_t thread) {
    HostTraffic traffic;
    while (block_) {
      HostContext context(place_of(grid_.shape, *block_, thread), shared_.begin(), *this,
                          grid_.run.dropped_sync);
      try {
        grid_.body(context);
      } catch (const Abandoned&) {
      } catch (...) {
        grid_.fail(std::current_exception());
      }
      traffic += context.traffic();
      // The block that a returned thread reads is that of the barrier's last completion.
      do {
        barrier_.arrive_and_wait();
      } while (!block_over_);
    }
    const std::lock_guard lock(grid_.mutex);
    grid_.traffic += traffic;
  }

  /// All threads have come: from their barrier, from their end, or some from each.
  void complete() noexcept {
    const std::size_t waiting = waiting_.exchange(0, std::memory_order_relaxed);
    block_over_ = waiting == 0;
    abandoning_ = waiting > 0 && waiting < grid_.shape.threads;
    if (abandoning_) {
      grid_.fail(std::make_exception_ptr(uneven_barrier(*block_, waiting, grid_.shape.threads)));
    }
    if (block_over_) take_block();
  }

  void take_block() noexcept {
    const std::size_t number = grid_.taken.fetch_add(1, std::memory_order_relaxed);
    block_.reset();
    if (number >= grid_.order.size()) return;
    block_ = grid_.order[number];
    shared_.poison();
  }

  ThreadedGrid& grid_;
  SharedMemory shared_;
  std::atomic<std::size_t> waiting_{0};
  // Written between one phase of the barrier and the next, read after it.
  std::optional<std::uint32_t> block_;
  bool block_over_ = false;
  bool abandoning_ = false;
  std::barrier<Completion> barrier_;
  std::vector<std::thread> threads_;
};

HostTraffic run_on_threads(const cuda::LaunchShape& shape, const HostBody& body,
                           const HostRun& run) {
  Xoshiro256 random(run.seed);
  ThreadedGrid grid(shape, body, run, shuffled(shape.grid[0] * shape.grid[1], random));
  ThreadGroup first(grid), second(grid);
  first.start();
  second.start();
  first.join();
  second.join();
  if (grid.thrown != nullptr) std::rethrow_exception(grid.thrown);
  return grid.traffic;
}

}  // namespace

HostTraffic run_grid(const cuda::LaunchShape& shape, const HostBody& body, const HostRun& run) {
  return run.threads == HostRun::Threads::kFibers
             ? FiberPool::of_this_thread().run(shape, body, run)
             : run_on_threads(shape, body, run);
}

HostTraffic execute_kernel(const firbank_kernel_call& call, const HostRun& run) {
  const cuda::LaunchShape shape{
      {call.grid[0], call.grid[1], call.grid[2]}, call.threads, call.shared_bytes};
  const auto kernel = static_cast<cuda::Kernel>(call.kernel);
  return run_grid(
      shape,
      [&](HostContext& context) {
        if (call.real_bytes == sizeof(float)) {
          cuda::run_body<float>(kernel, context, call.params);
        } else {
          cuda::run_body<double>(kernel, context, call.params);
        }
      },
      run);
}

}  // namespace firbank::test
