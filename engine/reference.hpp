// The oracle: a double-precision direct convolution, which everything else is compared with.
//
// Written for plainness: no transforms, no blocks, no state. Not for real-time threads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank {

/// A planar signal in double precision: signal[channel][frame]. All channels are equally long.
using Signal = std::vector<std::vector<double>>;

/// out[o][n] = sum over the edges of o of gain * sum_k taps[k] * in[i][n - delay - k], for n from 0
/// to `frames` - 1; input beyond its end, and before frame 0, is zero. Each sum runs over at least
/// 64 partial sums, so that its own error stays far below what it judges. A frame that a
/// non-finite input sample reaches through any tap, zero or not, is NaN.
Signal direct_convolution(const Signal& in, const FilterBank& bank, const Routing& routing,
                          std::size_t frames);

/// sqrt(sum (a - b)^2 / sum b^2) over one channel; frames where b is NaN must be NaN in a and are
/// left out, otherwise the result is infinite. 0 when both are all zero.
double relative_error(std::span<const double> a, std::span<const double> b);

/// The worst relative_error over the channels.
double relative_error(const Signal& a, const Signal& b);

}  // namespace firbank
