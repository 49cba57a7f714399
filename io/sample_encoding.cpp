#include "io/sample_encoding.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxChannels = 65'536;

struct Named {
  const char* name;
  SampleEncoding encoding;
};

constexpr std::array kNames = {
    Named{"float32", SampleEncoding::kFloat32}, Named{"float64", SampleEncoding::kFloat64},
    Named{"int16", SampleEncoding::kInt16},     Named{"int24", SampleEncoding::kInt24},
    Named{"int32", SampleEncoding::kInt32},
};

constexpr std::array kRawNames = {
    Named{"f32", SampleEncoding::kFloat32}, Named{"f64", SampleEncoding::kFloat64},
    Named{"s16", SampleEncoding::kInt16},   Named{"s24", SampleEncoding::kInt24},
    Named{"s32", SampleEncoding::kInt32},
};

[[noreturn]] void refuse_raw(std::string_view text, const std::string& why) {
  throw Error(ErrorKind::kConfiguration,
              fmt::format("raw format '{}': {}; expected ENCODING:CHANNELS:RATE, such as "
                          "f32le:2:48000",
                          one_line(text), why));
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::size_t bytes_per_sample(SampleEncoding encoding) noexcept {
  switch (encoding) {
    case SampleEncoding::kInt16:
      return 2;
    case SampleEncoding::kInt24:
      return 3;
    case SampleEncoding::kInt32:
    case SampleEncoding::kFloat32:
      return 4;
    case SampleEncoding::kFloat64:
      break;
  }
  return 8;
}

const char* name(SampleEncoding encoding) noexcept {
  for (const Named& known : kNames) {
    if (known.encoding == encoding) return known.name;
  }
  return "";
}

SampleEncoding parse_sample_encoding(std::string_view text) {
  for (const Named& known : kNames) {
    if (text == known.name) return known.encoding;
  }
  throw Error(ErrorKind::kConfiguration,
              fmt::format("sample format '{}' is not known; allowed: float32, float64, int16, "
                          "int24, int32",
                          one_line(text)));
}

RawFormat parse_raw_format(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) refuse_raw(text, "it has fewer than three parts");
  const std::string_view encoding = text.substr(0, first);
  const std::string_view channels = text.substr(first + 1, second - first - 1);
  const std::string_view rate = text.substr(second + 1);

  RawFormat format;
  bool known = false;
  for (const Named& raw : kRawNames) {
    if (encoding.size() != 5 || encoding.substr(0, 3) != raw.name) continue;
    const std::string_view order = encoding.substr(3);
    if (order != "le" && order != "be") continue;
    format.encoding = raw.encoding;
    format.big_endian = order == "be";
    known = true;
  }
  if (!known) {
    refuse_raw(text, fmt::format("encoding '{}' is not one of s16, s24, s32, f32, f64 followed by "
                                 "le or be",
                                 one_line(encoding)));
  }
  if (!parse_whole(channels, format.channels) || format.channels < 1 ||
      format.channels > kMaxChannels) {
    refuse_raw(text, fmt::format("channels '{}' is not a number from 1 to {}", one_line(channels),
                                 kMaxChannels));
  }
  if (!parse_whole(rate, format.sample_rate_hz) ||
      !(format.sample_rate_hz > 0 && format.sample_rate_hz <= 1e9)) {
    refuse_raw(text,
               fmt::format("rate '{}' is not a number above 0 and up to 1e9", one_line(rate)));
  }
  return format;
}

}  // namespace firbank
