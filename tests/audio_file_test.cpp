#include "io/audio_file.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include <sys/stat.h>

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
using testing::HasSubstr;

struct Case {
  const char* name;
  SampleEncoding encoding;
  int bits;  // that it holds exactly
};

const Case kCases[] = {
    {"x.wav", SampleEncoding::kInt16, 16},    {"x.wav", SampleEncoding::kInt24, 24},
    {"x.wav", SampleEncoding::kInt32, 32},    {"x.wav", SampleEncoding::kFloat32, 24},
    {"x.wav", SampleEncoding::kFloat64, 53},  {"x.WAV", SampleEncoding::kInt16, 16},
    {"x.rf64", SampleEncoding::kFloat32, 24}, {"x.w64", SampleEncoding::kInt24, 24},
    {"x.w64", SampleEncoding::kFloat64, 53},  {"x.flac", SampleEncoding::kInt16, 16},
    {"x.flac", SampleEncoding::kInt24, 24},   {"x.aiff", SampleEncoding::kInt16, 16},
    {"x.aiff", SampleEncoding::kInt24, 24},   {"x.aif", SampleEncoding::kFloat32, 24},
    {"x.caf", SampleEncoding::kInt32, 32},    {"x.caf", SampleEncoding::kFloat64, 53},
    {"x.au", SampleEncoding::kInt16, 16},     {"x.au", SampleEncoding::kFloat32, 24},
};

// A WAV of 16-bit samples with the given sizes in its header.
std::string wav(std::uint64_t riff_size, std::uint64_t data_size, const std::string& data,
                int channels = 1, const std::string& before_data = "") {
  const auto frame = static_cast<std::uint64_t>(2 * channels);
  return "RIFF" + little_endian(riff_size, 4) + "WAVEfmt " + little_endian(16, 4) +
         little_endian(1, 2) + little_endian(static_cast<std::uint64_t>(channels), 2) +
         little_endian(48'000, 4) + little_endian(48'000 * frame, 4) + little_endian(frame, 2) +
         little_endian(16, 2) + before_data + "data" + little_endian(data_size, 4) + data;
}

class AudioFile : public FilesTest {
 protected:
  std::string refused(const std::string& name, const std::string& bytes) const {
    const std::string file = with_bytes(name, bytes);
    const std::string message = read_refusal(file);
    EXPECT_THAT(message, HasSubstr(file));
    return message;
  }
};

TEST_F(AudioFile, EveryFormatHoldsItsBitsExactly) {
  for (const Case& one : kCases) {
    for (const std::size_t channels : {1, 2, 6}) {
      SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding) + " x " +
                   std::to_string(channels));
      const Planes planes = noise(channels, 10'001, 1, one.bits);
      EXPECT_EQ(io_test::write_file(path(one.name), planes, one.encoding, 44'100).samples, 0);
      const auto source = open_source(path(one.name));
      EXPECT_EQ(source->format().channels, channels);
      EXPECT_EQ(source->format().sample_rate_hz, 44'100);
      EXPECT_EQ(source->format().frames, 10'001);
      EXPECT_FALSE(source->format().encoding.empty());
      EXPECT_EQ(read_in_pieces<double>(*source, 2), planes);

      const Planes floats = read_in_pieces<float>(*open_source(path(one.name)), 3);
      for (std::size_t c = 0; c < channels; ++c) {
        ASSERT_EQ(floats[c].size(), planes[c].size());
        for (std::size_t n = 0; n < planes[c].size(); ++n) {
          ASSERT_EQ(floats[c][n], static_cast<double>(static_cast<float>(planes[c][n]))) << n;
        }
      }
    }
  }
  EXPECT_FALSE(names().empty());
}

TEST_F(AudioFile, FloatBlocksAreWrittenToo) {
  const Planes planes = noise(2, 5'000, 1, 24);
  for (const Case& one : kCases) {
    if (one.bits < 24) continue;
    SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding));
    CreateOptions options;
    options.encoding = one.encoding;
    const auto sink = create_sink(path(one.name), {2, 48'000, std::nullopt, ""}, options);
    io_test::write_planes<float>(*sink, planes, 0, 4'999);
    io_test::write_planes<double>(*sink, planes, 4'999, 1);
    sink->finish();
    EXPECT_EQ(read_file(path(one.name)), planes);
  }
}

TEST_F(AudioFile, EveryBitOfADoubleSurvives) {
  Planes planes = noise(1, 1'000, 1, 53);
  planes[0][3] = std::numeric_limits<double>::denorm_min();
  planes[0][4] = 1e300;
  planes[0][5] = -std::numeric_limits<double>::infinity();
  planes[0][6] = std::numeric_limits<double>::quiet_NaN();
  for (const char* file : {"x.wav", "x.w64", "x.caf"}) {
    SCOPED_TRACE(file);
    io_test::write_file(path(file), planes, SampleEncoding::kFloat64);
    const Planes back = read_file(path(file));
    ASSERT_EQ(back[0].size(), 1'000u);
    EXPECT_EQ(std::memcmp(back[0].data(), planes[0].data(), 8'000), 0);
  }
}

TEST_F(AudioFile, TheDefaultIsFloatWhereItFitsAndElseTheWidestInteger) {
  for (const auto& [file, words] : {std::pair{"x.wav", "32 bit float"}, {"x.flac", "24 bit"}}) {
    const auto sink = create_sink(path(file), {1, 48'000, std::nullopt, ""});
    io_test::write_planes<double>(*sink, {{0.5, 0.25}}, 0, 2);
    sink->finish();
    EXPECT_THAT(open_source(path(file))->format().encoding, HasSubstr(words));
    EXPECT_EQ(read_file(path(file)), (Planes{{0.5, 0.25}}));
  }
}

TEST_F(AudioFile, ShortWavFilesArePlainWav) {
  io_test::write_file(path("x.wav"), noise(2, 100, 1), SampleEncoding::kInt16);
  EXPECT_EQ(bytes_of(path("x.wav")).substr(0, 12),
            "RIFF" + little_endian(80 + 400 - 8, 4) + "WAVE");
  EXPECT_THAT(open_source(path("x.wav"))->format().encoding, HasSubstr("WAV"));
}

TEST_F(AudioFile, AWavOfAKnownLengthHasAHeaderOf44Bytes) {
  const Planes planes = noise(2, 101, 1);
  CreateOptions options;
  options.encoding = SampleEncoding::kInt16;
  std::string data;
  for (std::size_t n = 0; n < 101; ++n) {
    for (const auto& plane : planes) {
      const auto code = static_cast<std::int16_t>(plane[n] * 32'768);
      data += little_endian(static_cast<std::uint64_t>(code), 2);
    }
  }
  // The length is only a promise: the header tells what came.
  for (const std::int64_t promised : {101, 50, 1'000}) {
    const auto sink = create_sink(path("x.wav"), {2, 48'000, promised, ""}, options);
    io_test::write_planes<double>(*sink, planes, 0, 101);
    sink->finish();
    EXPECT_EQ(bytes_of(path("x.wav")), wav(36 + 404, 404, data, 2));
  }
}

TEST_F(AudioFile, ChunksOfAWavHaveAnEvenSize) {
  io_test::write_file(path("x.wav"), noise(1, 3, 1), SampleEncoding::kInt24);
  const std::string bytes = bytes_of(path("x.wav"));
  EXPECT_EQ(bytes.size(), 80u + 9u + 1u);
  EXPECT_EQ(bytes.substr(4, 4), little_endian(bytes.size() - 8, 4));
  EXPECT_EQ(read_file(path("x.wav"))[0].size(), 3u);
}

TEST_F(AudioFile, AnRf64NeedsNotBeLong) {
  io_test::write_file(path("x.rf64"), noise(2, 100, 1), SampleEncoding::kInt16);
  EXPECT_EQ(bytes_of(path("x.rf64")).substr(0, 4), "RF64");
  EXPECT_THAT(open_source(path("x.rf64"))->format().encoding, HasSubstr("RF64"));
}

TEST_F(AudioFile, FilesAreTheSameWheneverTheyAreWritten) {
  for (const Case& one : kCases) {
    if (std::string(one.name) == "x.WAV") continue;
    const Planes planes = noise(1, 500, 1, one.bits);
    io_test::write_file(path(one.name), planes, one.encoding);
    // The chunk that holds the largest sample holds the time of writing too.
    const std::string bytes = bytes_of(path(one.name));
    const std::size_t tag = bytes.find("PEAK");
    if (tag == std::string::npos) continue;
    EXPECT_EQ(bytes.substr(tag + 12, 4), std::string(4, '\0')) << one.name;
    EXPECT_EQ(read_file(path(one.name)), planes);
  }
}

TEST_F(AudioFile, IntegersAreLimitedAndCounted) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Planes planes(2, std::vector<double>(5'000, 0.25));
  planes[1][4'500] = 1.5;
  planes[0][4'600] = -1.5;
  planes[0][4'700] = nan;
  planes[0][4'800] = -1.0;
  for (const Case& one : kCases) {
    if (one.encoding == SampleEncoding::kFloat32 || one.encoding == SampleEncoding::kFloat64) {
      continue;
    }
    SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding));
    const ClipCount clipped = io_test::write_file(path(one.name), planes, one.encoding);
    EXPECT_EQ(clipped.samples, 2);  // the NaN is spoiled, not clipped
    EXPECT_EQ(clipped.first_frame, 4'500);
    const Planes back = read_file(path(one.name));
    EXPECT_EQ(back[1][4'500], 1 - std::ldexp(1.0, 1 - one.bits));
    EXPECT_EQ(back[0][4'600], -1.0);
    EXPECT_EQ(back[0][4'700], 0.0);
    EXPECT_EQ(back[0][4'800], -1.0);
    EXPECT_EQ(back[0][4'999], 0.25);
  }
}

TEST_F(AudioFile, FloatFilesLimitWhatTheyCannotHold) {
  const double largest = std::numeric_limits<float>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  const ClipCount clipped =
      io_test::write_file(path("x.wav"), {{0, infinity, 1e39, -1e40}}, SampleEncoding::kFloat32);
  EXPECT_EQ(clipped.samples, 2);
  EXPECT_EQ(clipped.first_frame, 2);
  EXPECT_EQ(read_file(path("x.wav")), (Planes{{0, infinity, largest, -largest}}));
}

TEST_F(AudioFile, DitherIsTheSameHoweverTheBlocksAreCut) {
  const Planes planes = noise(2, 6'000, 1, 40);
  CreateOptions options;
  options.encoding = SampleEncoding::kInt16;
  options.dither = true;
  for (const auto& [file, step] : {std::pair{"a.wav", 6'000}, {"b.wav", 60}}) {
    const auto sink = create_sink(path(file), {2, 48'000, std::nullopt, ""}, options);
    const auto frames = static_cast<std::size_t>(step);
    for (std::size_t n = 0; n < 6'000; n += frames) {
      io_test::write_planes<double>(*sink, planes, n, frames);
    }
    sink->finish();
  }
  EXPECT_EQ(read_file(path("a.wav")), read_file(path("b.wav")));
  io_test::write_file(path("c.wav"), planes, SampleEncoding::kInt16);
  EXPECT_NE(read_file(path("a.wav")), read_file(path("c.wav")));
}

TEST_F(AudioFile, RefusesWhatIsNoAudio) {
  EXPECT_THAT(read_refusal(path("none.wav")),
              AllOf(HasSubstr(path("none.wav")), HasSubstr("No such file")));
  EXPECT_THAT(read_refusal(path("")), HasSubstr("directory"));
  EXPECT_THAT(refused("empty.wav", ""), HasSubstr("empty"));
  EXPECT_NE(refused("text.wav", "this is no audio, whatever its name says\n"), "");
  EXPECT_THAT(refused("zeros.flac", std::string(10'000, '\0')), HasSubstr("allowed: WAV"));
  EXPECT_THAT(read_refusal(""), HasSubstr("''"));
}

// The library would take it for MP3 and tell stderr what it thinks of it.
TEST_F(AudioFile, RefusesWhatLooksLikeMp3InSilence) {
  std::mt19937_64 random(1);
  std::string bytes = "\xff\xfb\x90";
  for (int n = 0; n < 5'000; ++n) bytes += static_cast<char>(random());
  testing::internal::CaptureStderr();
  EXPECT_THAT(refused("x.mp3", bytes), AllOf(HasSubstr("MP3"), HasSubstr("allowed: WAV")));
  EXPECT_THAT(refused("x.wav", "ID3\3" + std::string(16, '\0') + bytes), HasSubstr("allowed: WAV"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(AudioFile, NamesTheNumberInAHeaderThatIsNotAllowed) {
  struct Place {
    const char* name;
    const char* chunk;
    std::size_t channels, rate, rate_bytes, bits;  // from the chunk's tag on
    bool big_endian;
  };
  const Place places[] = {
      {"x.wav", "fmt ", 10, 12, 4, 22, false}, {"x.rf64", "fmt ", 10, 12, 4, 22, false},
      {"x.w64", "fmt ", 26, 28, 4, 38, false}, {"x.aiff", "COMM", 8, 16, 10, 14, true},
      {"x.caf", "desc", 38, 12, 8, 42, true},  {"x.au", ".snd", 22, 16, 4, 0, true},
  };
  for (const Place& place : places) {
    SCOPED_TRACE(place.name);
    io_test::write_file(path("whole" + std::string(place.name)), noise(2, 1'000, 1),
                        SampleEncoding::kInt16);
    const std::string whole = bytes_of(path("whole" + std::string(place.name)));
    const std::size_t chunk = whole.find(place.chunk);
    ASSERT_NE(chunk, whole.npos);
    const auto with = [&](std::size_t at, const std::string& bytes) {
      return refused(place.name, std::string(whole).replace(chunk + at, bytes.size(), bytes));
    };
    const auto number = [&](unsigned value) {
      const std::string low(1, static_cast<char>(value));
      const std::string high(1, static_cast<char>(value >> 8));
      return place.big_endian ? high + low : low + high;
    };
    EXPECT_THAT(with(place.channels, number(0)), HasSubstr("0 channels; allowed: 1 to 1024"));
    EXPECT_THAT(with(place.channels, number(40'000)),
                HasSubstr("40000 channels; allowed: 1 to 1024"));
    EXPECT_THAT(with(place.rate, std::string(place.rate_bytes, '\0')),
                HasSubstr("rate of 0 Hz; allowed: 1 to"));
    if (place.bits != 0) {
      EXPECT_THAT(with(place.bits, number(0)),
                  AllOf(HasSubstr("2 channels of 0 bits at 48000 Hz"), HasSubstr("allowed: ")));
    }
  }
}

TEST_F(AudioFile, SaysHowFarADamagedFlacCanBeRead) {
  io_test::write_file(path("whole.flac"), noise(2, 20'000, 1), SampleEncoding::kInt16);
  std::string bytes = bytes_of(path("whole.flac"));
  std::string no_rate = bytes;
  no_rate.replace(18, 2, 2, '\0');
  no_rate[20] = static_cast<char>(no_rate[20] & 0x0f);
  EXPECT_THAT(refused("x.flac", no_rate), HasSubstr("rate of 0 Hz"));
  for (std::size_t at = bytes.size() / 2; at < bytes.size() / 2 + 200; ++at) bytes[at] ^= 0x5a;
  EXPECT_THAT(refused("x.flac", bytes), AllOf(HasSubstr("damaged after"), HasSubstr("of 20000")));
}

TEST_F(AudioFile, APipeWithWhatItCannotCarryIsCalledAPipe) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const char* name : {"x.npy", "x.flac", "x.caf", "x.w64", "x.rf64"}) {
    SCOPED_TRACE(name);
    io_test::write_file(path(name), noise(2, 100, 1), SampleEncoding::kInt16);
    const std::string bytes = bytes_of(path(name));
    std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
    EXPECT_THAT(read_refusal(pipe), AllOf(HasSubstr(pipe), HasSubstr("it is a pipe")));
    writer.join();
  }
}

TEST_F(AudioFile, RefusesHeadersThatAreCutShort) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding));
    io_test::write_file(path("whole" + std::string(one.name)), noise(2, 1'000, 1, one.bits),
                        one.encoding);
    const std::string bytes = bytes_of(path("whole" + std::string(one.name)));
    for (const std::size_t length : {4, 11, 12, 20, 30}) {
      SCOPED_TRACE(length);
      EXPECT_NE(refused(one.name, bytes.substr(0, length)), "");
    }
  }
}

TEST_F(AudioFile, RefusesFilesThatHoldLessThanTheyClaim) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding));
    io_test::write_file(path("whole" + std::string(one.name)), noise(2, 10'000, 1, one.bits),
                        one.encoding);
    const std::string bytes = bytes_of(path("whole" + std::string(one.name)));
    for (const std::size_t cut : {1, 2'000, 20'000}) {
      SCOPED_TRACE(cut);
      EXPECT_NE(refused(one.name, bytes.substr(0, bytes.size() - cut)), "");
    }
  }
}

TEST_F(AudioFile, SaysWhatAWavClaimsAndWhatItHolds) {
  const std::string data(1'000, 'x');
  EXPECT_THAT(refused("x.wav", wav(36 + 5'000, 5'000, data)),
              AllOf(HasSubstr("5000"), HasSubstr("1000")));
  EXPECT_THAT(refused("x.wav", wav(36 + 1'002, 1'002, data)),
              AllOf(HasSubstr("1002"), HasSubstr("1000")));
}

TEST_F(AudioFile, RefusesAWavWhoseFramesContradictItsSamples) {
  struct Wrong {
    unsigned kind, bits, frame_bytes, channels;
  };
  const Wrong wrong[] = {{1, 17, 4, 1}, {1, 8, 8, 1},  {1, 16, 1, 1}, {1, 24, 8, 2}, {1, 32, 4, 2},
                         {3, 32, 8, 1}, {3, 64, 4, 1}, {3, 32, 4, 2}, {7, 8, 2, 1}};
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const Wrong& one : wrong) {
    for (const bool extensible : {false, true}) {
      SCOPED_TRACE(testing::Message() << "kind " << one.kind << ", " << one.bits << " bits, "
                                      << one.frame_bytes << " bytes, extensible " << extensible);
      const std::string data(800, 'x');
      std::string fmt = little_endian(extensible ? 0xfffe : one.kind, 2) +
                        little_endian(one.channels, 2) + little_endian(48'000, 4) +
                        little_endian(48'000 * one.frame_bytes, 4) +
                        little_endian(one.frame_bytes, 2) + little_endian(one.bits, 2);
      if (extensible) {
        fmt += little_endian(22, 2) + little_endian(one.bits, 2) + little_endian(0, 4) +
               little_endian(one.kind, 2) +
               std::string("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
      }
      const std::string bytes = "RIFF" + little_endian(4 + 8 + fmt.size() + 8 + data.size(), 4) +
                                "WAVEfmt " + little_endian(fmt.size(), 4) + fmt + "data" +
                                little_endian(data.size(), 4) + data;
      const auto names_all =
          AllOf(HasSubstr("contradicts itself: frames of " + std::to_string(one.frame_bytes)),
                HasSubstr(std::to_string(one.bits) + " bits"),
                HasSubstr("channels: " + std::to_string(one.channels)));
      EXPECT_THAT(refused("x.wav", bytes), names_all);
      std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
      // The library itself refuses some through pipes.
      EXPECT_THAT(read_refusal(pipe), testing::AnyOf(names_all, HasSubstr("it is a pipe")));
      writer.join();
    }
  }
}

TEST_F(AudioFile, RefusesOgg) {
  EXPECT_THAT(refused("x.ogg", "OggS" + std::string(2'000, '\0')), HasSubstr("allowed: WAV"));
}

TEST_F(AudioFile, RefusesZeroChannels) {
  EXPECT_THAT(refused("x.wav", wav(36 + 8, 8, "01234567", 0)), HasSubstr("hannel"));
}

// Programs that write a WAV into a pipe cannot know its length.
TEST_F(AudioFile, WavFilesOfOpenLengthAreReadToTheirEnd) {
  std::string data;
  for (int n = 0; n < 3'000; ++n) data += little_endian(static_cast<std::uint64_t>(n), 2);
  const std::string list = "LIST" + little_endian(26, 4) + "INFOISFT" + little_endian(14, 4) +
                           std::string("Lavf59.27.100\0", 14);
  struct Open {
    const char* like;
    std::uint64_t riff_size;
    std::uint64_t data_size;
    std::string before_data;
  };
  const Open cases[] = {
      {"ffmpeg", 0xffff'ffff, 0xffff'ffff, list},
      {"sox", 0x7fff'f024, 0x7fff'f000, ""},
      {"arecord", 0x7fff'ff24, 0x7fff'ff00, ""},
      {"largest", 0x8000'0024 - 1, 0x7fff'ffff, ""},
      {"never patched", 0, 0, ""},
      {"never patched, with its header's length", 36, 0, ""},
  };
  for (const Open& one : cases) {
    SCOPED_TRACE(one.like);
    for (const int channels : {1, 3}) {
      SCOPED_TRACE(channels);
      const std::string file =
          with_bytes("x.wav", wav(one.riff_size, one.data_size, data, channels, one.before_data));
      const Planes planes = read_file(file);
      ASSERT_EQ(planes.size(), static_cast<std::size_t>(channels));
      ASSERT_EQ(planes[0].size(), 3'000u / static_cast<std::size_t>(channels));
      for (std::size_t n = 0; n < planes[0].size(); ++n) {
        ASSERT_EQ(planes[0][n] * 32'768, static_cast<double>(n) * channels);
      }
    }
  }
}

TEST_F(AudioFile, SomeMayComeThroughANamedPipe) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Planes planes = noise(2, 50'000, 1);
  for (const char* name : {"x.wav", "x.aiff", "x.au"}) {
    SCOPED_TRACE(name);
    io_test::write_file(path(name), planes, SampleEncoding::kInt16);
    const std::string bytes = bytes_of(path(name));
    std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
    EXPECT_EQ(read_file(pipe), planes);
    writer.join();
  }
}

TEST_F(AudioFile, OtherChunksMayFollowTheSamples) {
  const std::string data(1'000, '\1');
  const std::string tail = "LIST" + little_endian(4, 4) + "INFO";
  const std::string file = with_bytes("x.wav", wav(36 + 1'000 + 12, 1'000, data) + tail);
  EXPECT_EQ(read_file(file)[0].size(), 500u);
}

TEST_F(AudioFile, DamagedBytesAreRefusedOrReadButNeverCrash) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(std::string(one.name) + " " + name(one.encoding));
    io_test::write_file(path("whole" + std::string(one.name)), noise(2, 300, 1, one.bits),
                        one.encoding);
    const std::string whole = bytes_of(path("whole" + std::string(one.name)));
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      SCOPED_TRACE(seed);
      std::mt19937_64 random(seed);
      std::string bytes = whole;
      for (int i = 0; i < 4; ++i) bytes[random() % 120] = static_cast<char>(random());
      const std::string file = with_bytes(one.name, bytes);
      try {
        const Planes planes = read_file(file);
        EXPECT_GE(planes.size(), 1u);
        EXPECT_LE(planes[0].size() * planes.size(), 400'000u);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput);
        EXPECT_THAT(error.what(), AllOf(HasSubstr(file), testing::Not(HasSubstr("\n"))));
      }
    }
  }
}

TEST_F(AudioFile, RefusesWhatAContainerCannotHold) {
  const auto refused_output = [&](const std::string& name, const StreamFormat& format,
                                  std::optional<SampleEncoding> encoding) {
    CreateOptions options;
    options.encoding = encoding;
    const std::string message =
        refusal(ErrorKind::kConfiguration, [&] { create_sink(path(name), format, options); });
    EXPECT_THAT(message, HasSubstr(path(name)));
    return message;
  };
  const StreamFormat good{2, 48'000, std::nullopt, ""};
  for (const SampleEncoding encoding :
       {SampleEncoding::kFloat32, SampleEncoding::kFloat64, SampleEncoding::kInt32}) {
    EXPECT_THAT(refused_output("x.flac", good, encoding),
                AllOf(HasSubstr(name(encoding)), HasSubstr("int24")));
  }
  EXPECT_THAT(refused_output("x.flac", {9, 48'000, std::nullopt, ""}, {}),
              HasSubstr("9 channels; allowed: 1 to 8"));
  EXPECT_THAT(refused_output("x.flac", {1, 1e6, std::nullopt, ""}, {}),
              HasSubstr("1000000 Hz; allowed: whole numbers from 1 to 655350"));
  for (const char* file : {"x.wav", "x.w64", "x.aiff", "x.caf", "x.au"}) {
    EXPECT_THAT(refused_output(file, {65'536, 48'000, std::nullopt, ""}, {}),
                HasSubstr("65536 channels; allowed: 1 to 1024"));
  }
  EXPECT_THAT(refused_output("x.wav", {1, 44'100.5, std::nullopt, ""}, {}), HasSubstr("44100.5"));
  EXPECT_THAT(refused_output("x.wav", {1, 0, std::nullopt, ""}, {}), HasSubstr("0 Hz"));
  EXPECT_THAT(refused_output("x.wav", {1, -1, std::nullopt, ""}, {}), HasSubstr("-1"));
  EXPECT_THAT(refused_output("x.wav", {0, 48'000, std::nullopt, ""}, {}), HasSubstr("0"));
  EXPECT_THAT(refused_output("x.mp3", good, {}), AllOf(HasSubstr(".flac"), HasSubstr(".npy")));
  EXPECT_THAT(refused_output("x", good, {}), HasSubstr(".wav"));
  EXPECT_THAT(refusal(ErrorKind::kConfiguration, [&] { create_sink("", good); }), HasSubstr("''"));
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace firbank
