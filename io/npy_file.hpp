// NumPy's .npy files: float32, float64 or int16 in C order, (frames,) or (frames, channels).
#pragma once

#include <memory>
#include <string>

#include "io/endpoint.hpp"
#include "io/input_file.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

/// A .npy file has no rate of its own. int16 is scaled by 1 / 32,768.
/// Throws: Error (kInput) naming the file, the value and what is allowed; more bytes than the
/// header claims are an error as well as fewer.
std::unique_ptr<Source> open_npy(InputFile file, double sample_rate_hz);

/// One channel gives shape (frames,), more give (frames, channels).
/// Throws: Error (kOutput); Error (kConfiguration) for an encoding other than int16, float32,
/// float64.
std::unique_ptr<Sink> create_npy(const std::string& path, std::size_t channels,
                                 SampleEncoding encoding, bool dither);

}  // namespace firbank
