// CostModel: what operations cost on one core, in nanoseconds. Only ratios matter, and only for the
// choice of a plan; the defaults are those of a processor with AVX-512.
#pragma once

#include <array>
#include <cstddef>

namespace firbank {

/// Every cost is one of these, or between.
inline constexpr double kLeastCostNs = 1e-9;
inline constexpr double kMostCostNs = 1e18;

struct CostModel {
  /// A transform, forward or inverse, of 2^(4 + k) real samples.
  std::array<double, 13> transform_ns = {12,  12,  14,    20,    36,    75,    165,
                                         350, 770, 1'650, 3'600, 7'700, 16'500};

  /// A complex product of spectra that were last read kFirstSweepBytes x 4^k bytes of other spectra
  /// ago.
  static constexpr std::size_t kFirstSweepBytes = std::size_t{1} << 16;
  std::array<double, 6> product_ns = {0.055, 0.08, 0.11, 0.16, 0.20, 0.36};

  /// Visiting one edge's spectra, besides its products.
  double edge_ns = 2;

  /// Beginning and ending the sum of 64 bins of one output.
  double sum_ns = 10;

  /// Taking up one slice of a level that is computed in slices; on a device also every piece.
  double slice_ns = 40;

  /// One frame that a level adds to an output.
  double add_ns = 0.1;

  /// A product of direct form, where frames fill whole vectors; and one frame of one edge where
  /// they do not.
  double direct_product_ns = 0.012;
  double direct_frame_ns = 3;

  double transform(std::size_t transform_frames) const;
  double product(double bytes) const;
  /// Both products of a spectrum that is read for two successive blocks at once.
  double pair(double bytes) const;
};

/// The defaults of a GPU: all of it at work, where sizes allow. They follow from the bandwidths of
/// an H200 (4.3 TB/s of memory, of which transforms and products are taken to reach 70% and 85%;
/// twice that of its cache), from half of its 33.5 x 10^12 fused multiply-additions a second for
/// products of direct form, whose taps and samples are read as spectra are, and from 5 us for the
/// kernels of a piece, and for those that a later level adds to it. Not measured yet.
CostModel device_costs();

/// What one kernel costs that takes a window, transforms it, meets responses and stores frames
/// (plan_memory.hpp, is_fused()): the slowest of what it asks of memory, of the cache and of the
/// arithmetic units, all of which work at once. Computed like device_costs(), with transforms taken
/// to reach 40% of an H200's 67 TFLOP/s. Not measured yet.
struct FusedCosts {
  double byte_ns = 1 / (0.85 * 4.3e3);
  double cached_byte_ns = 1 / (0.85 * 8.6e3);
  double flop_ns = 1 / (0.4 * 67e3);
};

}  // namespace firbank
