// How late a filter's answer is, so that an output sample can be given the time of what caused it.
// Set-up code.
#pragma once

#include <cstddef>
#include <span>

#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"
#include "kernels/backend.hpp"

namespace firbank {

struct GroupDelay {
  double frames = 0;
  bool is_constant = true;  // the same at every frequency
};

/// Of taps that are symmetric or antisymmetric, to 1e-9 of the largest, leading and trailing zeros
/// apart: their middle, which is the delay at every frequency. Of others the mean over frequency,
/// weighted by the power that passes there: sum(k h[k]^2) / sum(h[k]^2), since the group delay
/// times |H|^2 is Re(conj(H) F{k h[k]}), and Parseval's theorem turns its mean into a sum of taps
/// (Oppenheim and Schafer, Discrete-Time Signal Processing, tables of DTFT theorems). 0 of zeros.
GroupDelay group_delay(std::span<const double> taps);

/// Of an output, the delays of its edges included: the edges from one input are one response; where
/// those of all inputs have the same constant delay it is that, and otherwise the mean of them,
/// weighted by their power. What hears nothing does not count; 0 of an output that hears nothing.
GroupDelay group_delay(const FilterBank& bank, const Routing& routing, std::size_t output);

/// Taps [first, last) outside of which no edge's response, its delay included, has more than a
/// thousandth of its energy. Of a bank of zeros: {0, 0}.
IndexRange core_taps(const FilterBank& bank, const Routing& routing);

}  // namespace firbank
