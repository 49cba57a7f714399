#include "engine/stats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace firbank {

// Durations below kSubBuckets have a bucket each; from there on, an octave [2^e, 2^(e+1)) is cut in
// kSubBuckets equal parts, told apart by the bits below the leading one.
std::size_t DurationHistogram::bucket_of(std::uint64_t ns) noexcept {
  constexpr int kSubBits = std::countr_zero(static_cast<unsigned>(kSubBuckets));
  if (ns < kSubBuckets) return static_cast<std::size_t>(ns);
  const int octave = static_cast<int>(std::bit_width(ns)) - 1 - kSubBits;
  if (octave >= kOctaves) return std::size_t{kSubBuckets} * (kOctaves + 1) - 1;
  const std::uint64_t leading_bits = ns >> octave;
  return static_cast<std::size_t>(octave) * kSubBuckets + static_cast<std::size_t>(leading_bits);
}

std::uint64_t DurationHistogram::upper_bound_ns(std::size_t bucket) noexcept {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t octave = bucket / kSubBuckets - 1;
  const std::uint64_t leading_bits = bucket % kSubBuckets + kSubBuckets;
  return ((leading_bits + 1) << octave) - 1;
}

void DurationHistogram::record(std::uint64_t ns) noexcept {
  ++buckets_[bucket_of(ns)];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ns_ = std::max(max_ns_, ns);
}

double DurationHistogram::mean_ns() const noexcept {
  return count_ == 0 ? 0.0 : sum_ns_ / static_cast<double>(count_);
}

std::uint64_t DurationHistogram::quantile_ns(double fraction) const noexcept {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket + 1 < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(upper_bound_ns(bucket), max_ns_);
  }
  return max_ns_;  // the last bucket holds everything that is too long for the others
}

}  // namespace firbank
