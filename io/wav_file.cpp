#include "io/wav_file.hpp"

#include <fmt/format.h>

#include "io/encoded_sink.hpp"
#include "io/wav_header.hpp"

namespace firbank {
namespace {

WavHeader first_header(const StreamFormat& format, SampleEncoding encoding, bool always_long) {
  WavHeader header;
  header.encoding = encoding;
  header.channels = format.channels;
  header.sample_rate_hz = static_cast<std::uint32_t>(format.sample_rate_hz);
  if (format.frames) {
    header.frames = static_cast<std::uint64_t>(*format.frames);
    if (is_short_wav(header)) header.length = WavLength::kShort;
    header.frames = 0;
  }
  if (always_long) header.length = WavLength::kLong;
  return header;
}

class WavSink final : public EncodedSink {
 public:
  WavSink(const std::string& path, const StreamFormat& format, SampleEncoding encoding, bool dither,
          bool always_long)
      : EncodedSink(path, format.channels, encoding, dither),
        header_(first_header(format, encoding, always_long)) {
    file_.need_patching();
    const std::string text = make_wav_header(header_);
    file_.write(text.data(), text.size());
  }

  void finish() override {
    if (header_.data_bytes() % 2 != 0) file_.write("", 1);  // chunks have an even size
    const std::string text = make_wav_header(header_);
    file_.write_at(0, text.data(), text.size());
    file_.commit();
  }

 private:
  void count_frames(std::size_t frames) override {
    header_.frames += frames;
    if (header_.length == WavLength::kShort && !is_short_wav(header_)) {
      file_.fail(fmt::format("it was to stay below 4 GiB, and {} frames do not", header_.frames));
    }
  }

  void discount_frames(std::size_t frames) override { header_.frames -= frames; }

  WavHeader header_;
};

}  // namespace

std::unique_ptr<Sink> create_wav(const std::string& path, const StreamFormat& format,
                                 SampleEncoding encoding, bool dither, bool always_long) {
  return std::make_unique<WavSink>(path, format, encoding, dither, always_long);
}

}  // namespace firbank
