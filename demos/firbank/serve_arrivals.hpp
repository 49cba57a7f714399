// ServeArrivals: when each packet came, for the latency of the events in it.
//
// Thread: add() and clear() one, of() another one.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>

namespace firbank::program {

class ServeArrivals {
 public:
  using Clock = std::chrono::steady_clock;

  /// The packet up to this frame comes now. Later ones end later.
  void add(std::int64_t end_frame) {
    const std::lock_guard lock(mutex_);
    arrivals_.push_back({end_frame, Clock::now()});
  }

  /// Of the packet that brought the frame before `end_frame`, or now; what came before is
  /// forgotten, as later questions are of later frames.
  Clock::time_point of(std::int64_t end_frame) {
    const std::lock_guard lock(mutex_);
    while (arrivals_.size() > 1 && arrivals_.front().end_frame < end_frame) arrivals_.pop_front();
    return arrivals_.empty() ? Clock::now() : arrivals_.front().when;
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    arrivals_.clear();
  }

 private:
  struct Arrival {
    std::int64_t end_frame;
    Clock::time_point when;
  };

  std::mutex mutex_;
  std::deque<Arrival> arrivals_;
};

}  // namespace firbank::program
