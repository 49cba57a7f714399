// FIR filters with the magnitude of an Equaliser.
//
// Minimum phase comes from the real cepstrum: folded onto positive times it is that of the filter
// with the same magnitude whose energy comes first (A. V. Oppenheim, R. W. Schafer, "Discrete-Time
// Signal Processing", on the Hilbert transform of the log magnitude). Zeros at 0 Hz, where the
// logarithm has no value, are taken out before and put back as factors 1 - 1/z, so that a high
// pass is as exact, relative to itself, far below its edge as above it. Above 0.45 of the rate the
// curve is flattened towards the Nyquist frequency, for a kink there would make filters long.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/config/equaliser.hpp"

namespace firbank {

/// Between which frequencies a design is held to its curve, and how closely.
inline constexpr double kDesignLeastHz = 20;
inline constexpr double kDesignMostOfRate = 0.45;
inline constexpr double kDesignToleranceDb = 0.1;

inline constexpr std::size_t kLeastDesignTaps = 16;
inline constexpr std::size_t kMostDesignTaps = std::size_t{1} << 19;
inline constexpr std::size_t kMostAutomaticTaps = std::size_t{1} << 18;

struct DesignedFilter {
  std::vector<double> taps;  // linear phase: an odd number, the middle one is the centre
  double worst_error_db = 0;
  double worst_error_hz = 0;
  bool within_tolerance() const { return worst_error_db <= kDesignToleranceDb; }
};

/// A filter of at most `equaliser.taps` taps or, where that is 0, of the least power of two that is
/// within the tolerance, 1,024 to kMostAutomaticTaps. The worst error is measured on the filter
/// as it is, at 8 frequencies for each 1 / (taps / rate) Hz, where a curve has corners, and in the
/// middle of each band. Any thread; takes milliseconds to
/// seconds. Throws: Error (kConfiguration) when the number of taps is none from kLeastDesignTaps
/// to kMostDesignTaps, or the rate is not above 2 x kDesignLeastHz.
DesignedFilter design_filter(const Equaliser& equaliser, double sample_rate_hz);

}  // namespace firbank
