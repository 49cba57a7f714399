#include "io/wav_header.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::little_endian;

constexpr std::uint64_t k4GiB = std::uint64_t{1} << 32;

std::string format_chunk(std::uint64_t tag, std::uint64_t channels, std::uint64_t bits) {
  const std::uint64_t frame = channels * bits / 8;
  const std::string extra = tag == 3 ? std::string(2, '\0') : "";
  return "fmt " + little_endian(16 + extra.size(), 4) + little_endian(tag, 2) +
         little_endian(channels, 2) + little_endian(44'100, 4) + little_endian(44'100 * frame, 4) +
         little_endian(frame, 2) + little_endian(bits, 2) + extra;
}

WavHeader header_of(SampleEncoding encoding, std::size_t channels, std::uint64_t frames,
                    WavLength length) {
  return {encoding, channels, 44'100, length, frames};
}

TEST(WavHeader, IsThePlainestWhenTheFileIsShort) {
  const std::pair<SampleEncoding, std::uint64_t> encodings[] = {
      {SampleEncoding::kInt16, 16}, {SampleEncoding::kInt24, 24}, {SampleEncoding::kInt32, 32}};
  for (const auto& [encoding, bits] : encodings) {
    for (const std::size_t channels : {1, 2, 6}) {
      SCOPED_TRACE(std::string(name(encoding)) + " x " + std::to_string(channels));
      const std::uint64_t bytes = 1'001 * channels * bits / 8;
      EXPECT_EQ(make_wav_header(header_of(encoding, channels, 1'001, WavLength::kShort)),
                "RIFF" + little_endian(36 + bytes + bytes % 2, 4) + "WAVE" +
                    format_chunk(1, channels, bits) + "data" + little_endian(bytes, 4));
    }
  }
  EXPECT_EQ(make_wav_header(header_of(SampleEncoding::kFloat32, 2, 3, WavLength::kShort)),
            "RIFF" + little_endian(50 + 24, 4) + "WAVE" + format_chunk(3, 2, 32) + "fact" +
                little_endian(4, 4) + little_endian(3, 4) + "data" + little_endian(24, 4));
}

TEST(WavHeader, HasRoomToGrowWhereTheLengthIsOpen) {
  const auto header = [](std::uint64_t frames) {
    return make_wav_header(header_of(SampleEncoding::kInt16, 2, frames, WavLength::kOpen));
  };
  const std::string format = format_chunk(1, 2, 16);
  EXPECT_EQ(header(100), "RIFF" + little_endian(72 + 400, 4) + "WAVEJUNK" + little_endian(28, 4) +
                             std::string(28, '\0') + format + "data" + little_endian(400, 4));
  const std::uint64_t frames = k4GiB;
  EXPECT_EQ(header(frames), "RF64" + little_endian(k4GiB - 1, 4) + "WAVEds64" +
                                little_endian(28, 4) + little_endian(72 + 4 * frames, 8) +
                                little_endian(4 * frames, 8) + little_endian(frames, 8) +
                                little_endian(0, 4) + format + "data" +
                                little_endian(k4GiB - 1, 4));
}

TEST(WavHeader, ItsSizeDoesNotDependOnTheFrames) {
  for (const WavLength length : {WavLength::kOpen, WavLength::kLong}) {
    for (const SampleEncoding encoding : {SampleEncoding::kInt24, SampleEncoding::kFloat64}) {
      const std::size_t size = make_wav_header(header_of(encoding, 1, 0, length)).size();
      EXPECT_EQ(make_wav_header(header_of(encoding, 1, k4GiB, length)).size(), size);
    }
  }
}

TEST(WavHeader, EveryNumberOfAShortFileFitsIn32Bits) {
  for (const SampleEncoding encoding : {SampleEncoding::kInt24, SampleEncoding::kFloat32}) {
    WavHeader header = header_of(encoding, 1, k4GiB / bytes_per_sample(encoding), WavLength::kOpen);
    EXPECT_FALSE(is_short_wav(header));
    while (!is_short_wav(header)) --header.frames;
    const std::string text = make_wav_header(header);
    EXPECT_EQ(text.substr(0, 4), "RIFF");
    const std::uint64_t bytes = header.data_bytes();
    EXPECT_EQ(text.substr(4, 4), little_endian(text.size() - 8 + bytes + bytes % 2, 4));
    EXPECT_LT(text.size() + bytes + bytes % 2, k4GiB);
    ++header.frames;
    EXPECT_EQ(make_wav_header(header).substr(0, 4), "RF64");
  }
}

}  // namespace
}  // namespace firbank
