// How the program words numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace firbank::program {

/// "1 filter", "2 filters".
std::string counted(std::uint64_t count, std::string_view thing);

/// "20.8 us", "5.33 ms", "1.43 s", "2 min 03 s".
std::string duration(double seconds);

/// "-6.02 dBFS" for 0.5; "silent" for 0.
std::string dbfs(double amplitude);

/// "12.4 MiB".
std::string bytes(double count);

/// "1.25 thousand", "72.2 million", "3.1 billion".
std::string large(double count);

/// `path`, or "standard input" or "standard output" for "-".
/// Fit for one line, whatever characters the name has.
std::string input_name(const std::string& path);
std::string output_name(const std::string& path);

/// "2 channels, 48000 Hz, 68545 frames (1.43 s)".
std::string stream(std::uint64_t channels, double sample_rate_hz, std::int64_t frames);

/// "frame 120 (2.5 ms)".
std::string position(std::int64_t frame, double sample_rate_hz);

/// "the input ends inside frame 100 (2.08 ms), of which 3 bytes were dropped".
std::string incomplete_frame(std::uint64_t bytes, std::int64_t frame, double sample_rate_hz);

}  // namespace firbank::program
