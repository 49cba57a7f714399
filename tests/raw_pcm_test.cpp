#include "io/raw_pcm.hpp"

#include <bit>
#include <csignal>
#include <limits>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::bytes_of;
using io_test::FilesTest;
using io_test::noise;
using io_test::Planes;
using io_test::read_in_pieces;
using io_test::read_refusal;
using io_test::refusal;
using io_test::write_planes;
using testing::AllOf;
using testing::HasSubstr;

constexpr SampleEncoding kEncodings[] = {SampleEncoding::kInt16, SampleEncoding::kInt24,
                                         SampleEncoding::kInt32, SampleEncoding::kFloat32,
                                         SampleEncoding::kFloat64};

int bits_of(SampleEncoding encoding) {
  switch (encoding) {
    case SampleEncoding::kInt16:
      return 16;
    case SampleEncoding::kInt24:
    case SampleEncoding::kFloat32:
      return 24;
    case SampleEncoding::kInt32:
      return 32;
    case SampleEncoding::kFloat64:
      return 53;
  }
  return 0;
}

class RawPcm : public FilesTest {
 protected:
  static OpenOptions as(SampleEncoding encoding, std::size_t channels, bool big_endian = false) {
    OpenOptions options;
    options.raw_format = RawFormat{encoding, big_endian, channels, 48'000};
    return options;
  }

  static ClipCount write(const std::string& path, const Planes& planes, SampleEncoding encoding,
                         bool dither = false) {
    const auto sink = create_raw(path, planes.size(), encoding, dither);
    write_planes<double>(*sink, planes, 0, planes[0].size());
    sink->finish();
    return sink->clipped();
  }
};

TEST_F(RawPcm, EveryEncodingHoldsWhatItCanExactly) {
  for (const SampleEncoding encoding : kEncodings) {
    for (const std::size_t channels : {1, 2, 7}) {
      SCOPED_TRACE(std::string(name(encoding)) + ", channels " + std::to_string(channels));
      const Planes planes = noise(channels, 9'001, 1, bits_of(encoding));
      EXPECT_EQ(write(path("x.raw"), planes, encoding).samples, 0);
      EXPECT_EQ(bytes_of(path("x.raw")).size(), 9'001 * channels * bytes_per_sample(encoding));
      const auto source = open_source(path("x.raw"), as(encoding, channels));
      EXPECT_EQ(source->format().frames, 9'001);
      EXPECT_EQ(source->format().channels, channels);
      EXPECT_EQ(read_in_pieces<double>(*source, 2), planes);
    }
  }
}

TEST_F(RawPcm, FloatBlocksAreReadAndWrittenToo) {
  const Planes planes = noise(2, 5'000, 3, 24);
  for (const SampleEncoding encoding : kEncodings) {
    SCOPED_TRACE(name(encoding));
    const auto sink = create_raw(path("x.raw"), 2, encoding, false);
    write_planes<float>(*sink, planes, 0, 4'321);
    write_planes<float>(*sink, planes, 4'321, 679);
    sink->finish();
    const Planes back = read_in_pieces<float>(*open_source(path("x.raw"), as(encoding, 2)), 4);
    const double error = encoding == SampleEncoding::kInt16 ? 0x1p-16 : 0;
    for (std::size_t c = 0; c < 2; ++c) {
      ASSERT_EQ(back[c].size(), 5'000u);
      for (std::size_t n = 0; n < 5'000; ++n) ASSERT_NEAR(back[c][n], planes[c][n], error);
    }
  }
}

TEST_F(RawPcm, BytesAreInTheDeclaredOrder) {
  const auto read = [&](const std::string& bytes, SampleEncoding encoding, bool big_endian) {
    return io_test::read_file(with_bytes("x.raw", bytes), as(encoding, 1, big_endian))[0];
  };
  using testing::ElementsAre;
  const std::string zero(1, '\0');
  EXPECT_THAT(read("\x01\x80", SampleEncoding::kInt16, false), ElementsAre(-32767.0 / 32768));
  EXPECT_THAT(read("\x80\x01", SampleEncoding::kInt16, true), ElementsAre(-32767.0 / 32768));
  EXPECT_THAT(read("\x03\x02\x01", SampleEncoding::kInt24, false), ElementsAre(66051.0 / 8388608));
  EXPECT_THAT(read("\x01\x02\x03", SampleEncoding::kInt24, true), ElementsAre(66051.0 / 8388608));
  EXPECT_THAT(read("\xff\xff\xff\x7f", SampleEncoding::kInt32, false), ElementsAre(1 - 0x1p-31));
  EXPECT_THAT(read("\x7f\xff\xff\xff", SampleEncoding::kInt32, true), ElementsAre(1 - 0x1p-31));
  EXPECT_THAT(read(zero + zero + "\xc0\xbf", SampleEncoding::kFloat32, false), ElementsAre(-1.5));
  EXPECT_THAT(read("\xbf\xc0" + zero + zero, SampleEncoding::kFloat32, true), ElementsAre(-1.5));
  const std::string six(6, '\0');
  EXPECT_THAT(read(six + "\xf8\xbf", SampleEncoding::kFloat64, false), ElementsAre(-1.5));
  EXPECT_THAT(read("\xbf\xf8" + six, SampleEncoding::kFloat64, true), ElementsAre(-1.5));
}

TEST_F(RawPcm, IntegersAreRoundedLimitedAndCounted) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const double step = 0x1p-15;
  //                     rounds: to even           fits          does not
  const Planes planes = {{0.4 * step, 0.6 * step, 1.5 * step, -1, 1 - step, 1, -1 - step, 0},
                         {2.5 * step, -0.6 * step, 0, 0.5, nan, infinity, -infinity, 1e300}};
  const ClipCount clipped = write(path("x.raw"), planes, SampleEncoding::kInt16);
  const Planes expected = {{0, step, 2 * step, -1, 1 - step, 1 - step, -1, 0},
                           {2 * step, -step, 0, 0.5, 0, 1 - step, -1, 1 - step}};
  EXPECT_EQ(io_test::read_file(path("x.raw"), as(SampleEncoding::kInt16, 2)), expected);
  EXPECT_EQ(clipped.samples, 5);  // the NaN is spoiled, not clipped
  EXPECT_EQ(clipped.first_frame, 5);
}

TEST_F(RawPcm, FloatsKeepWhatIsNotFiniteAndLimitWhatIsTooLarge) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const double largest = std::numeric_limits<float>::max();
  const Planes planes = {{0, infinity, -infinity, nan, 1e39, -1e300, largest}};
  const ClipCount clipped = write(path("x.raw"), planes, SampleEncoding::kFloat32);
  const auto back = io_test::read_file(path("x.raw"), as(SampleEncoding::kFloat32, 1))[0];
  EXPECT_EQ(back[1], infinity);
  EXPECT_EQ(back[2], -infinity);
  EXPECT_TRUE(std::isnan(back[3]));
  EXPECT_EQ(back[4], largest);
  EXPECT_EQ(back[5], -largest);
  EXPECT_EQ(back[6], largest);
  EXPECT_EQ(clipped.samples, 2);
  EXPECT_EQ(clipped.first_frame, 4);

  EXPECT_EQ(write(path("x.raw"), planes, SampleEncoding::kFloat64).samples, 0);
  EXPECT_EQ(io_test::read_file(path("x.raw"), as(SampleEncoding::kFloat64, 1))[0][5], -1e300);
}

TEST_F(RawPcm, DitherIsTriangularRepeatableAndFreeOfBias) {
  // A constant between two steps: rounding alone would give one value for ever.
  constexpr std::size_t kFrames = 100'000;
  const double level = 10.25;
  const Planes planes(2, std::vector<double>(kFrames, level * 0x1p-15));
  write(path("a.raw"), planes, SampleEncoding::kInt16, true);
  write(path("b.raw"), planes, SampleEncoding::kInt16, true);
  EXPECT_EQ(bytes_of(path("a.raw")), bytes_of(path("b.raw")));

  const Planes back = io_test::read_file(path("a.raw"), as(SampleEncoding::kInt16, 2));
  double cross = 0;
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0;
    double square = 0;
    for (std::size_t n = 0; n < kFrames; ++n) {
      const double error = back[c][n] * 0x1p15 - level;
      ASSERT_LT(std::abs(error), 1.5);
      sum += error;
      square += error * error;
    }
    EXPECT_NEAR(sum / kFrames, 0, 0.01);
    EXPECT_NEAR(square / kFrames, 0.25, 0.01);  // 1/6 of the dither and 1/12 of the rounding
  }
  for (std::size_t n = 0; n < kFrames; ++n) {
    cross += (back[0][n] * 0x1p15 - level) * (back[1][n] * 0x1p15 - level);
  }
  EXPECT_NEAR(cross / kFrames, 0, 0.01) << "the channels have the same dither";

  const auto sink = create_raw(path("c.raw"), 2, SampleEncoding::kInt16, true);
  for (std::size_t n = 0; n < kFrames; n += 1'000) write_planes<double>(*sink, planes, n, 1'000);
  sink->finish();
  EXPECT_EQ(bytes_of(path("a.raw")), bytes_of(path("c.raw"))) << "blocks change the dither";
}

TEST_F(RawPcm, KeepsTheWholeFramesOfWhatEndsInsideAFrame) {
  const Planes planes = noise(2, 100, 3);
  write(path("x.raw"), planes, SampleEncoding::kFloat32);
  const std::string bytes = bytes_of(path("x.raw"));
  for (const std::size_t rest : {0, 1, 5, 7}) {
    SCOPED_TRACE(rest);
    const std::string file = with_bytes("cut.raw", bytes + std::string(rest, 'x'));
    const auto source = open_source(file, as(SampleEncoding::kFloat32, 2));
    EXPECT_EQ(source->format().frames, 100);
    EXPECT_EQ(read_in_pieces<double>(*source, 6), planes);
    EXPECT_EQ(source->incomplete_frame_bytes(), rest);
  }
}

TEST_F(RawPcm, RefusesWhatIsNoFile) {
  const OpenOptions options = as(SampleEncoding::kFloat32, 2);
  EXPECT_THAT(read_refusal(path("none.raw"), options),
              AllOf(HasSubstr(path("none.raw")), HasSubstr("No such file")));
  EXPECT_THAT(read_refusal(path(""), options), HasSubstr("directory"));
}

TEST_F(RawPcm, StandardInputNeedsAFormat) {
  EXPECT_THAT(refusal(ErrorKind::kConfiguration, [] { open_source("-"); }),
              HasSubstr("standard input"));
}

// Standard input and output, while one lives, are another file.
class Redirected {
 public:
  Redirected(int descriptor, int other) : descriptor_(descriptor), saved_(::dup(descriptor)) {
    ::dup2(other, descriptor);
  }
  ~Redirected() {
    ::dup2(saved_, descriptor_);
    ::close(saved_);
  }

 private:
  int descriptor_;
  int saved_;
};

TEST_F(RawPcm, SamplesPassThroughPipes) {
  const Planes planes = noise(3, 100'000, 5, 24);  // more than a pipe holds
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  std::thread writer([&] {
    const std::string bytes = [&] {
      write(path("x.raw"), planes, SampleEncoding::kInt24);
      return bytes_of(path("x.raw"));
    }();
    for (std::size_t at = 0; at < bytes.size();) {  // in odd pieces
      const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 + at % 7'919);
      const ssize_t done = ::write(pipe_ends[1], bytes.data() + at, piece);
      if (done <= 0) break;
      at += static_cast<std::size_t>(done);
    }
    ::close(pipe_ends[1]);
  });
  Planes back;
  {
    const Redirected input(STDIN_FILENO, pipe_ends[0]);
    const auto source = open_source("-", as(SampleEncoding::kInt24, 3));
    EXPECT_FALSE(source->format().frames.has_value());
    back = read_in_pieces<double>(*source, 6);
  }
  writer.join();
  ::close(pipe_ends[0]);
  EXPECT_EQ(back, planes);
}

TEST_F(RawPcm, APipeThatEndsInsideAFrameIsToldAtItsEnd) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  ASSERT_EQ(::write(pipe_ends[1], "0123456789", 10), 10);
  ::close(pipe_ends[1]);
  {
    const Redirected input(STDIN_FILENO, pipe_ends[0]);
    const auto source = open_source("-", as(SampleEncoding::kFloat32, 2));
    EXPECT_EQ(read_in_pieces<double>(*source, 6)[0].size(), 1u);
    EXPECT_EQ(source->incomplete_frame_bytes(), 2u);
  }
  ::close(pipe_ends[0]);
}

TEST_F(RawPcm, StandardOutputGetsLittleEndianSamplesAndNothingElse) {
  const Planes planes = noise(2, 1'000, 7);
  const int file = ::open(path("out").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_GE(file, 0);
  {
    const Redirected output(STDOUT_FILENO, file);
    io_test::write_file("-", planes, SampleEncoding::kInt16);
  }
  ::close(file);
  EXPECT_EQ(io_test::read_file(path("out"), as(SampleEncoding::kInt16, 2)), planes);
}

TEST_F(RawPcm, AClosedPipeIsAnErrorWithItsReason) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  ::close(pipe_ends[0]);
  {
    const Redirected output(STDOUT_FILENO, pipe_ends[1]);
    EXPECT_THAT(refusal(ErrorKind::kOutput,
                        [&] { io_test::write_file("-", noise(1, 10, 1), SampleEncoding::kInt16); }),
                AllOf(HasSubstr("standard output"), HasSubstr("Broken pipe")));
  }
  ::close(pipe_ends[1]);
  std::signal(SIGPIPE, before);
}

TEST_F(RawPcm, NamedPipesAreWrittenAndReadDirectly) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Planes planes = noise(2, 50'000, 8);
  std::thread writer([&] { io_test::write_file(pipe, planes, SampleEncoding::kInt16); });
  EXPECT_EQ(io_test::read_file(pipe, as(SampleEncoding::kInt16, 2)), planes);
  writer.join();
  EXPECT_THAT(names(), testing::ElementsAre("pipe"));
}

}  // namespace
}  // namespace firbank
