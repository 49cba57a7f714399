// Confidence intervals of ratios by the bootstrap: what was measured is drawn again and again, with
// replacement, and the spread of what follows from it is the uncertainty.
//
// Percentile intervals: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <span>

namespace firbank::program {

struct RatioInterval {
  double ratio = 1;
  double low = 1;  // of the interval that holds it with the confidence asked for
  double high = 1;
};

struct BootstrapSettings {
  double confidence = 0.99;  // above 0, below 1
  std::size_t draws = 10'000;
  std::uint64_t seed = 1;
};

/// The mean of ln(b / a) of rounds in which both were measured one after the other, without the
/// fifth of them at each end, as a ratio. Both hold as many values, above 0, at least one.
RatioInterval paired_ratio(std::span<const double> a, std::span<const double> b,
                           const BootstrapSettings& settings);

/// The median of `b` over that of `a`, which were measured apart. Values above 0, at least one
/// each.
RatioInterval unpaired_ratio(std::span<const double> a, std::span<const double> b,
                             const BootstrapSettings& settings);

}  // namespace firbank::program
