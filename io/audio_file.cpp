#include "io/audio_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <sndfile.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/input_file.hpp"
#include "io/interleaved.hpp"
#include "io/output_file.hpp"
#include "io/sample_codec.hpp"
#include "io/wav_length.hpp"

namespace firbank {
namespace {

struct SoundFileCloser {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, SoundFileCloser>;

struct Container {
  const char* extension;
  int major;
};

constexpr std::array kContainers = {
    Container{".wav", SF_FORMAT_RF64},  Container{".w64", SF_FORMAT_W64},
    Container{".rf64", SF_FORMAT_RF64}, Container{".flac", SF_FORMAT_FLAC},
    Container{".aiff", SF_FORMAT_AIFF}, Container{".aif", SF_FORMAT_AIFF},
    Container{".caf", SF_FORMAT_CAF},   Container{".au", SF_FORMAT_AU},
};

const Container* container_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Container& known : kContainers) {
    if (extension == known.extension) return &known;
  }
  return nullptr;
}

int subtype(SampleEncoding encoding) noexcept {
  switch (encoding) {
    case SampleEncoding::kInt16:
      return SF_FORMAT_PCM_16;
    case SampleEncoding::kInt24:
      return SF_FORMAT_PCM_24;
    case SampleEncoding::kInt32:
      return SF_FORMAT_PCM_32;
    case SampleEncoding::kFloat32:
      return SF_FORMAT_FLOAT;
    case SampleEncoding::kFloat64:
      break;
  }
  return SF_FORMAT_DOUBLE;
}

bool is_integer(SampleEncoding encoding) noexcept {
  return encoding != SampleEncoding::kFloat32 && encoding != SampleEncoding::kFloat64;
}

/// "WAV (Microsoft), Signed 24 bit PCM": the library's own words.
std::string describe(int format) {
  const auto words = [](int part) {
    SF_FORMAT_INFO info{};
    info.format = part;
    const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof info) == 0;
    return std::string(known && info.name != nullptr ? info.name : "unknown");
  };
  return words(format & SF_FORMAT_TYPEMASK) + ", " + words(format & SF_FORMAT_SUBMASK);
}

class AudioFileSource final : public InterleavedSource {
 public:
  explicit AudioFileSource(const std::string& path) : InterleavedSource({}), path_(path) {
    const InputFile probe(path);  // for the system's own words where it cannot be opened
    if (probe.size() == std::uint64_t{0}) probe.fail("it is empty");
    SF_INFO info{};
    file_.reset(sf_open(path.c_str(), SFM_READ, &info));
    if (!file_) probe.fail(library_says(sf_strerror(nullptr)));
    if (info.channels < 1) {
      probe.fail(fmt::format("it has {} channels; allowed: 1 or more", info.channels));
    }
    if (info.samplerate < 1) {
      probe.fail(fmt::format("its rate is {} Hz; allowed: 1 or more", info.samplerate));
    }
    if (const auto length = wav_length(path)) {
      if (length->claimed_bytes > length->available_bytes) {
        probe.fail(fmt::format("its header claims {} bytes of samples, but {} follow",
                               length->claimed_bytes, length->available_bytes));
      }
    }
    format_ = {static_cast<std::size_t>(info.channels), static_cast<double>(info.samplerate),
               std::nullopt, describe(info.format)};
    if (info.frames >= 0 && info.frames < SF_COUNT_MAX) format_.frames = info.frames;
  }

 private:
  static std::string library_says(std::string text) {
    while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text.empty() ? "it is not audio" : text;
  }

  std::size_t checked(sf_count_t got, std::size_t wanted) {
    if (got < 0 || sf_error(file_.get()) != SF_ERR_NO_ERROR) {
      throw Error(ErrorKind::kInput, fmt::format("cannot read {}: after {} frames: {}", path_,
                                                 frames_, library_says(sf_strerror(file_.get()))));
    }
    frames_ += got;
    if (static_cast<std::size_t>(got) < wanted && format_.frames && frames_ < *format_.frames) {
      throw Error(ErrorKind::kInput,
                  fmt::format("cannot read {}: it holds {} frames, but its header claims {}", path_,
                              frames_, *format_.frames));
    }
    return static_cast<std::size_t>(got);
  }
  std::size_t read_frames(float* samples, std::size_t frames) override {
    return checked(sf_readf_float(file_.get(), samples, static_cast<sf_count_t>(frames)), frames);
  }
  std::size_t read_frames(double* samples, std::size_t frames) override {
    return checked(sf_readf_double(file_.get(), samples, static_cast<sf_count_t>(frames)), frames);
  }

  std::string path_;
  SoundFile file_;
  std::int64_t frames_ = 0;
};

class AudioFileSink final : public InterleavedSink {
 public:
  AudioFileSink(const std::string& path, const StreamFormat& format, int library_format,
                SampleEncoding encoding, bool dither)
      : InterleavedSink(format.channels),
        output_(path),
        encoder_(encoding, format.channels, dither) {
    SF_INFO info{};
    info.channels = static_cast<int>(format.channels);
    info.samplerate = static_cast<int>(format.sample_rate_hz);
    info.format = library_format;
    file_.reset(sf_open_fd(output_.descriptor(), SFM_WRITE, &info, SF_FALSE));
    if (!file_) output_.fail(sf_strerror(nullptr));
    // A short RF64 file is turned into the plain WAV that everything reads.
    if ((library_format & SF_FORMAT_TYPEMASK) == SF_FORMAT_RF64) {
      sf_command(file_.get(), SFC_RF64_AUTO_DOWNGRADE, nullptr, SF_TRUE);
    }
    sf_command(file_.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  }

  void finish() override {
    // The header is written here; a failure would be lost in the library's own close.
    sf_write_sync(file_.get());
    const int error = sf_error(file_.get());
    const bool closed = sf_close(file_.release()) == 0;
    if (error != SF_ERR_NO_ERROR || !closed) output_.fail(sf_error_number(error));
    output_.commit();
  }
  ClipCount clipped() const noexcept override { return encoder_.clipped(); }

 private:
  template <class Sample, class WriteFloats>
  void write_samples(const Sample* samples, std::size_t frames, WriteFloats write_floats) {
    const auto count = static_cast<sf_count_t>(frames);
    sf_count_t done = 0;
    if (is_integer(encoder_.encoding())) {
      integers_.resize(frames * channels_);
      encoder_.quantise(samples, frames, integers_.data());
      done = sf_writef_int(file_.get(), integers_.data(), count);
    } else {
      done = write_floats(file_.get(), samples, count);
    }
    if (done != count)
      output_.fail(sf_error(file_.get()) == SF_ERR_SYSTEM ? "" : sf_strerror(file_.get()));
  }
  void write_frames(const float* samples, std::size_t frames) override {
    write_samples(samples, frames, sf_writef_float);
  }
  void write_frames(const double* samples, std::size_t frames) override {
    write_samples(samples, frames, sf_writef_double);
  }

  OutputFile output_;
  SoundFile file_;
  Encoder encoder_;
  std::vector<int> integers_;
};

}  // namespace

bool is_audio_path(const std::string& path) {
  return container_of(path) != nullptr;
}

std::string audio_extensions() {
  std::string list;
  for (const Container& known : kContainers) {
    if (!list.empty()) list += ", ";
    list += known.extension;
  }
  return list;
}

std::unique_ptr<Source> open_audio_file(const std::string& path) {
  return std::make_unique<AudioFileSource>(path);
}

std::unique_ptr<Sink> create_audio_file(const std::string& path, const StreamFormat& format,
                                        std::optional<SampleEncoding> encoding, bool dither) {
  const Container* container = container_of(path);
  if (container == nullptr) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("cannot tell the format of {}; known endings: {}", path, audio_extensions()));
  }
  if (format.sample_rate_hz != std::floor(format.sample_rate_hz) ||
      format.sample_rate_hz > 2'147'483'647.0) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} cannot hold the rate {} Hz; allowed: whole numbers", path,
                            format.sample_rate_hz));
  }
  SF_INFO info{};
  info.channels = static_cast<int>(std::min<std::size_t>(format.channels, 1 << 20));
  info.samplerate = static_cast<int>(format.sample_rate_hz);
  std::string holds;
  std::optional<SampleEncoding> chosen;
  for (const SampleEncoding candidate :
       {SampleEncoding::kFloat32, SampleEncoding::kFloat64, SampleEncoding::kInt32,
        SampleEncoding::kInt24, SampleEncoding::kInt16}) {
    info.format = container->major | subtype(candidate);
    if (sf_format_check(&info) == SF_FALSE) continue;
    holds += (holds.empty() ? "" : ", ") + std::string(name(candidate));
    if (!chosen && candidate == encoding.value_or(candidate)) chosen = candidate;
  }
  if (holds.empty()) {
    throw Error(ErrorKind::kConfiguration, fmt::format("{} cannot hold {} channels at {} Hz", path,
                                                       format.channels, format.sample_rate_hz));
  }
  if (!chosen) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} cannot hold {}; allowed: {}", path, name(*encoding), holds));
  }
  return std::make_unique<AudioFileSink>(path, format, container->major | subtype(*chosen), *chosen,
                                         dither);
}

}  // namespace firbank
