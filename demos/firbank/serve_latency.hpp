// ServeLatency: how long it takes from the arrival of a packet to the delivery of its events: since
// the run began, and in the newest whole second.
//
// Thread: any; who delivers waits for a few sums, at most.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "engine/stats.hpp"

namespace firbank::program {

class ServeLatency {
 public:
  struct Reading {
    std::uint64_t events = 0;
    double mean_ns = 0;
    std::uint64_t median_ns = 0;
    std::uint64_t p99_ns = 0;
    std::uint64_t max_ns = 0;
  };

  /// So many events were delivered after this time.
  void record(std::uint64_t ns, std::size_t events) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < events; ++i) {
      all_.record(ns);
      this_second_.record(ns);
    }
  }

  Reading all() const {
    const std::lock_guard lock(mutex_);
    return read(all_);
  }

  /// Of the newest second that is over; of nothing, where no events came in it.
  Reading recent() {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (now >= second_ends_) {
      newest_second_ = read(this_second_);
      this_second_ = {};
      second_ends_ = now + std::chrono::seconds(1);
    }
    return newest_second_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static Reading read(const DurationHistogram& times) {
    return {times.count(), times.mean_ns(), times.quantile_ns(0.5), times.quantile_ns(0.99),
            times.max_ns()};
  }

  mutable std::mutex mutex_;
  DurationHistogram all_;
  DurationHistogram this_second_;
  Clock::time_point second_ends_ = Clock::now() + std::chrono::seconds(1);
  Reading newest_second_;
};

}  // namespace firbank::program
