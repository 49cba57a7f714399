// Generated test signals as sources: impulse, sine, logarithmic sweep, white noise.
//
// A sample depends on its frame, its channel and the settings alone, never on how the stream is cut
// into blocks. Noise is the same on every machine, bit for bit; the others are as exact as the
// machine's sine. The stream is `format.frames` long, or endless.
//
// Thread: one at a time.  Realtime: read() is safe.
// Throws: every function: Error (kConfiguration) naming the field, its value and what is allowed.
#pragma once

#include <cstdint>
#include <memory>

#include "io/endpoint.hpp"

namespace firbank {

/// `amplitude` in frame `at_frame` (0 or later) of every channel, silence elsewhere.
std::unique_ptr<Source> make_impulse(const StreamFormat& format, std::int64_t at_frame = 0,
                                     double amplitude = 1.0);

/// amplitude * sin(2 pi frequency n / rate + phase) in every channel; `frequency_hz` is between 0
/// and half the rate, `phase_radians` any finite number.
std::unique_ptr<Source> make_sine(const StreamFormat& format, double frequency_hz,
                                  double amplitude = 1.0, double phase_radians = 0.0);

/// A sine whose frequency grows exponentially from `from_hz` to `to_hz` in `sweep_frames` frames,
/// the same in every channel, then silence: sin(2 pi f1 L (exp(t / L) - 1)), L = T / ln(f2 / f1)
/// (Farina, AES Convention 108, 2000, preprint 5093). 0 < from_hz < to_hz <= half the rate.
std::unique_ptr<Source> make_sweep(const StreamFormat& format, double from_hz, double to_hz,
                                   std::int64_t sweep_frames, double amplitude = 1.0);

enum class NoiseShape {
  kUniform,   // between -amplitude and amplitude
  kGaussian,  // amplitude is the standard deviation; not limited
};

/// White noise, independent from channel to channel.
std::unique_ptr<Source> make_noise(const StreamFormat& format, NoiseShape shape, std::uint64_t seed,
                                   double amplitude = 1.0);

}  // namespace firbank
