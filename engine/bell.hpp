// Bell: lets one thread sleep until another has done something. TimedBell: at most for a while.
//
// Whoever sleeps looks, after announcing that it will, whether there is still something to wait
// for; whoever rings does so after its deed. So no ring is missed, and ringing costs a system call
// only while somebody sleeps.
//
// Thread:   one sleeper; ring(): any.
// Realtime: ring() allocates nothing and takes no lock; one system call while the other sleeps.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include <semaphore.h>
#include <time.h>

namespace firbank {

class Bell {
 public:
  std::uint32_t rings() const noexcept { return rings_.load(); }
  void ring() noexcept {
    rings_.fetch_add(1);
    if (sleeping_.load()) rings_.notify_one();
  }
  /// Returns once there were more rings than `seen`.
  void sleep(std::uint32_t seen) noexcept {
    sleeping_.store(true);
    rings_.wait(seen);
    sleeping_.store(false);
  }

 private:
  std::atomic<std::uint32_t> rings_{0};
  std::atomic<bool> sleeping_{false};
};

class TimedBell {
 public:
  TimedBell() noexcept { sem_init(&posted_, 0, 0); }
  ~TimedBell() { sem_destroy(&posted_); }
  TimedBell(const TimedBell&) = delete;
  TimedBell& operator=(const TimedBell&) = delete;

  void ring() noexcept {
    // The deed, whatever order it was stored in, before the look at the sleeper.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load() && sleeping_.exchange(false)) sem_post(&posted_);
  }

  /// Whether `is_ready()` came true in time; it is asked after every ring.
  template <class Condition>
  bool sleep_until(std::chrono::steady_clock::time_point deadline, Condition is_ready) noexcept {
    const auto since_epoch = deadline.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    timespec at{};
    at.tv_sec = static_cast<time_t>(seconds.count());
    at.tv_nsec = static_cast<long>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch - seconds).count());
    while (true) {
      sleeping_.store(true);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      const bool ready = is_ready();
      bool in_time = true;
      if (!ready) {
        int status = 0;
        do {
          status = sem_clockwait(&posted_, CLOCK_MONOTONIC, &at);
        } while (status != 0 && errno == EINTR);
        if (status == 0) continue;
        in_time = false;
      }
      // Nobody has rung, or has posted, or is about to: that is waited for.
      if (!sleeping_.exchange(false)) {
        while (sem_wait(&posted_) != 0) {
        }
      }
      return in_time || is_ready();
    }
  }

 private:
  sem_t posted_;
  std::atomic<bool> sleeping_{false};
};

}  // namespace firbank
