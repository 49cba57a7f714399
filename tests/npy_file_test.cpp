#include "io/npy_file.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "io/npy_header.hpp"
#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::bytes_of;
using io_test::FilesTest;
using io_test::little_endian;
using io_test::noise;
using io_test::Planes;
using io_test::read_file;
using io_test::read_in_pieces;
using io_test::read_refusal;
using io_test::refusal;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A .npy file around a header text, padded as NumPy pads it.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string text = header;
  const std::size_t preamble = version == 1 ? 10 : 12;
  text.resize((preamble + text.size() + 1 + 63) / 64 * 64 - preamble - 1, ' ');
  text += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  return bytes + little_endian(text.size(), version == 1 ? 2 : 4) + text + data;
}

std::string header(const std::string& descr, const std::string& shape,
                   const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

std::string int16s(const std::vector<int>& values) {
  std::string bytes;
  for (const int value : values) {
    bytes += little_endian(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), 2);
  }
  return bytes;
}

class NpyFile : public FilesTest {
 protected:
  std::string file(const std::string& bytes) const { return with_bytes("x.npy", bytes); }
  Planes read(const std::string& bytes) const { return read_file(file(bytes)); }
  std::string refused(const std::string& bytes) const {
    const std::string message = read_refusal(file(bytes));
    EXPECT_THAT(message, HasSubstr(path("x.npy")));
    return message;
  }
};

TEST_F(NpyFile, EncodingsComeBackExactly) {
  const std::pair<SampleEncoding, int> cases[] = {
      {SampleEncoding::kInt16, 16}, {SampleEncoding::kFloat32, 24}, {SampleEncoding::kFloat64, 53}};
  for (const auto& [encoding, bits] : cases) {
    for (const std::size_t channels : {1, 2, 5}) {
      for (const std::size_t frames : {1, 9'000}) {
        SCOPED_TRACE(std::string(name(encoding)) + " " + std::to_string(channels) + " x " +
                     std::to_string(frames));
        const Planes planes = noise(channels, frames, 1, bits);
        EXPECT_EQ(io_test::write_file(path("x.npy"), planes, encoding).samples, 0);
        OpenOptions options;
        options.npy_sample_rate_hz = 360;
        const auto source = open_source(path("x.npy"), options);
        EXPECT_EQ(source->format().sample_rate_hz, 360);
        EXPECT_EQ(source->format().frames, static_cast<std::int64_t>(frames));
        EXPECT_EQ(read_in_pieces<double>(*source, 2), planes);
      }
    }
  }
}

TEST_F(NpyFile, EveryBitOfADoubleSurvives) {
  Planes planes = noise(1, 1'000, 1, 53);
  std::mt19937_64 random(2);
  for (double& sample : planes[0]) sample = std::bit_cast<double>(random() & ~(1ull << 62));
  planes[0][3] = std::numeric_limits<double>::denorm_min();
  planes[0][4] = -0.0;
  planes[0][5] = std::numeric_limits<double>::infinity();
  planes[0][6] = std::bit_cast<double>(0x7ff8'0000'dead'beefull);
  io_test::write_file(path("x.npy"), planes, SampleEncoding::kFloat64);
  const Planes back = read_file(path("x.npy"));
  EXPECT_EQ(std::memcmp(back[0].data(), planes[0].data(), 8'000), 0);
}

TEST_F(NpyFile, IsWrittenAsNumPyWritesIt) {
  io_test::write_file(path("x.npy"), {{0.5, -1}, {0.25, 0}}, SampleEncoding::kInt16);
  const std::string bytes = bytes_of(path("x.npy"));
  const std::size_t offset = 10 + static_cast<unsigned char>(bytes[8]);
  EXPECT_EQ(offset % 64, 0u);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_THAT(bytes.substr(10, offset - 10), HasSubstr(header("<i2", "(2, 2)")));
  EXPECT_EQ(bytes[offset - 1], '\n');
  EXPECT_EQ(bytes.substr(offset), int16s({16384, 8192, -32768, 0}));

  io_test::write_file(path("y.npy"), {{0.5, 1.5, 2.5}}, SampleEncoding::kFloat32);
  EXPECT_THAT(bytes_of(path("y.npy")), HasSubstr(header("<f4", "(3,)")));
}

TEST_F(NpyFile, VersionsShapesAndByteOrdersAreRead) {
  const std::string data = int16s({1, -2, 3, -4, 5, -6});
  for (const int version : {1, 2, 3}) {
    SCOPED_TRACE(version);
    const Planes planes = read(npy(header("<i2", "(3, 2)"), data, version));
    EXPECT_THAT(planes, ElementsAre(ElementsAre(0x1p-15, 3 * 0x1p-15, 5 * 0x1p-15),
                                    ElementsAre(-2 * 0x1p-15, -4 * 0x1p-15, -6 * 0x1p-15)));
    EXPECT_EQ(read(npy(header("<i2", "(6,)"), data, version)).size(), 1u);
  }
  EXPECT_EQ(read(npy(header("<i2", "(6, 1)"), data)).size(), 1u);
  EXPECT_EQ(read(npy(header("<i2", "(6L,)"), data))[0].size(), 6u);
  EXPECT_EQ(read(npy(header("<i2", "(0, 3)"), "")).size(), 3u);
  EXPECT_EQ(read(npy("{\"shape\":(1,6),\"fortran_order\":False,\"descr\":\"<i2\"}", data)).size(),
            6u);
  EXPECT_THAT(read(npy(header(">i2", "(2,)"), std::string("\x40\x00\xff\xff", 4)))[0],
              ElementsAre(0.5, -0x1p-15));
  EXPECT_THAT(read(npy(header(">f4", "(1,)"), std::string("\xbf\xc0\x00\x00", 4)))[0],
              ElementsAre(-1.5));
  EXPECT_THAT(
      read(npy(header(">f8", "(1,)"), std::string("\xbf\xf8\x00\x00\x00\x00\x00\x00", 8)))[0],
      ElementsAre(-1.5));
}

TEST_F(NpyFile, IsKnownByItsMagicWhateverItsName) {
  const std::string bytes = npy(header("<i2", "(1,)"), int16s({16384}));
  EXPECT_THAT(read_file(with_bytes("x.wav", bytes))[0], ElementsAre(0.5));
  EXPECT_THAT(read_refusal(with_bytes("y.npy", "RIFF....WAVE, or so")),
              AllOf(HasSubstr(path("y.npy")), HasSubstr(".npy")));
}

TEST_F(NpyFile, RefusesOtherLayouts) {
  const std::string data(64, '\0');
  EXPECT_THAT(refused(npy(header("<i2", "(4, 2)", "True"), data)), HasSubstr("Fortran"));
  for (const char* descr : {"<i4", "<i8", "|u1", "<c8", "<f2", "=f4", "|S4", "f4", ""}) {
    EXPECT_THAT(refused(npy(header(descr, "(4,)"), data)),
                AllOf(HasSubstr(fmt::format("'{}'", descr)), HasSubstr("float32")));
  }
  EXPECT_THAT(
      refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", data)),
      HasSubstr("header"));
  EXPECT_THAT(refused(npy(header("<i2", "(2, 2, 2)"), data)), HasSubstr("3 dimensions"));
  EXPECT_THAT(refused(npy(header("<i2", "()"), data)), HasSubstr("0 dimensions"));
  EXPECT_THAT(refused(npy(header("<i2", "(4, 0)"), data)), HasSubstr("0 channels"));
  EXPECT_THAT(refused(npy(header("<i2", "(1, 65537)"), data)), HasSubstr("65537 channels"));
}

TEST_F(NpyFile, RefusesHeadersThatLie) {
  const std::string data = int16s({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(refused(npy(header("<i2", "(4, 2)"), data)), AllOf(HasSubstr("4"), HasSubstr("12")));
  EXPECT_THAT(refused(npy(header("<i2", "(2, 2)"), data)), AllOf(HasSubstr("2"), HasSubstr("12")));
  EXPECT_THAT(refused(npy(header("<f8", "(2305843009213693952,)"), data)),
              HasSubstr("2305843009213693952"));
  EXPECT_THAT(refused(npy(header("<f8", "(4611686018427387904, 65536)"), data)),
              HasSubstr("4611686018427387904"));
  EXPECT_THAT(refused(npy(header("<i2", "(99999999999999999999999,)"), data)), HasSubstr("shape"));
  EXPECT_THAT(refused(npy(header("<i2", "(-1,)"), data)), HasSubstr("shape"));
}

TEST_F(NpyFile, RefusesDamagedHeaders) {
  const std::string data = int16s({1, 2});
  const std::string good = npy(header("<i2", "(2,)"), data);
  ASSERT_EQ(read(good)[0].size(), 2u);
  for (std::size_t length = 1; length < good.size(); ++length) {
    SCOPED_TRACE(length);
    EXPECT_NE(refused(good.substr(0, length)), "");
  }
  std::string version = good;
  version[6] = 4;
  EXPECT_THAT(refused(version), AllOf(HasSubstr("version"), HasSubstr("4")));
  std::string length = npy(header("<i2", "(2,)"), data, 2);
  length.replace(8, 4, "\xff\xff\xff\x7f");
  EXPECT_THAT(refused(length), HasSubstr("2147483647"));
  const char* texts[] = {
      "",
      "{}",
      "{",
      "{'descr': '<i2'}",
      "{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'more': True}",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'a\nb': True}",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), } and more",
      "{'descr': '<i2', 'fortran_order': false, 'shape': (2,), }",
      "{'descr': '<i2', 'fortran_order': Falsehood, 'shape': (2,), }",
      "{'descr': '<i2', 'fortran_order': False, 'shape': 2, }",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2, }",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (,), }",
      "{'descr: <i2",
      "['descr']",
  };
  for (const char* text : texts) {
    SCOPED_TRACE(text);
    EXPECT_THAT(refused(npy(text, data)), HasSubstr("header"));
  }
  EXPECT_THAT(refused(npy("{'descr': '<i\n2', 'fortran_order': False, 'shape': (2,), }", data)),
              HasSubstr("allowed"));
}

TEST_F(NpyFile, RefusesEncodingsThatItCannotHold) {
  for (const SampleEncoding encoding : {SampleEncoding::kInt24, SampleEncoding::kInt32}) {
    EXPECT_THAT(refusal(ErrorKind::kConfiguration,
                        [&] { io_test::write_file(path("x.npy"), {{0}}, encoding); }),
                AllOf(HasSubstr("x.npy"), HasSubstr(name(encoding)), HasSubstr("float64")));
  }
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace firbank
