// Outputs appear when they are complete, or not at all; what cannot be written says why.
#include "io/output_file.hpp"

#include <csignal>
#include <limits>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

namespace fs = std::filesystem;
using io_test::bytes_of;
using io_test::FilesTest;
using io_test::noise;
using io_test::Planes;
using io_test::read_file;
using io_test::refusal;
using io_test::write_planes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kNames[] = {"x.raw", "x.npy", "x.wav", "x.w64", "x.flac", "x.aiff"};

class Output : public FilesTest {
 protected:
  static std::unique_ptr<Sink> create(const std::string& path) {
    return create_sink(path, {2, 48'000, std::nullopt, ""});
  }
  static std::string refused(const std::string& path) {
    const std::string message = refusal(ErrorKind::kOutput, [&] {
      const auto sink = create(path);
      for (int i = 0; i < 100; ++i) write_planes<float>(*sink, noise(2, 1'000, 1), 0, 1'000);
      sink->finish();
    });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }
};

TEST_F(Output, AppearsUnderItsNameWhenItIsFinished) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const auto sink = create(path(name));
    write_planes<float>(*sink, noise(2, 100, 1), 0, 100);
    ASSERT_EQ(names().size(), 1u);
    EXPECT_THAT(names()[0], AllOf(testing::StartsWith("."), HasSubstr(name)));
    sink->finish();
    EXPECT_THAT(names(), ElementsAre(name));
    fs::remove(path(name));
  }
}

TEST_F(Output, CapitalsInAnEndingDoNotMatter) {
  const Planes planes = noise(2, 100, 1);
  OpenOptions raw;
  raw.raw_format = RawFormat{.channels = 2};
  for (const char* name : {"x.RAW", "x.Npy", "x.WAV", "x.Flac"}) {
    SCOPED_TRACE(name);
    const auto sink = create(path(name));
    write_planes<float>(*sink, planes, 0, 100);
    sink->finish();
    EXPECT_EQ(read_file(path(name), name == std::string("x.RAW") ? raw : OpenOptions{}), planes);
  }
}

TEST_F(Output, LeavesNothingWhenItIsNotFinished) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    with_bytes(name, "what was there before");
    {
      const auto sink = create(path(name));
      write_planes<float>(*sink, noise(2, 20'000, 1), 0, 20'000);
      EXPECT_EQ(names().size(), 2u);
    }
    EXPECT_THAT(names(), ElementsAre(name));
    EXPECT_EQ(bytes_of(path(name)), "what was there before");
    fs::remove(path(name));
  }
}

TEST_F(Output, MayHoldNoFrames) {
  for (const char* name : {"x.npy", "x.wav", "x.w64", "x.aiff"}) {
    SCOPED_TRACE(name);
    create(path(name))->finish();
    const Planes planes = read_file(path(name));
    EXPECT_THAT(planes, ElementsAre(IsEmpty(), IsEmpty()));
  }
}

TEST_F(Output, MayTakeThePlaceOfTheInputThatIsBeingRead) {
  const Planes planes = noise(2, 30'000, 1);
  io_test::write_file(path("x.wav"), planes, SampleEncoding::kInt16);
  {
    const auto source = open_source(path("x.wav"));
    const auto sink = create(path("x.wav"));
    write_planes<double>(*sink, read_all(*source), 0, 30'000);
    sink->finish();
  }
  EXPECT_EQ(read_file(path("x.wav")), planes);
}

TEST_F(Output, SeveralOfOneNameDoNotMeet) {
  const auto first = create(path("x.npy"));
  const auto second = create(path("x.npy"));
  EXPECT_EQ(names().size(), 2u);
  write_planes<double>(*first, {{1}, {1}}, 0, 1);
  write_planes<double>(*second, {{2}, {2}}, 0, 1);
  first->finish();
  EXPECT_EQ(read_file(path("x.npy")), (Planes{{1}, {1}}));
  second->finish();
  EXPECT_EQ(read_file(path("x.npy")), (Planes{{2}, {2}}));
  EXPECT_THAT(names(), ElementsAre("x.npy"));
}

TEST_F(Output, KeepsTheRightsOfTheFileThatItReplaces) {
  with_bytes("x.npy", "before");
  ASSERT_EQ(::chmod(path("x.npy").c_str(), 0600), 0);
  create(path("x.npy"))->finish();
  struct stat info {};
  ASSERT_EQ(::stat(path("x.npy").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Output, FollowsLinks) {
  fs::create_directory(path("folder"));
  for (const bool exists : {false, true}) {
    SCOPED_TRACE(exists);
    fs::remove(path("folder/real.npy"));
    fs::remove(path("x.npy"));
    fs::create_symlink("folder/real.npy", path("x.npy"));
    if (exists) with_bytes("folder/real.npy", "before");
    const auto sink = create(path("x.npy"));
    write_planes<double>(*sink, {{1}, {2}}, 0, 1);
    sink->finish();
    EXPECT_TRUE(fs::is_symlink(path("x.npy")));
    EXPECT_EQ(read_file(path("folder/real.npy")), (Planes{{1}, {2}}));
  }
}

TEST_F(Output, NamesMayBeAsLongAsTheSystemAllows) {
  const std::string longest = std::string(251, 'n') + ".npy";
  create(path(longest))->finish();
  EXPECT_THAT(names(), ElementsAre(longest));
  EXPECT_THAT(refused(path("n" + longest)), HasSubstr("too long"));
  EXPECT_THAT(names(), ElementsAre(longest));
}

TEST_F(Output, MayHaveTheNumberOfAClosedStandardOutput) {
  const int saved = ::dup(STDOUT_FILENO);
  ::close(STDOUT_FILENO);
  std::string error;
  try {
    OutputFile file(path("x.bin"));
    file.write("abc", 3);
    file.commit();
  } catch (const Error& failed) {
    error = failed.what();
  }
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  EXPECT_EQ(error, "");
  EXPECT_EQ(bytes_of(path("x.bin")), "abc");
}

TEST_F(Output, RefusesFoldersAndMissingFolders) {
  fs::create_directory(path("folder.wav"));
  EXPECT_THAT(refused(path("folder.wav")), HasSubstr("directory"));
  EXPECT_THAT(refused(path("no/such/x.wav")), HasSubstr("No such file or directory"));
  with_bytes("file", "");
  EXPECT_THAT(refused(path("file/x.wav")), HasSubstr("Not a directory"));
  EXPECT_EQ(names().size(), 2u);
}

TEST_F(Output, AFullDeviceIsAnErrorAndStaysADevice) {
  struct stat before {};
  if (::stat("/dev/full", &before) != 0) GTEST_SKIP() << "there is no /dev/full here";
  EXPECT_THAT(refused("/dev/full"), HasSubstr("No space left on device"));
  for (const char* name : {"x.raw", "x.wav", "x.flac"}) {
    SCOPED_TRACE(name);
    fs::create_symlink("/dev/full", path(name));
    EXPECT_THAT(refused(path(name)), HasSubstr("No space left on device"));
    EXPECT_TRUE(fs::is_symlink(path(name)));
  }
  struct stat after {};
  ASSERT_EQ(::stat("/dev/full", &after), 0);
  EXPECT_TRUE(S_ISCHR(after.st_mode));
}

TEST_F(Output, TheNullDeviceTakesEverything) {
  const auto sink = create("/dev/null");
  write_planes<float>(*sink, noise(2, 1'000, 1), 0, 1'000);
  sink->finish();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

// A limit on the size of files stands in for a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST_F(Output, ADiskThatFillsUpIsAnErrorAndLeavesNothing) {
  for (const char* name : kNames) {
    for (const rlim_t limit : {rlim_t{0}, rlim_t{20}, rlim_t{50'000}}) {
      SCOPED_TRACE(std::string(name) + ", " + std::to_string(limit) + " bytes");
      const FileSizeLimit full(limit);
      EXPECT_THAT(refused(path(name)), HasSubstr("File too large"));
      EXPECT_THAT(names(), IsEmpty());
    }
  }
}

// The samples fit, and what the end of the file adds does not.
TEST_F(Output, ADiskThatFillsUpAtTheVeryEndIsAnErrorToo) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    const auto write = [&] {
      const auto sink = create(path(name));
      write_planes<float>(*sink, noise(2, 1'000, 1), 0, 1'000);
      sink->finish();
    };
    write();
    const auto size = static_cast<rlim_t>(fs::file_size(path(name)));
    fs::remove(path(name));
    const FileSizeLimit full(size - 1);
    EXPECT_THAT(refusal(ErrorKind::kOutput, write),
                AllOf(HasSubstr(path(name)), HasSubstr("File too large")));
    EXPECT_THAT(names(), IsEmpty());
  }
}

TEST_F(Output, ContainersRefusePipesThatTheyCannotGoBackIn) {
  for (const char* name : {"x.npy", "x.wav"}) {
    SCOPED_TRACE(name);
    ASSERT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    const int reader = ::open(path(name).c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_NE(refused(path(name)), "");
    ::close(reader);
    EXPECT_TRUE(fs::is_fifo(path(name)));
  }
}

TEST_F(Output, WritesPiecesAndPatchesThem) {
  {
    OutputFile file(path("x"));
    file.need_patching();
    file.write("hello, ", 7);
    file.write("world", 5);
    file.write_at(0, "J", 1);
    file.commit();
  }
  EXPECT_EQ(bytes_of(path("x")), "Jello, world");
}

}  // namespace
}  // namespace firbank
