// A delay by any real number of frames: a sinc under Hann's window, 512 frames wide.
//
// Thread: any.  Realtime: no.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace firbank::program {

/// Frames on each side of an impulse that a delay of part of a frame spreads it over. What lies
/// nearer than that to the signal's beginning loses what would come before it.
inline constexpr std::size_t kDelaySpreadFrames = 256;

/// `signal`, `frames` frames later, as long as it was: what would come after its end is cut. Exact
/// for whole numbers of frames; otherwise the highest point of an impulse lies within 0.0012 frames
/// of where it should, since a window leaves the highest frequencies not quite alone, and within
/// 1e-6 where a low-pass comes behind. Precondition: 0 <= frames.
std::vector<double> delayed(std::span<const double> signal, double frames);

}  // namespace firbank::program
