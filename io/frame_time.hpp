// Arithmetic on indices and times of frames that senders made up: what would not fit into 64 bits
// stays at their end.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace firbank {

constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

/// When a frame was captured that comes `frames` (of a gap: less than 0) behind one of
/// `timestamp_ns`; 0, unknown, stays so.
inline std::int64_t time_after(std::int64_t timestamp_ns, std::int64_t frames,
                               double sample_rate_hz) noexcept {
  if (timestamp_ns == 0) return 0;
  constexpr double kMostNs = 9.2e18;  // fits
  const double ns = static_cast<double>(frames) * 1e9 / sample_rate_hz;
  const double bounded = ns > kMostNs ? kMostNs : ns < -kMostNs ? -kMostNs : ns;
  return saturating_sum(timestamp_ns, std::llround(bounded));
}

}  // namespace firbank
