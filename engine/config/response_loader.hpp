// The taps of every filter of a RunConfig: files are read, cut and resampled, curves designed,
// stages convolved with each other.
//
// For set-up: reads files and allocates. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/config/run_config.hpp"

namespace firbank {

struct ResponseOptions {
  double sample_rate_hz = 48'000;

  /// Told, one line each: what was resampled, what begins with silence and whether that was left
  /// out, which curve its filter is too short for, and what was cut.
  std::function<void(const std::string& line)> notice = {};
};

/// Samples below this part of a response's peak (-60 dB), before the first that is not, are leading
/// silence.
inline constexpr double kSilence = 1e-3;

/// Frames at the rate of the stream.
std::size_t delay_frames(const Delay& delay, double sample_rate_hz);

/// The taps of those filters that `wanted` marks, gain and delay included, at
/// options.sample_rate_hz; the others are left empty. Throws: Error naming the file, the filter or
/// the value.
std::vector<std::vector<double>> load_responses(const RunConfig& config,
                                                const std::vector<bool>& wanted,
                                                const ResponseOptions& options);

}  // namespace firbank
