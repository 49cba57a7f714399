// Resampling of whole signals, such as impulse responses, through soxr at its highest quality.
#pragma once

#include <span>
#include <vector>

namespace firbank {

/// `in` at `from_hz` as it would have been sampled at `to_hz`: frame 0 stays where it was, the
/// length is ceil(in.size() * to_hz / from_hz), the amplitude is not scaled. Band-limited to the
/// lower of the two Nyquist frequencies.
/// Throws: Error (kConfiguration) for a rate that is not above 0.
std::vector<double> resample(std::span<const double> in, double from_hz, double to_hz);

}  // namespace firbank
