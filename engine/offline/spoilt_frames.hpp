// A direct form whose inputs are not all finite: what they spoil is looked for apart from the sums,
// which an infinity would make infinite rather than NaN.
//
// Thread:   any.
// Realtime: safe.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/cpu/checked_copy.hpp"

namespace firbank {

template <class Sample>
bool is_finite(Sample sample) noexcept {
  return std::abs(sample) <= std::numeric_limits<Sample>::max();
}

/// The copy that a direct form reads: `lead` frames, then the tile. A NaN or an infinity in it is
/// seen on the way.
template <class Sample>
bool copy_checked(const CheckedCopy<Sample>& copy, const Sample* from, Sample* to,
                  std::size_t frames) noexcept {
  return copy.run(from, to, frames, std::numeric_limits<Sample>::infinity(), false);
}

/// Makes those of out[0..frames) NaN that hear a sample of newest[1 - taps..frames) that is not
/// finite.
template <class Sample>
void spoil(const Sample* newest, std::size_t taps, Sample* out, std::size_t frames) noexcept {
  std::size_t heard_until = 0;  // by which frames the last bad sample is heard
  for (std::size_t k = 1; k < taps; ++k) {
    if (!is_finite(*(newest - static_cast<std::ptrdiff_t>(taps - k)))) heard_until = k;
  }
  for (std::size_t n = 0; n < frames; ++n) {
    if (!is_finite(newest[n])) heard_until = n + taps;
    if (n < heard_until) out[n] = std::numeric_limits<Sample>::quiet_NaN();
  }
}

}  // namespace firbank
