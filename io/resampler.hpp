// Resampling of whole signals, such as impulse responses, through soxr at its highest quality.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace firbank {

/// Of the low-pass filter that resampling is.
enum class ResamplerPhase {
  kLinear,   // delays nothing, but rings before a signal that begins at once
  kMinimum,  // rings behind it only
};

/// What holds less than this part of a signal's energy (-90 dB) is left away.
inline constexpr double kNegligibleEnergy = 1e-9;

struct Resampled {
  std::vector<double> samples;
  std::size_t delay_frames = 0;  // that minimum phase needs to begin at frame 0
  double cut_energy = 0;         // part of the whole that lay before frame 0, and is cut
};

/// `in` at `from_hz` as it would have been sampled at `to_hz`: frame 0 becomes `delay_frames`, the
/// amplitude is not scaled. Band-limited to the lower of the two Nyquist frequencies. There are
/// ceil(in.size() * to_hz / from_hz) samples, and more when what rings on is not negligible.
/// Throws: Error (kConfiguration) for a rate that is not above 0.
Resampled resample(std::span<const double> in, double from_hz, double to_hz,
                   ResamplerPhase phase = ResamplerPhase::kLinear);

/// Whether the magnitude is as exact with minimum phase as with linear phase: up to 24 times
/// `from_hz`.
bool has_minimum_phase(double from_hz, double to_hz) noexcept;

}  // namespace firbank
