// A plain discrete Fourier transform in double precision, for set-up code: the engine's own
// transforms have no bins, and this one needs no speed.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace firbank {

/// In place: values[k] becomes sum over n of values[n] exp(-2 pi j k n / N), or with + when
/// `inverse`, without any scaling. N = values.size() has to be a power of two. Any thread.
void fourier_transform(std::vector<std::complex<double>>& values, bool inverse = false);

}  // namespace firbank
