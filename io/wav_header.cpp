#include "io/wav_header.hpp"

#include <algorithm>

namespace firbank {
namespace {

constexpr std::uint64_t kMost32 = 0xFFFF'FFFF;  // in RF64: see the 64-bit number
constexpr std::uint64_t kLongestHeader = 94;    // kOpen, floats

void append(std::string& text, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
}

}  // namespace

bool is_short_wav(const WavHeader& header) noexcept {
  return header.data_bytes() <= kMost32 - kLongestHeader;
}

std::string make_wav_header(const WavHeader& header) {
  const bool is_float =
      header.encoding == SampleEncoding::kFloat32 || header.encoding == SampleEncoding::kFloat64;
  const bool is_long = header.length == WavLength::kLong ||
                       (header.length == WavLength::kOpen && !is_short_wav(header));
  const std::uint64_t sample_bytes = bytes_per_sample(header.encoding);
  const std::uint64_t frame_bytes = header.channels * sample_bytes;
  const std::uint64_t data_bytes = header.data_bytes();

  std::string format;
  append(format, is_float ? 3 : 1, 2);
  append(format, header.channels, 2);
  append(format, header.sample_rate_hz, 4);
  append(format, std::min(header.sample_rate_hz * frame_bytes, kMost32), 4);
  append(format, frame_bytes, 2);
  append(format, 8 * sample_bytes, 2);
  if (is_float) append(format, 0, 2);  // bytes of extra fields

  const std::uint64_t room_bytes = header.length == WavLength::kShort ? 0 : 36;
  const std::uint64_t fact_bytes = is_float ? 12 : 0;
  const std::uint64_t riff_bytes =
      4 + room_bytes + 8 + format.size() + fact_bytes + 8 + data_bytes + data_bytes % 2;

  std::string text = is_long ? "RF64" : "RIFF";
  append(text, is_long ? kMost32 : riff_bytes, 4);
  text += "WAVE";
  if (room_bytes > 0) {
    text += is_long ? "ds64" : "JUNK";
    append(text, room_bytes - 8, 4);
    append(text, is_long ? riff_bytes : 0, 8);
    append(text, is_long ? data_bytes : 0, 8);
    append(text, is_long ? header.frames : 0, 8);
    append(text, 0, 4);  // entries of a table of other long chunks
  }
  text += "fmt ";
  append(text, format.size(), 4);
  text += format;
  if (is_float) {
    text += "fact";
    append(text, 4, 4);
    append(text, std::min(header.frames, kMost32), 4);
  }
  text += "data";
  append(text, is_long ? kMost32 : data_bytes, 4);
  return text;
}

}  // namespace firbank
