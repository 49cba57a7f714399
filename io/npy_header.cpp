#include "io/npy_header.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::array<unsigned char, 6> kMagic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr std::size_t kMaxHeaderBytes = 1 << 20;
constexpr std::size_t kMaxChannels = 65'536;
constexpr std::size_t kWrittenHeaderBytes = 128;

/// Reads the header's text, a Python dict literal such as
///   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
/// and nothing else that Python would allow.
class DictReader {
 public:
  DictReader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::kInput, fmt::format("cannot read {}: {}", path_, why));
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("its .npy header lacks a '{}' at byte {}", c, at_));
  }
  void expect_end() {
    skip_space();
    if (at_ < text_.size())
      fail(fmt::format("its .npy header goes on at byte {}, after its end", at_));
  }
  std::string string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"')
      fail("its .npy header lacks a quoted text where one belongs");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("its .npy header has a text without an end");
    const std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    fail("its .npy header lacks True or False where it belongs");
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> values;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::uint64_t value = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
      if (error != std::errc{}) fail("the shape in its .npy header is not a list of whole numbers");
      at_ += static_cast<std::size_t>(end - begin);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      values.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

 private:
  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

}  // namespace

bool has_npy_magic(std::span<const unsigned char> bytes) noexcept {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::size_t parse_npy_length(std::span<const unsigned char> preamble, const std::string& path) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorKind::kInput, fmt::format("cannot read {}: {}", path, why));
  };
  if (!has_npy_magic(preamble)) fail("it does not begin like a .npy file");
  const std::size_t version = preamble.size() > 6 ? preamble[6] : 0;
  if (preamble.size() < kNpyPreambleBytes) fail("it ends inside its .npy header");
  if (version < 1 || version > 3) {
    fail(fmt::format("its .npy version is {}; allowed: 1, 2, 3", version));
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::size_t{preamble[8 + i]} << (8 * i);
  if (length > kMaxHeaderBytes) {
    fail(
        fmt::format("its .npy header claims {} bytes; allowed: up to {}", length, kMaxHeaderBytes));
  }
  return 8 + length_bytes + length;
}

NpyHeader parse_npy_header(std::span<const unsigned char> bytes, const std::string& path) {
  NpyHeader header;
  header.data_offset = parse_npy_length(bytes, path);
  const std::size_t text_start = bytes[6] == 1 ? 10 : 12;
  if (bytes.size() < header.data_offset) {
    throw Error(ErrorKind::kInput,
                fmt::format("cannot read {}: it ends inside its .npy header: {} of {} bytes", path,
                            bytes.size(), header.data_offset));
  }
  DictReader dict(
      {reinterpret_cast<const char*>(bytes.data()) + text_start, header.data_offset - text_start},
      path);
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
  dict.expect('{');
  while (!dict.accept('}')) {
    const std::string key = dict.string();
    dict.expect(':');
    if ((key == "descr" && descr) || (key == "fortran_order" && fortran_order) ||
        (key == "shape" && shape)) {
      dict.fail(fmt::format("its .npy header has {} twice", key));
    }
    if (key == "descr") {
      descr = dict.string();
    } else if (key == "fortran_order") {
      fortran_order = dict.boolean();
    } else if (key == "shape") {
      shape = dict.tuple();
    } else {
      dict.fail(fmt::format("its .npy header has the unknown key '{}'", one_line(key)));
    }
    if (!dict.accept(',')) {
      dict.expect('}');
      break;
    }
  }
  dict.expect_end();
  if (!descr || !fortran_order || !shape) {
    dict.fail("its .npy header lacks one of descr, fortran_order, shape");
  }

  const std::string type = descr->empty() ? "" : descr->substr(1);
  header.big_endian = !descr->empty() && descr->front() == '>';
  const bool known_order = !descr->empty() && (descr->front() == '<' || descr->front() == '>');
  if (known_order && type == "f4") {
    header.encoding = SampleEncoding::kFloat32;
  } else if (known_order && type == "f8") {
    header.encoding = SampleEncoding::kFloat64;
  } else if (known_order && type == "i2") {
    header.encoding = SampleEncoding::kInt16;
  } else {
    dict.fail(fmt::format("its samples are '{}'; allowed: float32 (f4), float64 (f8), int16 (i2)",
                          one_line(*descr)));
  }
  if (shape->empty() || shape->size() > 2) {
    dict.fail(fmt::format("it has {} dimensions; allowed: 1 (frames) or 2 (frames, channels)",
                          shape->size()));
  }
  if (*fortran_order && shape->size() == 2) {
    dict.fail("it is in Fortran order; allowed: C order (numpy.ascontiguousarray)");
  }
  const std::uint64_t channels = shape->size() == 2 ? (*shape)[1] : 1;
  if (channels < 1 || channels > kMaxChannels) {
    dict.fail(fmt::format("it has {} channels; allowed: 1 to {}", channels, kMaxChannels));
  }
  header.channels = static_cast<std::size_t>(channels);
  header.frames = (*shape)[0];
  if (header.frames >
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / (8 * channels)) {
    dict.fail(fmt::format("its shape ({}, {}) is larger than any file", header.frames, channels));
  }
  return header;
}

std::string make_npy_header(const NpyHeader& header) {
  const char* type = header.encoding == SampleEncoding::kFloat32   ? "<f4"
                     : header.encoding == SampleEncoding::kFloat64 ? "<f8"
                                                                   : "<i2";
  const std::string shape = header.channels == 1
                                ? fmt::format("({},)", header.frames)
                                : fmt::format("({}, {})", header.frames, header.channels);
  std::string text(kMagic.begin(), kMagic.end());
  text += {1, 0, static_cast<char>(kWrittenHeaderBytes - 10), 0};
  text += fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  text.resize(kWrittenHeaderBytes - 1, ' ');
  text += '\n';
  return text;
}

}  // namespace firbank
