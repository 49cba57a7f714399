#include "engine/load_meter.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

void LoadMeter::record(std::int64_t took_ns, double lasts_ns) noexcept {
  const double load = static_cast<double>(took_ns) / lasts_ns;
  const auto bucket =
      static_cast<std::size_t>(std::clamp(load * 100, 0.0, static_cast<double>(kBuckets - 1)));
  buckets_[bucket].store(buckets_[bucket].load(kRelaxed) + 1, kRelaxed);
  const double recent = recent_.load(kRelaxed);
  recent_.store(recent + (load - recent) / 30, kRelaxed);
  sum_.store(sum_.load(kRelaxed) + load, kRelaxed);
  if (load > largest_.load(kRelaxed)) largest_.store(load, kRelaxed);
  if (took_ns > largest_ns_.load(kRelaxed)) largest_ns_.store(took_ns, kRelaxed);
  if (load > 1) late_.store(late_.load(kRelaxed) + 1, kRelaxed);
}

LoadMeter::Histogram LoadMeter::histogram() const noexcept {
  Histogram counts;
  for (std::size_t i = 0; i < kBuckets; ++i) counts[i] = buckets_[i].load(kRelaxed);
  return counts;
}

LoadMeter::Reading LoadMeter::reading() const noexcept {
  const Histogram counts = histogram();
  Reading reading;
  for (const std::uint64_t count : counts) reading.calls += count;
  reading.late_calls = late_.load(kRelaxed);
  reading.recent = recent_.load(kRelaxed);
  reading.largest = largest_.load(kRelaxed);
  reading.largest_ns = largest_ns_.load(kRelaxed);
  if (reading.calls == 0) return reading;

  reading.mean = sum_.load(kRelaxed) / static_cast<double>(reading.calls);
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(0.99 * static_cast<double>(reading.calls)));
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && seen + counts[bucket] < wanted) seen += counts[bucket++];
  const bool is_last = bucket + 1 == kBuckets;
  const double bound = is_last ? reading.largest : static_cast<double>(bucket + 1) / 100;
  reading.p99 = std::min(bound, reading.largest);
  return reading;
}

}  // namespace firbank
