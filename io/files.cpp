#include "io/files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "io/audio_file.hpp"
#include "io/error.hpp"
#include "io/extension.hpp"
#include "io/input_source.hpp"
#include "io/npy_file.hpp"
#include "io/npy_header.hpp"
#include "io/raw_pcm.hpp"

namespace firbank {

std::unique_ptr<Source> open_source(const std::string& path, const OpenOptions& options) {
  if (options.raw_format) return open_raw(path, *options.raw_format);
  if (path == "-") {
    throw Error(ErrorKind::kConfiguration,
                "standard input needs its raw format, such as f32le:2:48000");
  }
  return open_source(InputFile(path), options.npy_sample_rate_hz);
}

std::unique_ptr<Source> open_source(InputFile file, double npy_sample_rate_hz) {
  bool is_npy = extension_of(file.path()) == ".npy";
  if (file.size()) {  // what is read from a pipe is gone
    std::array<unsigned char, 6> magic{};
    const std::size_t got = file.read_at(0, magic.data(), magic.size());
    is_npy = is_npy || has_npy_magic({magic.data(), got});
  }
  if (is_npy) return open_npy(std::move(file), npy_sample_rate_hz);
  return open_audio_file(std::move(file));
}

SampleEncoding default_encoding(const std::string& path) {
  return is_audio_path(path) ? default_audio_encoding(path) : SampleEncoding::kFloat32;
}

std::unique_ptr<Sink> create_sink(const std::string& path, const StreamFormat& format,
                                  const CreateOptions& options) {
  const SampleEncoding plain = options.encoding.value_or(SampleEncoding::kFloat32);
  const std::string extension = extension_of(path);
  if (path == "-" || extension == ".raw") {
    return create_raw(path, format.channels, plain, options.dither);
  }
  if (extension == ".npy") return create_npy(path, format.channels, plain, options.dither);
  if (is_audio_path(path)) {
    return create_audio_file(path, format, options.encoding, options.dither);
  }
  std::error_code ignored;
  if (std::filesystem::is_character_file(path, ignored) ||
      std::filesystem::is_fifo(path, ignored)) {
    return create_raw(path, format.channels, plain, options.dither);
  }
  throw Error(ErrorKind::kConfiguration,
              fmt::format("cannot tell the format of '{}'; known endings: {}, .npy, .raw", path,
                          audio_extensions()));
}

std::vector<std::vector<double>> read_all(Source& source) {
  const std::size_t channels = source.format().channels;
  const std::size_t frames_a_call = std::clamp<std::size_t>((1 << 18) / channels, 1, 16'384);
  std::vector<std::vector<double>> samples(channels);
  if (source.format().frames) {
    // A header may claim anything; beyond this, memory grows with what is read.
    constexpr std::int64_t kMostReserved = std::int64_t{1} << 20;
    for (auto& channel : samples) {
      channel.reserve(static_cast<std::size_t>(std::min(*source.format().frames, kMostReserved)));
    }
  }
  std::vector<double> buffer(channels * frames_a_call);
  std::vector<double*> planes(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    planes[channel] = buffer.data() + channel * frames_a_call;
  }
  BasicBlock<double> block{planes.data(), channels, frames_a_call};
  while (true) {
    const std::size_t got = source.read(block);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      samples[channel].insert(samples[channel].end(), planes[channel], planes[channel] + got);
    }
    if (got < frames_a_call) return samples;
  }
}

}  // namespace firbank
