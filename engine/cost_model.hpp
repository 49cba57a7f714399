// CostModel: what operations cost on one core, in nanoseconds. Only ratios matter, and only for the
// choice of a plan; the defaults are those of a processor with AVX-512.
#pragma once

#include <array>
#include <cstddef>

namespace firbank {

struct CostModel {
  /// A transform, forward or inverse, of 2^(4 + k) real samples.
  std::array<double, 13> transform_ns = {20,  25,    36,    50,    80,     165,   340,
                                         720, 1'600, 3'600, 7'900, 17'500, 39'000};

  /// A complex product of spectra that were last read 2^(18 + 2k) bytes of other spectra ago.
  std::array<double, 5> product_ns = {0.070, 0.095, 0.15, 0.20, 0.36};

  /// Visiting one edge's spectra, besides its products.
  double edge_ns = 3;

  /// Taking up one slice of a level that is computed in slices.
  double slice_ns = 40;

  /// One frame that a level adds to an output.
  double add_ns = 0.1;

  /// A product of direct form, where frames fill whole vectors; and one frame of one edge where
  /// they do not.
  double direct_product_ns = 0.025;
  double direct_frame_ns = 8;

  double transform(std::size_t transform_frames) const;
  double product(double bytes) const;
};

}  // namespace firbank
