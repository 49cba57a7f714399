#include "tests/support/program_files.hpp"

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>

#include <fmt/format.h>

namespace firbank::test {

Signal noise(std::size_t channels, std::size_t frames, std::uint64_t seed, double amplitude) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> sample(-amplitude, amplitude);
  Signal signal(channels, std::vector<double>(frames));
  for (auto& plane : signal) {
    for (double& value : plane) value = static_cast<double>(static_cast<float>(sample(random)));
  }
  return signal;
}

std::vector<std::vector<double>> noise_filters(const std::vector<std::size_t>& lengths,
                                               std::uint64_t seed) {
  std::vector<std::vector<double>> filters;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const double amplitude = 1.0 / std::sqrt(static_cast<double>(lengths[i]));
    filters.push_back(noise(1, lengths[i], seed + i, amplitude)[0]);
  }
  return filters;
}

void write_signal(const std::string& path, const Signal& signal, double sample_rate_hz,
                  SampleEncoding encoding) {
  StreamFormat format;
  format.channels = signal.size();
  format.sample_rate_hz = sample_rate_hz;
  CreateOptions options;
  options.encoding = encoding;
  const std::unique_ptr<Sink> sink = create_sink(path, format, options);
  std::vector<const double*> planes;
  for (const auto& plane : signal) planes.push_back(plane.data());
  BasicBlock<const double> block;
  block.planes = planes.data();
  block.channels = signal.size();
  block.frames = signal[0].size();
  sink->write(block);
  sink->finish();
}

void write_text_filter(const std::string& path, const std::vector<double>& taps) {
  std::string text;
  for (const double tap : taps) text += fmt::format("{:.17g}\n", tap);
  write_bytes(path, text);
}

std::vector<std::string> filter_arguments(const std::string& folder_file_prefix,
                                          const std::vector<std::vector<double>>& filters) {
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const std::string path = fmt::format("{}{}.txt", folder_file_prefix, i);
    write_text_filter(path, filters[i]);
    arguments.push_back("--filter");
    arguments.push_back(path);
  }
  return arguments;
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Signal read_signal(const std::string& path, const OpenOptions& options) {
  return read_all(*open_source(path, options));
}

std::string to_f32le(const Signal& signal) {
  std::string bytes;
  for (std::size_t n = 0; n < signal[0].size(); ++n) {
    for (const auto& plane : signal) {
      const auto value = static_cast<float>(plane[n]);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  return bytes;
}

Signal from_f32le(std::string_view bytes, std::size_t channels) {
  const std::size_t frames = bytes.size() / (sizeof(float) * channels);
  Signal signal(channels, std::vector<double>(frames));
  for (std::size_t n = 0; n < frames; ++n) {
    for (std::size_t c = 0; c < channels; ++c) {
      float value = 0;
      std::memcpy(&value, bytes.data() + (n * channels + c) * sizeof value, sizeof value);
      signal[c][n] = static_cast<double>(value);
    }
  }
  return signal;
}

Signal slice(const Signal& signal, std::size_t first, std::size_t last) {
  Signal result;
  for (const auto& plane : signal) {
    result.emplace_back(plane.begin() + static_cast<std::ptrdiff_t>(first),
                        plane.begin() + static_cast<std::ptrdiff_t>(last));
  }
  return result;
}

}  // namespace firbank::test
