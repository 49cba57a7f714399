// TransformPlan: passes and twiddles of the right-angle real transform, for one size and one
// vector width.
//
// The transform evaluates z(t) = sum_n (older[n] + i newer[n]) t^n modulo t^M - i, where M is half
// the real size: the values of z at the M roots t^M = i. A pass of radix R splits a remainder
// modulo t^len - exp(2 pi i theta) into R remainders modulo t^(len/R) - exp(2 pi i theta_k), with
// theta_k = (theta + k) / R, after twisting part j by exp(2 pi i j theta / R). theta starts at 1/4.
// Vertical passes work on whole vectors of `lanes` consecutive points; what remains inside a
// vector, of length `lanes`, is split by the tail: first across its 128-bit blocks, then
// across the lanes of a block, each after a transposition of neighbouring vectors.
//
// The passes are cut into steps that cost about the same: the transform is all of them in order,
// the inverse all of them in reverse, and either may rest between any two. Sub-blocks that fit the
// first-level cache are finished before the next is begun.
//
// Immutable after construction; shared by all threads.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/aligned_vector.hpp"

namespace firbank {

/// What an instruction set wants of a plan.
struct TransformTraits {
  std::size_t lanes = 1;            // samples in its widest vector
  std::size_t max_radix = 2;        // 2 (plain), 4 or 8
  std::size_t lanes_per_block = 1;  // samples in 128 bits; 1 when there is no tail
};

template <class Sample>
struct TransformPlan {
  static constexpr std::size_t kMaxPasses = 16;

  struct Pass {
    std::size_t radix = 0;
    std::size_t stride = 0;         // vectors between the parts that a butterfly joins
    std::size_t blocks = 0;         // sub-blocks: of radix * stride vectors each
    AlignedVector<Sample> twiddle;  // [sub-block][radix - 1] {re, im}
  };

  /// Part of one pass: of some of its sub-blocks, some columns.
  struct Step {
    std::size_t pass = 0;
    std::size_t first_block = 0;
    std::size_t blocks = 0;
    std::size_t first_column = 0;  // of a sub-block's `stride` columns, each of `radix` vectors
    std::size_t last_column = 0;
  };

  /// `points` is M: a power of two, 8 to 32,768.
  TransformPlan(std::size_t points, const TransformTraits& traits);

  std::size_t points = 0;       // M
  std::size_t lanes = 1;        // of the vectors that the passes use; at most plane_lanes
  std::size_t plane_lanes = 1;  // a spectrum alternates this many real and imaginary parts
  std::size_t vectors = 0;      // M / lanes
  std::size_t block_radix = 1;  // tail across 128-bit blocks: 1, 2 or 4
  std::size_t lane_radix = 1;   // tail inside a block: 1, 2 or 4
  std::size_t group = 1;        // vectors that the tail treats together
  std::size_t pass_count = 0;
  Pass passes[kMaxPasses];
  std::vector<Step> steps;
  bool whole_passes = false;   // each step is one whole pass
  AlignedVector<Sample> tail;  // [group][block step, lane step] {re vector, im vector}

  /// Spectra are stored in chunks of this many samples: up to four {re, im} pairs of planes.
  std::size_t chunk_samples() const noexcept;
  std::size_t chunks() const noexcept { return 2 * points / chunk_samples(); }
};

extern template struct TransformPlan<float>;
extern template struct TransformPlan<double>;

}  // namespace firbank
