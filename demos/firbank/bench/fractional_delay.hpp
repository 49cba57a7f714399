// A delay by any real number of frames: a sinc under Blackman's window, 64 frames wide.
//
// Thread: any.  Realtime: no.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace firbank::program {

/// Frames on each side of an impulse that a delay of part of a frame spreads it over. What lies
/// nearer than that to the signal's beginning loses what would come before it.
inline constexpr std::size_t kDelaySpreadFrames = 32;

/// `signal`, `frames` frames later, as long as it was: what would come after its end is cut. Flat
/// to 0.001 dB up to 0.9 of half the sampling rate; exact for whole numbers of frames.
/// Precondition: 0 <= frames.
std::vector<double> delayed(std::span<const double> signal, double frames);

}  // namespace firbank::program
