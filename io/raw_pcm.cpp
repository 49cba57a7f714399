#include "io/raw_pcm.hpp"

#include <vector>

#include <fmt/format.h>

#include "io/encoded_sink.hpp"
#include "io/input_file.hpp"
#include "io/interleaved.hpp"
#include "io/sample_codec.hpp"

namespace firbank {
namespace {

class RawSource final : public InterleavedSource {
 public:
  RawSource(const std::string& path, const RawFormat& raw)
      : InterleavedSource({raw.channels, raw.sample_rate_hz, std::nullopt,
                           fmt::format("raw {}, {}-endian", name(raw.encoding),
                                       raw.big_endian ? "big" : "little")}),
        file_(path),
        raw_(raw),
        frame_bytes_(raw.channels * bytes_per_sample(raw.encoding)) {
    if (file_.size()) format_.frames = static_cast<std::int64_t>(*file_.size() / frame_bytes_);
  }

  std::size_t incomplete_frame_bytes() const noexcept override { return incomplete_frame_bytes_; }

 private:
  template <class Sample>
  std::size_t read_samples(Sample* samples, std::size_t frames) {
    bytes_.resize(frames * frame_bytes_);
    const std::size_t got = file_.read(bytes_.data(), bytes_.size());
    if (got % frame_bytes_ != 0) incomplete_frame_bytes_ = got % frame_bytes_;
    decode(bytes_.data(), raw_.encoding, raw_.big_endian, samples,
           got / frame_bytes_ * raw_.channels);
    return got / frame_bytes_;
  }
  std::size_t read_frames(float* samples, std::size_t frames) override {
    return read_samples(samples, frames);
  }
  std::size_t read_frames(double* samples, std::size_t frames) override {
    return read_samples(samples, frames);
  }

  InputFile file_;
  RawFormat raw_;
  std::size_t frame_bytes_;
  std::size_t incomplete_frame_bytes_ = 0;
  std::vector<unsigned char> bytes_;
};

class RawSink final : public EncodedSink {
 public:
  RawSink(const std::string& path, std::size_t channels, SampleEncoding encoding, bool dither)
      : EncodedSink(path, channels, encoding, dither) {}

  void finish() override { file_.commit(); }

 private:
  void count_frames(std::size_t) override {}
  void discount_frames(std::size_t) override {}
};

}  // namespace

std::unique_ptr<Source> open_raw(const std::string& path, const RawFormat& format) {
  return std::make_unique<RawSource>(path, format);
}

std::unique_ptr<Sink> create_raw(const std::string& path, std::size_t channels,
                                 SampleEncoding encoding, bool dither) {
  return std::make_unique<RawSink>(path, channels, encoding, dither);
}

}  // namespace firbank
