// A maximum-length sequence: a test signal of two values, with a flat spectrum and the least peak
// that its energy can have, of which the periodic autocorrelation is an impulse. What comes back of
// it, correlated with it, is therefore the impulse response of the way that it went.
//
// A shift register of `order` bits whose feedback is a primitive polynomial runs through all of its
// states but zero, N = 2^order - 1 of them, and then begins anew. Its output has one 1 more than it
// has 0s, and the sum over a period of its product with itself, moved, is N for no move and -1 for
// every other (Golomb, "Shift Register Sequences", Holden-Day 1967; for measurements, Rife and
// Vanderkooy, J. Audio Eng. Soc. 37 (1989) 419-444).
#pragma once

#include <cstddef>
#include <vector>

namespace firbank::program {

inline constexpr std::size_t kLeastSequenceOrder = 10;
inline constexpr std::size_t kMostSequenceOrder = 18;

/// Frames of one period.
constexpr std::size_t sequence_frames(std::size_t order) noexcept {
  return (std::size_t{1} << order) - 1;
}

/// One period of +1 (a 0 of the register) and -1, which adds up to -1. The register begins with 1.
/// Throws: Error (kConfiguration) for an order that is not kLeastSequenceOrder to
///         kMostSequenceOrder.
/// Thread: any.
std::vector<double> maximum_length_sequence(std::size_t order);

}  // namespace firbank::program
