// The highest point of a signal between its samples.
//
// N samples of a period, N odd, determine one function without frequencies above half of the
// sampling rate: x(t) = sum over n of x[n] D(t - n), with Dirichlet's kernel
// D(u) = sin(pi u) / (N sin(pi u / N)). No window and no parabola: the highest point of that
// function itself is sought, so that nothing depends on where it lies between two samples (Laakso,
// Valimaki, Karjalainen and Laine, "Splitting the unit delay", IEEE Signal Processing Magazine
// 13(1), 1996, for the band-limited ideal).
//
// Thread: any.  Realtime: no.
#pragma once

#include <span>

namespace firbank::program {

/// x(t); `t` in samples, any real number. Precondition: an odd number of samples.
double band_limited(std::span<const double> period, double t);

struct BandLimitedPeak {
  double position = 0;  // in samples, within one of the largest of them; may lie just below 0
  double value = 0;     // with its sign
};

/// Where |x(t)| is largest, next to the sample where it is. Precondition: an odd number of samples.
BandLimitedPeak band_limited_peak(std::span<const double> period);

}  // namespace firbank::program
