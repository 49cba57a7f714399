#include "io/sample_encoding.hpp"

#include <fmt/format.h>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::refusal;
using testing::AllOf;
using testing::HasSubstr;

TEST(SampleEncoding, NamesAreReadBack) {
  const std::pair<SampleEncoding, std::size_t> sizes[] = {{SampleEncoding::kInt16, 2},
                                                          {SampleEncoding::kInt24, 3},
                                                          {SampleEncoding::kInt32, 4},
                                                          {SampleEncoding::kFloat32, 4},
                                                          {SampleEncoding::kFloat64, 8}};
  for (const auto& [encoding, bytes] : sizes) {
    SCOPED_TRACE(name(encoding));
    EXPECT_EQ(parse_sample_encoding(name(encoding)), encoding);
    EXPECT_EQ(bytes_per_sample(encoding), bytes);
  }
  for (const char* text : {"", "int8", "INT16", "int16 ", "float"}) {
    EXPECT_THAT(refusal(ErrorKind::kConfiguration, [&] { parse_sample_encoding(text); }),
                AllOf(HasSubstr(fmt::format("'{}'", text)), HasSubstr("int24")));
  }
}

TEST(RawFormat, EveryEncodingAndOrderIsRead) {
  const std::pair<const char*, SampleEncoding> names[] = {{"s16", SampleEncoding::kInt16},
                                                          {"s24", SampleEncoding::kInt24},
                                                          {"s32", SampleEncoding::kInt32},
                                                          {"f32", SampleEncoding::kFloat32},
                                                          {"f64", SampleEncoding::kFloat64}};
  for (const auto& [text, encoding] : names) {
    for (const bool big_endian : {false, true}) {
      const RawFormat format =
          parse_raw_format(std::string(text) + (big_endian ? "be" : "le") + ":12:44100.5");
      EXPECT_EQ(format.encoding, encoding);
      EXPECT_EQ(format.big_endian, big_endian);
      EXPECT_EQ(format.channels, 12u);
      EXPECT_EQ(format.sample_rate_hz, 44'100.5);
    }
  }
}

TEST(RawFormat, RefusesEverythingElseByItsPart) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "''"},
      {"f32le", "f32le"},
      {"f32le:2", "f32le:2"},
      {"f32le:2:48000:1", "48000:1"},
      {"f32:2:48000", "'f32'"},
      {"u8le:2:48000", "'u8le'"},
      {"f32lebe:2:48000", "'f32lebe'"},
      {"F32LE:2:48000", "'F32LE'"},
      {"f32le:0:48000", "'0'"},
      {"f32le:-1:48000", "'-1'"},
      {"f32le:65537:48000", "65536"},
      {"f32le:99999999999999999999:48000", "'99999999999999999999'"},
      {"f32le:2x:48000", "'2x'"},
      {"f32le::48000", "''"},
      {"f32le:2:0", "'0'"},
      {"f32le:2:-1", "'-1'"},
      {"f32le:2:nan", "'nan'"},
      {"f32le:2:inf", "'inf'"},
      {"f32le:2:48k", "'48k'"},
      {"f32le:2:", "''"},
      {"f32le:2:1e999", "'1e999'"},
      {"f32le\n:2:48000", "f32le"},
  };
  for (const auto& [text, named] : cases) {
    SCOPED_TRACE(text);
    EXPECT_THAT(refusal(ErrorKind::kConfiguration, [&, t = text] { parse_raw_format(t); }),
                HasSubstr(named));
  }
}

}  // namespace
}  // namespace firbank
