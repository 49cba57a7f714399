// LoadMeter: how much of its time each call took, counted so that any thread may look.
//
// The load of a call is the time it took over the time its frames last: its deadline. From 1 on the
// call was late.
//
// Thread:   record(): one real-time thread. The rest: any, without a lock.
// Realtime: safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace firbank {

class LoadMeter {
 public:
  /// Counts of loads in steps of 1 %: [i] counts those from i % to below i + 1 %, the last one all
  /// from there on.
  static constexpr std::size_t kBuckets = 201;
  using Histogram = std::array<std::uint64_t, kBuckets>;

  struct Reading {
    std::uint64_t calls = 0;
    std::uint64_t late_calls = 0;
    double recent = 0;  // over about the last 30 calls
    double mean = 0;
    double p99 = 0;  // to the next 1 %, and never above the largest
    double largest = 0;
    std::int64_t largest_ns = 0;  // the longest time that a call took
  };

  /// `lasts_ns`, above 0, is what the frames of the call last.
  void record(std::int64_t took_ns, double lasts_ns) noexcept;

  Histogram histogram() const noexcept;
  Reading reading() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<double> recent_{0};
  std::atomic<double> sum_{0};
  std::atomic<double> largest_{0};
  std::atomic<std::int64_t> largest_ns_{0};
  std::atomic<std::uint64_t> late_{0};
};

}  // namespace firbank
