// Pacer: lets a loop begin a turn every so often, as a stream in real time does.
//
// Between turns the thread sleeps, so that the device sees the same idle time as in use, and spins
// for the last stretch, so that the sleep's own lateness is not measured.
//
// Thread: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <thread>

namespace firbank::bench {

class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Pacer(double period_us)
      : period_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double, std::micro>(period_us))),
        next_(Clock::now() + period_) {}

  /// Returns when the next turn is due. After a turn that took longer than a period the turns that
  /// were missed are left out and counted.
  void wait() {
    const Clock::time_point now = Clock::now();
    while (next_ < now) {
      next_ += period_;
      ++missed_;
    }
    std::this_thread::sleep_until(next_ - kSpin);
    while (Clock::now() < next_) {
    }
    next_ += period_;
  }

  std::uint64_t missed() const { return missed_; }

 private:
  static constexpr std::chrono::microseconds kSpin{200};

  Clock::duration period_;
  Clock::time_point next_;
  std::uint64_t missed_ = 0;
};

inline double microseconds_since(Pacer::Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Pacer::Clock::now() - begin).count();
}

/// What all threads of the process have taken of processors.
inline double processor_us() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

}  // namespace firbank::bench
