// What an engine counted, and a histogram of durations with a stated error.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace firbank {

/// A snapshot; every count is since construction. Positions are frames of the stream, kNone when
/// there was none (frames may be negative).
struct Stats {
  static constexpr std::int64_t kNone = INT64_MIN;

  std::int64_t frames = 0;          // frames processed, filled gaps included
  std::uint64_t calls = 0;          // calls of process, or blocks of the pipeline thread
  std::int64_t spoiled_frames = 0;  // frames with a NaN in at least one output
  std::int64_t first_spoiled_frame = kNone;
  std::uint64_t gaps = 0;       // jumps ahead in first_frame
  std::int64_t gap_frames = 0;  // frames missing in them
  std::int64_t first_gap_frame = kNone;
  std::uint64_t backward_jumps = 0;  // pushes that were refused, as their frames had come already
  std::int64_t first_backward_frame = kNone;
  std::uint64_t swaps = 0;               // banks that went live
  std::int64_t fail_over_frame = kNone;  // from which the CPU answers in place of a lost device
  std::int64_t lost_frames = 0;  // silent, as the backend failed, or what took its place was late
  std::int64_t first_lost_frame = kNone;
  std::int64_t truncated_frames = 0;  // by the CPU with filters cut to truncated_taps
  std::size_t truncated_taps = 0;     // 0: none
  std::int64_t late_frames = 0;       // without the filters' tail, as the device answered too late
  std::int64_t first_late_frame = kNone;
};

/// Counts durations from 1 ns to about 18 minutes in logarithmic buckets, 256 to an octave: a
/// quantile is at most 0.4 % above the true one. Fixed size; recording never allocates.
///
/// Thread:   one at a time.
/// Realtime: record() is safe.
class DurationHistogram {
 public:
  void record(std::uint64_t ns) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  double mean_ns() const noexcept;
  std::uint64_t max_ns() const noexcept { return max_ns_; }

  /// Smallest bucket bound that at least `fraction` (0 to 1) of the durations do not exceed, and
  /// never more than max_ns(); 0 when nothing was recorded.
  std::uint64_t quantile_ns(double fraction) const noexcept;

  /// The largest relative error of a quantile.
  static constexpr double kError = 1.0 / 256;

  /// Calls visit(upper_ns, count) for each bucket that is not empty, the shortest durations first.
  /// The last bucket's bound is max_ns().
  template <class Visit>
  void visit_buckets(Visit&& visit) const {
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      if (buckets_[bucket] == 0) continue;
      const bool is_last = bucket + 1 == buckets_.size();
      visit(is_last ? max_ns_ : std::min(upper_bound_ns(bucket), max_ns_), buckets_[bucket]);
    }
  }

 private:
  static constexpr std::size_t kSubBuckets = 256;  // in an octave
  static constexpr int kOctaves = 32;              // 2^40 ns is 18 minutes
  static std::size_t bucket_of(std::uint64_t ns) noexcept;
  static std::uint64_t upper_bound_ns(std::size_t bucket) noexcept;

  std::array<std::uint64_t, kSubBuckets*(kOctaves + 1)> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace firbank
