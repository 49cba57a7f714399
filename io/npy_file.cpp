#include "io/npy_file.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/encoded_sink.hpp"
#include "io/error.hpp"
#include "io/interleaved.hpp"
#include "io/npy_header.hpp"
#include "io/sample_codec.hpp"

namespace firbank {
namespace {

class NpySource final : public InterleavedSource {
 public:
  NpySource(InputFile file, double sample_rate_hz) : InterleavedSource({}), file_(std::move(file)) {
    std::vector<unsigned char> bytes(kNpyPreambleBytes);
    bytes.resize(file_.read(bytes.data(), bytes.size()));
    const std::size_t length = parse_npy_length(bytes, file_.path());
    const std::size_t have = bytes.size();
    bytes.resize(std::max(length, have));
    bytes.resize(have + file_.read(bytes.data() + have, bytes.size() - have));
    header_ = parse_npy_header(bytes, file_.path());
    const std::uint64_t size = file_.size().value_or(header_.data_offset + header_.data_bytes());
    if (size != header_.data_offset + header_.data_bytes()) {
      file_.fail(fmt::format("its header claims {} frames of {} channels, {} bytes, but {} follow",
                             header_.frames, header_.channels, header_.data_bytes(),
                             size - header_.data_offset));
    }
    format_ = {header_.channels, sample_rate_hz, static_cast<std::int64_t>(header_.frames),
               fmt::format("NumPy .npy, {}", name(header_.encoding))};
    left_ = header_.frames;
  }

 private:
  template <class Sample>
  std::size_t read_samples(Sample* samples, std::size_t frames) {
    frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, left_));
    const std::size_t frame_bytes = header_.channels * bytes_per_sample(header_.encoding);
    bytes_.resize(frames * frame_bytes);
    if (file_.read(bytes_.data(), bytes_.size()) < bytes_.size()) {
      file_.fail(
          fmt::format("it ends before the {} frames that its header claims", header_.frames));
    }
    decode(bytes_.data(), header_.encoding, header_.big_endian, samples, frames * header_.channels);
    left_ -= frames;
    return frames;
  }
  std::size_t read_frames(float* samples, std::size_t frames) override {
    return read_samples(samples, frames);
  }
  std::size_t read_frames(double* samples, std::size_t frames) override {
    return read_samples(samples, frames);
  }

  InputFile file_;
  NpyHeader header_;
  std::uint64_t left_ = 0;
  std::vector<unsigned char> bytes_;
};

class NpySink final : public EncodedSink {
 public:
  NpySink(const std::string& path, std::size_t channels, SampleEncoding encoding, bool dither)
      : EncodedSink(path, channels, encoding, dither) {
    header_.encoding = encoding;
    header_.channels = channels;
    file_.need_patching();
    const std::string text = make_npy_header(header_);
    file_.write(text.data(), text.size());
  }

  void finish() override {
    const std::string text = make_npy_header(header_);
    file_.write_at(0, text.data(), text.size());
    file_.commit();
  }

 private:
  void count_frames(std::size_t frames) override { header_.frames += frames; }
  void discount_frames(std::size_t frames) override { header_.frames -= frames; }

  NpyHeader header_;
};

}  // namespace

std::unique_ptr<Source> open_npy(InputFile file, double sample_rate_hz) {
  return std::make_unique<NpySource>(std::move(file), sample_rate_hz);
}

std::unique_ptr<Sink> create_npy(const std::string& path, std::size_t channels,
                                 SampleEncoding encoding, bool dither) {
  if (encoding == SampleEncoding::kInt24 || encoding == SampleEncoding::kInt32) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("{} cannot hold {}; allowed: float32, float64, int16", path, name(encoding)));
  }
  return std::make_unique<NpySink>(path, channels, encoding, dither);
}

}  // namespace firbank
