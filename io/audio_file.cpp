#include "io/audio_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/audio_header.hpp"
#include "io/error.hpp"
#include "io/extension.hpp"
#include "io/interleaved.hpp"
#include "io/interruption.hpp"
#include "io/output_file.hpp"
#include "io/sample_codec.hpp"
#include "io/wav_file.hpp"

namespace firbank {
namespace {

struct SoundFileCloser {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, SoundFileCloser>;

constexpr std::size_t kMostChannels = 1'024;  // of the library
constexpr int kHighestRate = 2'147'483'647;

struct Container {
  const char* extension;
  int major;
  std::size_t most_channels = kMostChannels;
  int highest_rate = kHighestRate;
};

constexpr std::array kContainers = {
    Container{".wav", SF_FORMAT_WAV},   Container{".w64", SF_FORMAT_W64},
    Container{".rf64", SF_FORMAT_RF64}, Container{".flac", SF_FORMAT_FLAC, 8, 655'350},
    Container{".aiff", SF_FORMAT_AIFF}, Container{".aif", SF_FORMAT_AIFF},
    Container{".caf", SF_FORMAT_CAF},   Container{".au", SF_FORMAT_AU},
};

const Container* container_of(const std::string& path) {
  const std::string extension = extension_of(path);
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

/// Whether the library reads a file of this format rightly when it cannot go back in it.
bool comes_through_pipes(int format) {
  const int type = format & SF_FORMAT_TYPEMASK;
  return type == SF_FORMAT_WAV || type == SF_FORMAT_WAVEX || type == SF_FORMAT_AIFF ||
         type == SF_FORMAT_AU;
}

bool holds_numbers(int format) {
  constexpr std::array kNumbers = {SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16,
                                   SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,
                                   SF_FORMAT_DOUBLE, SF_FORMAT_ULAW,   SF_FORMAT_ALAW};
  return std::find(kNumbers.begin(), kNumbers.end(), format & SF_FORMAT_SUBMASK) != kNumbers.end();
}

/// The number of the first line "  NAME  : NUMBER" in the library's log of a header.
std::optional<std::uint64_t> logged_number(SNDFILE* file, std::string_view name) {
  std::array<char, 4096> buffer{};
  sf_command(file, SFC_GET_LOG_INFO, buffer.data(), static_cast<int>(buffer.size() - 1));
  const std::string_view log = buffer.data();
  const std::size_t line = log.find(name);
  if (line == log.npos) return std::nullopt;
  const std::size_t digits = log.find_first_of("0123456789\n", line);
  std::uint64_t value = 0;
  if (digits == log.npos ||
      std::from_chars(&log[digits], log.data() + log.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

/// What the library says, to end a message with.
std::string library_says(SNDFILE* file) {
  std::string text = sf_strerror(file);
  for (const std::string_view prefix : {"Internal error : ", "Error : "}) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  }
  while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "unknown reason" : text;
}

/// A seekable input as the library likes it: a WAV of open length has the lengths of its file.
class LibraryInput {
 public:
  LibraryInput(const InputFile& file, const std::optional<OpenWav>& wav)
      : file_(file), size_(static_cast<sf_count_t>(*file.size())) {
    if (!wav) return;
    overlays_ = {{4, wav->big_endian, *file.size() - 8},
                 {static_cast<sf_count_t>(wav->length_at), wav->big_endian, wav->available_bytes}};
  }

  SNDFILE* open(SF_INFO& info) {
    static SF_VIRTUAL_IO io{length, seek, read, write, tell};
    return sf_open_virtual(&io, SFM_READ, &info, this);
  }

 private:
  struct Overlay {
    sf_count_t at = 0;
    bool big_endian = false;
    std::uint64_t number = 0;
  };

  static LibraryInput& self(void* data) { return *static_cast<LibraryInput*>(data); }
  static sf_count_t length(void* data) { return self(data).size_; }
  static sf_count_t seek(sf_count_t offset, int whence, void* data) {
    LibraryInput& file = self(data);
    if (whence == SEEK_CUR) offset += file.position_;
    if (whence == SEEK_END) offset += file.size_;
    return file.position_ = std::max<sf_count_t>(offset, 0);
  }
  static sf_count_t tell(void* data) { return self(data).position_; }
  static sf_count_t write(const void*, sf_count_t, void*) { return 0; }
  static sf_count_t read(void* to, sf_count_t count, void* data) {
    LibraryInput& file = self(data);
    auto* const bytes = static_cast<unsigned char*>(to);
    const auto got = static_cast<sf_count_t>(file.file_.read_at(
        static_cast<std::uint64_t>(file.position_), bytes, static_cast<std::size_t>(count)));
    for (const Overlay& overlay : file.overlays_) {
      for (int i = 0; i < 4; ++i) {
        const sf_count_t at = overlay.at + i - file.position_;
        const int shift = 8 * (overlay.big_endian ? 3 - i : i);
        if (at >= 0 && at < got) bytes[at] = static_cast<unsigned char>(overlay.number >> shift);
      }
    }
    file.position_ += got;
    return got;
  }

  const InputFile& file_;
  sf_count_t size_;
  sf_count_t position_ = 0;
  std::vector<Overlay> overlays_;
};

class AudioFileSource final : public InterleavedSource {
 public:
  explicit AudioFileSource(InputFile input) : InterleavedSource({}), input_(std::move(input)) {
    if (input_.size() == std::uint64_t{0}) input_.fail("it is empty");
    SF_INFO info{};
    AudioHeader header;
    if (input_.size()) {
      header = checked_header();
      library_input_.emplace(input_, header.open_wav);
      file_.reset(library_input_->open(info));
    } else {
      file_.reset(sf_open_fd(input_.descriptor(), SFM_READ, &info, SF_FALSE));
    }
    if (!file_) refuse(header.shape, library_says(nullptr));
    if (!input_.size() && !comes_through_pipes(info.format)) refuse({}, describe(info.format));
    check_shape(opened_shape(info));
    format_ = {static_cast<std::size_t>(info.channels), static_cast<double>(info.samplerate),
               std::nullopt, describe(info.format)};
    if (info.frames >= 0 && info.frames < SF_COUNT_MAX) format_.frames = info.frames;
    if (header.samples) {
      if (header.samples->claimed_bytes % header.frame_bytes != 0) {
        input_.fail(
            fmt::format("its header claims {} bytes of samples; allowed: whole frames of {}",
                        header.samples->claimed_bytes, header.frame_bytes));
      }
      if (header.samples->claimed_bytes > header.samples->available_bytes) {
        input_.fail(fmt::format("its header claims {} bytes of samples, but {} follow",
                                header.samples->claimed_bytes, header.samples->available_bytes));
      }
      // The library takes a length of 0 for a header that was never completed.
      if (header.samples->claimed_bytes == 0) format_.frames = 0;
    }
  }

 private:
  /// Of a file that the library may open: it prints to stderr when it takes one for damaged MP3.
  AudioHeader checked_header() const {
    const auto read_at = [&](std::uint64_t at, unsigned char* to, std::size_t count) {
      return input_.read_at(at, to, count);
    };
    const std::optional<AudioHeader> header = audio_header(read_at, *input_.size());
    if (!header)
      input_.fail(
          fmt::format("it is no audio that is read here (MP3 and Ogg are not); allowed: {}, .npy",
                      kAudioKinds));
    if (header->shape) check_shape(*header->shape);
    constexpr std::uint64_t kMost = 0xFFFF'FFFF;
    if (header->open_wav && *input_.size() - 8 > kMost) {
      input_.fail(
          fmt::format("its header leaves its length open, and {} bytes of samples follow; "
                      "a WAV holds up to {}",
                      header->open_wav->available_bytes, kMost));
    }
    return *header;
  }

  /// What the library found. Of a pipe's header nothing else is known; what a WAV said of its
  /// frames the library tells in its log only.
  AudioShape opened_shape(const SF_INFO& info) const {
    AudioShape shape{static_cast<std::uint64_t>(info.channels),
                     static_cast<double>(info.samplerate), std::nullopt, std::nullopt};
    if (!input_.size() && holds_numbers(info.format)) {
      shape.bits = logged_number(file_.get(), "Bit Width");
      shape.frame_bytes = logged_number(file_.get(), "Block Align");
    }
    return shape;
  }

  void check_shape(const AudioShape& shape) const {
    if (shape.channels < 1 || shape.channels > kMostChannels) {
      input_.fail(fmt::format("its header claims {} channels; allowed: 1 to {}", shape.channels,
                              kMostChannels));
    }
    if (!(shape.sample_rate_hz >= 1 && shape.sample_rate_hz <= kHighestRate)) {
      input_.fail(fmt::format("its header claims a rate of {} Hz; allowed: 1 to {}",
                              shape.sample_rate_hz, kHighestRate));
    }
    if (!shape.frame_bytes || shape.bits.value_or(0) == 0) return;
    const std::uint64_t whole = shape.channels * ((*shape.bits + 7) / 8);
    if (*shape.frame_bytes != whole) {
      input_.fail(
          fmt::format("its header contradicts itself: frames of {} bytes for samples of {} bits, "
                      "channels: {}; allowed then: frames of {} bytes",
                      *shape.frame_bytes, *shape.bits, shape.channels, whole));
    }
  }

  /// What the library could not open, or would not read rightly.
  [[noreturn]] void refuse(const std::optional<AudioShape>& shape,
                           const std::string& reason) const {
    if (!input_.size()) {
      input_.fail(
          fmt::format("it is a pipe, from which this cannot be read ({}); allowed: WAV, AIFF, AU, "
                      "or a regular file",
                      reason));
    }
    if (!shape || !shape->bits) input_.fail(fmt::format("it is damaged ({})", reason));
    input_.fail(
        fmt::format("its header claims {} channels of {} bits at {} Hz in an encoding that "
                    "is not known ({}); allowed: integers of 8 to 32 bits, floats of 32 "
                    "or 64",
                    shape->channels, *shape->bits, shape->sample_rate_hz, reason));
  }

  std::size_t checked(sf_count_t got, std::size_t wanted) {
    if (got < 0 || sf_error(file_.get()) != SF_ERR_NO_ERROR) {
      input_.fail(fmt::format("it is damaged after {} of {} frames ({})", frames_,
                              format_.frames.value_or(frames_), library_says(file_.get())));
    }
    frames_ += got;
    if (static_cast<std::size_t>(got) < wanted && format_.frames && frames_ < *format_.frames) {
      input_.fail(
          fmt::format("it holds {} frames, but its header claims {}", frames_, *format_.frames));
    }
    return static_cast<std::size_t>(got);
  }
  /// No more than the format says.
  std::size_t left(std::size_t frames) const {
    if (!format_.frames) return frames;
    return static_cast<std::size_t>(
        std::min(static_cast<std::int64_t>(frames), *format_.frames - frames_));
  }
  std::size_t read_frames(float* samples, std::size_t frames) override {
    frames = left(frames);
    return checked(sf_readf_float(file_.get(), samples, static_cast<sf_count_t>(frames)), frames);
  }
  std::size_t read_frames(double* samples, std::size_t frames) override {
    frames = left(frames);
    return checked(sf_readf_double(file_.get(), samples, static_cast<sf_count_t>(frames)), frames);
  }

  InputFile input_;
  std::optional<LibraryInput> library_input_;
  SoundFile file_;
  std::int64_t frames_ = 0;
};

/// An output file as the library sees it. The library forgets some errors; this keeps the first.
class WatchedFile {
 public:
  explicit WatchedFile(const std::string& path) : file_(path) { file_.need_patching(); }

  SNDFILE* open(SF_INFO& info) {
    static SF_VIRTUAL_IO io{length, seek, read, write, tell};
    return sf_open_virtual(&io, SFM_WRITE, &info, this);
  }

  /// Throws Error (kOutput) when anything could not be written, or the library `failed`.
  void check(bool failed, SNDFILE* file) const {
    if (error_ != 0) file_.fail(std::generic_category().message(error_));
    if (failed) file_.fail(library_says(file));
  }

  /// The library puts the time of writing into a PEAK chunk before the samples; without it, equal
  /// samples make equal files.
  void clear_peak_time() {
    std::array<char, 512> bytes{};
    const ssize_t got = ::pread(file_.descriptor(), bytes.data(), bytes.size(), 0);
    const std::string_view all(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const std::string_view header = all.substr(0, std::min(all.find("data"), all.find("SSND")));
    constexpr std::size_t kToTime = 12;  // after the tag, the length and the version
    const std::size_t tag = header.find("PEAK");
    if (tag == header.npos || tag + kToTime + 4 > header.size()) return;
    file_.write_at(tag + kToTime, "\0\0\0\0", 4);
  }

  void commit() { file_.commit(); }

 private:
  static WatchedFile& self(void* data) { return *static_cast<WatchedFile*>(data); }
  static sf_count_t length(void* data) {
    struct stat info {};
    return ::fstat(self(data).file_.descriptor(), &info) == 0 ? info.st_size : 0;
  }
  static sf_count_t seek(sf_count_t offset, int whence, void* data) {
    return ::lseek(self(data).file_.descriptor(), offset, whence);
  }
  static sf_count_t tell(void* data) { return ::lseek(self(data).file_.descriptor(), 0, SEEK_CUR); }
  static sf_count_t read(void* to, sf_count_t count, void* data) {
    return ::read(self(data).file_.descriptor(), to, static_cast<std::size_t>(count));
  }
  static sf_count_t write(const void* from, sf_count_t count, void* data) {
    WatchedFile& file = self(data);
    const char* at = static_cast<const char*>(from);
    sf_count_t done = 0;
    while (done < count && file.error_ == 0) {
      const ssize_t got =
          ::write(file.file_.descriptor(), at + done, static_cast<std::size_t>(count - done));
      if (got >= 0) {
        done += got;
      } else if (errno != EINTR || stop_requests() > 1) {
        file.error_ = errno;
      }
    }
    return done;
  }

  OutputFile file_;
  int error_ = 0;  // of the first write that failed
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
    file_.reset(output_.open(info));
    output_.check(!file_, nullptr);
  }

  void finish() override {
    output_.check(sf_error(file_.get()) != SF_ERR_NO_ERROR, file_.get());
    const bool closed = sf_close(file_.release()) == 0;  // which completes the header
    output_.check(!closed, nullptr);
    if (!is_integer(encoder_.encoding())) output_.clear_peak_time();
    output_.commit();
  }
  ClipCount clipped() const noexcept override { return encoder_.clipped(); }

 private:
  template <class Sample>
  bool write_integers(const Sample* samples, std::size_t frames) {
    if (!is_integer(encoder_.encoding())) return false;
    integers_.resize(frames * channels_);
    encoder_.quantise(samples, frames, integers_.data());
    const auto count = static_cast<sf_count_t>(frames);
    output_.check(sf_writef_int(file_.get(), integers_.data(), count) != count, file_.get());
    return true;
  }
  void write_frames(const float* samples, std::size_t frames) override {
    if (write_integers(samples, frames)) return;
    const auto count = static_cast<sf_count_t>(frames);
    output_.check(sf_writef_float(file_.get(), samples, count) != count, file_.get());
  }
  void write_frames(const double* samples, std::size_t frames) override {
    if (write_integers(samples, frames)) return;
    const auto count = static_cast<sf_count_t>(frames);
    if (encoder_.encoding() == SampleEncoding::kFloat32) {
      floats_.resize(frames * channels_);
      encoder_.narrow(samples, frames, floats_.data());
      output_.check(sf_writef_float(file_.get(), floats_.data(), count) != count, file_.get());
    } else {
      output_.check(sf_writef_double(file_.get(), samples, count) != count, file_.get());
    }
  }

  WatchedFile output_;
  SoundFile file_;
  Encoder encoder_;
  std::vector<int> integers_;
  std::vector<float> floats_;
};

/// What a container can hold, in the order of preference.
std::vector<SampleEncoding> encodings_of(const Container& container) {
  SF_INFO info{};
  info.channels = 1;
  info.samplerate = 48'000;
  std::vector<SampleEncoding> held;
  for (const SampleEncoding candidate :
       {SampleEncoding::kFloat32, SampleEncoding::kFloat64, SampleEncoding::kInt32,
        SampleEncoding::kInt24, SampleEncoding::kInt16}) {
    info.format = container.major | subtype(candidate);
    if (sf_format_check(&info) != SF_FALSE) held.push_back(candidate);
  }
  return held;
}

}  // namespace

bool is_audio_path(const std::string& path) {
  return container_of(path) != nullptr;
}

SampleEncoding default_audio_encoding(const std::string& path) {
  const Container* container = container_of(path);
  return container == nullptr ? SampleEncoding::kFloat32 : encodings_of(*container).front();
}

std::string audio_extensions() {
  std::string list;
  for (const Container& known : kContainers) {
    if (!list.empty()) list += ", ";
    list += known.extension;
  }
  return list;
}

std::unique_ptr<Source> open_audio_file(InputFile file) {
  return std::make_unique<AudioFileSource>(std::move(file));
}

std::unique_ptr<Sink> create_audio_file(const std::string& path, const StreamFormat& format,
                                        std::optional<SampleEncoding> encoding, bool dither) {
  const Container* container = container_of(path);
  if (container == nullptr) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("cannot tell the format of {}; known endings: {}", path, audio_extensions()));
  }
  if (format.channels < 1 || format.channels > container->most_channels) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} cannot hold {} channels; allowed: 1 to {}", path, format.channels,
                            container->most_channels));
  }
  const double rate = format.sample_rate_hz;
  if (!(rate >= 1 && rate <= container->highest_rate && rate == std::floor(rate))) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} cannot hold the rate {} Hz; allowed: whole numbers from 1 to {}",
                            path, rate, container->highest_rate));
  }
  const std::vector<SampleEncoding> held = encodings_of(*container);
  const SampleEncoding chosen = encoding.value_or(held.front());
  if (std::find(held.begin(), held.end(), chosen) == held.end()) {
    std::string names;
    for (const SampleEncoding one : held)
      names += (names.empty() ? "" : ", ") + std::string(name(one));
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} cannot hold {}; allowed: {}", path, name(chosen), names));
  }
  const bool is_rf64 = container->major == SF_FORMAT_RF64;
  if (is_rf64 || container->major == SF_FORMAT_WAV) {
    return create_wav(path, format, chosen, dither, is_rf64);
  }
  return std::make_unique<AudioFileSink>(path, format, container->major | subtype(chosen), chosen,
                                         dither);
}

}  // namespace firbank
