// Files that the program is given and that it wrote, and signals to put in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/reference.hpp"
#include "io/files.hpp"

namespace firbank::test {

/// White noise within +-`amplitude`, representable in float.
Signal noise(std::size_t channels, std::size_t frames, std::uint64_t seed, double amplitude = 1.0);

/// One noise filter for each length, scaled so that an output stays within +-1 or so.
std::vector<std::vector<double>> noise_filters(const std::vector<std::size_t>& lengths,
                                               std::uint64_t seed);

/// Writes a file whose kind the extension tells.
void write_signal(const std::string& path, const Signal& signal, double sample_rate_hz = 48'000,
                  SampleEncoding encoding = SampleEncoding::kFloat32);

/// One number a line.
void write_text_filter(const std::string& path, const std::vector<double>& taps);

/// Filter i as `filter<i>.txt` in a folder; "--filter", path, "--filter", path, ...
std::vector<std::string> filter_arguments(const std::string& folder_file_prefix,
                                          const std::vector<std::vector<double>>& filters);

void write_bytes(const std::string& path, std::string_view bytes);
std::string read_bytes(const std::string& path);

Signal read_signal(const std::string& path, const OpenOptions& options = {});

/// Interleaved float32, little-endian, and back.
std::string to_f32le(const Signal& signal);
Signal from_f32le(std::string_view bytes, std::size_t channels);

/// Frames [first, last) of every channel.
Signal slice(const Signal& signal, std::size_t first, std::size_t last);

}  // namespace firbank::test
