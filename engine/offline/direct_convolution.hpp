// One channel by one kernel in the direct form: for what is done before a plan is made.
//
// Thread:   any. It computes in the caller's, which keeps what it works with.
// Realtime: no: it may allocate.
#pragma once

#include <cstddef>

namespace firbank {

/// Both contiguous, of a sample or more: out[n] = frame first + n of the full convolution of
/// in[0..length) and taps[0..count), n below `frames`. Throws: std::bad_alloc.
template <class Sample>
void convolve_directly(const Sample* in, std::size_t length, const Sample* taps, std::size_t count,
                       std::size_t first, Sample* out, std::size_t frames);

}  // namespace firbank
