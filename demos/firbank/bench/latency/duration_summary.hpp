// DurationSummary: many durations as a histogram, and the quantiles that there are enough of them
// for.
//
// Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/stats.hpp"

namespace firbank::program {

/// The quantiles of every table and report.
struct NamedQuantile {
  const char* name;     // in tables
  const char* key;      // in JSON
  double fraction;      // 0 to 1
  std::uint64_t least;  // durations that it takes: ten of them lie above it
};
inline constexpr std::array<NamedQuantile, 5> kQuantiles = {
    {{"p50", "p50_ns", 0.5, 20},
     {"p90", "p90_ns", 0.9, 100},
     {"p99", "p99_ns", 0.99, 1'000},
     {"p99.9", "p99_9_ns", 0.999, 10'000},
     {"p99.99", "p99_99_ns", 0.9999, 100'000}}};

class DurationSummary {
 public:
  void record(std::uint64_t ns) noexcept { histogram_.record(ns); }

  const DurationHistogram& histogram() const noexcept { return histogram_; }
  std::uint64_t count() const noexcept { return histogram_.count(); }

  /// Nothing where fewer durations than it takes were recorded.
  std::optional<std::uint64_t> at(const NamedQuantile& quantile) const noexcept {
    if (count() < quantile.least) return std::nullopt;
    return histogram_.quantile_ns(quantile.fraction);
  }

 private:
  DurationHistogram histogram_;
};

}  // namespace firbank::program
