// What the program says to bad input: one line that names the thing, the right exit code, and
// nothing left behind.
#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::HasSubstr;

struct BadCase {
  std::vector<std::string> arguments;  // "@name" is a file of the test's folder
  int exit_code;
  std::vector<std::string> named;  // what the line has to hold
};

class BadInput : public testing::Test {
 protected:
  BadInput() {
    write_signal(folder_.file("in.wav"), noise(2, 1'000, 1));
    write_signal(folder_.file("mono.npy"), noise(1, 1'000, 1));
    write_text_filter(folder_.file("one.txt"), {1.0, 0.5});
    write_text_filter(folder_.file("two.txt"), {0.5});
    write_bytes(folder_.file("empty.wav"), "");
    write_bytes(folder_.file("empty.txt"), "");
    write_bytes(folder_.file("nan.txt"), "1.0\nnan\n");
    write_bytes(folder_.file("words.txt"), "1.0\nbanana\n");
    write_bytes(folder_.file("text.wav"), "this is no audio at all, whatever its name says\n");
    const std::string wav = read_bytes(folder_.file("in.wav"));
    write_bytes(folder_.file("header.wav"), wav.substr(0, 30));
    std::string zero = wav;
    zero.replace(zero.find("fmt ") + 10, 2, 2, '\0');  // the number of channels
    write_bytes(folder_.file("zero.wav"), zero);
    write_bytes(folder_.file("cut.wav"), wav.substr(0, wav.size() / 2));
    const std::string npy = read_bytes(folder_.file("mono.npy"));
    write_bytes(folder_.file("cut.npy"), npy.substr(0, npy.size() - 100));
    write_bytes(folder_.file("noheader.npy"), npy.substr(0, 20));
    write_signal(folder_.file("nan.wav"), {{1.0, std::numeric_limits<double>::quiet_NaN()}});
  }

  ProgramResult run(std::vector<std::string> arguments) const {
    for (std::string& argument : arguments) {
      if (argument.starts_with("@")) argument = folder_.file(argument.substr(1));
    }
    arguments.insert(arguments.begin(), FIRBANK_PROGRAM);
    return run_program(arguments);
  }

  void expect_refused(const std::vector<BadCase>& cases) const {
    for (const BadCase& one : cases) {
      const std::vector<std::string> before = folder_.names();
      std::string words;
      for (const std::string& argument : one.arguments) words += argument + " ";
      SCOPED_TRACE(words);
      const ProgramResult result = run(one.arguments);
      EXPECT_EQ(result.exit_code, one.exit_code) << result.err;
      EXPECT_EQ(result.out, "");
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
      EXPECT_TRUE(result.err.starts_with("firbank: ")) << result.err;
      for (const std::string& name : one.named) EXPECT_THAT(result.err, HasSubstr(name));
      EXPECT_EQ(folder_.names(), before);
    }
  }

  TemporaryFolder folder_;
};

TEST_F(BadInput, UsageIsRefusedWith2) {
  expect_refused({
      {{}, 2, {"command", "verify"}},
      {{"frobnicate"}, 2, {"frobnicate"}},
      {{"filter"}, 2, {"INPUT"}},
      {{"filter", "@in.wav"}, 2, {"OUTPUT"}},
      {{"filter", "@in.wav", "@out.wav"}, 2, {"--filter"}},
      {{"filter", "@in.wav", "@out.wav", "--filter"}, 2, {"--filter"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--nonsense"}, 2, {"--nonsense"}},
      {{"filter", "@in.wav", "@out.wav", "more", "--filter", "@one.txt"}, 2, {"more"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--block", "0"},
       2,
       {"--block", "'0'", "1 to 65536"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--block", "many"},
       2,
       {"--block", "'many'"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--threads", "65"},
       2,
       {"--threads", "'65'", "64"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--precision", "half"},
       2,
       {"--precision", "'half'", "float, double"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--mode", "circular"},
       2,
       {"--mode", "'circular'", "causal"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--gain", "loud"},
       2,
       {"--gain", "'loud'"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--gain", "inf"}, 2, {"--gain"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--gain", "+-6"}, 2, {"'+-6'"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--rate", "-1"}, 2, {"--rate"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--dither"},
       2,
       {"--dither", "float32", "int16"}},
      {{"filter", "@in.wav", "-", "--filter", "@one.txt", "--dither", "--output-format", "float64"},
       2,
       {"--dither", "float64", "int16"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--backend", "abacus"},
       2,
       {"abacus"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--output-format", "int8"},
       2,
       {"int8", "int16"}},
      {{"filter", "@in.wav", "@out.flac", "--filter", "@one.txt", "--output-format", "float64"},
       2,
       {"float64"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--raw-format", "f32le:2"},
       2,
       {"f32le:2"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--raw-format", "f32le:0:48000"},
       2,
       {"f32le:0:48000", "'0'"}},
      {{"filter", "-", "@out.wav", "--filter", "@one.txt"}, 2, {"--raw-format"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--partitions", "64,,512"},
       2,
       {"--partitions", "'64,,512'", "64,512,4096"}},
      {{"plan", "--partitions", "64;512"}, 2, {"--partitions", "'64;512'"}},
      {{"plan", "--partitions", "64,"}, 2, {"--partitions", "'64,'"}},
      {{"plan", "--partitions", "64,99999999999999999999"}, 2, {"--partitions"}},
      {{"plan", "--partitions", "64,100"}, 2, {"partition_frames", "100", "multiples"}},
      {{"verify", "--partitions", "0"}, 2, {"partition_frames", "0", "32768"}},
      {{"plan", "--partitions", "1,2,4,8,16,32"}, 2, {"partition_frames", "6", "5"}},
      {{"plan", "--alternatives", "6"}, 2, {"--alternatives", "'6'"}},
      {{"plan", "--backend", "abacus"}, 2, {"abacus", "firbank backends"}},
      {{"tune", "--backend", "abacus"}, 2, {"abacus", "firbank backends"}},
      {{"filter", "-", "@out.wav", "--filter", "@one.txt", "--normalize", "--raw-format",
        "f32le:1:48000"},
       2,
       {"--normalize", "standard input"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--as-live", "--realtime"},
       2,
       {"--realtime"}},
      {{"filter", "@in.wav", "-", "--filter", "@one.txt", "--json", "-"}, 2, {"--json"}},
      {{"filter", "@in.wav", "@one.txt", "--filter", "@one.txt"}, 2, {"OUTPUT", "one.txt"}},
      {{"filter", "@in.wav", "@in.wav", "--filter", "@one.txt", "--json", "@in.wav"},
       2,
       {"--json", "in.wav"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--rate", "44100"},
       2,
       {"--rate", "44100", "48000"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--normalize", "--gain", "3"},
       2,
       {"--gain 3"}},
  });
}

TEST_F(BadInput, FiltersThatDoNotFitAreRefusedWith2) {
  expect_refused({
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--filter", "@two.txt", "--filter",
        "@one.txt"},
       2,
       {"3 filters", "2 channels"}},
      {{"filter", "@mono.npy", "@out.npy", "--filter", "@one.txt", "--filter", "@two.txt"},
       2,
       {"2 filters", "1 channel"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--routing", "matrix"},
       2,
       {"--outputs"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--routing", "matrix", "--outputs",
        "2"},
       2,
       {"1 filter", "2 outputs", "4"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--outputs", "2"},
       2,
       {"--outputs 2", "rows"}},
  });
}

TEST_F(BadInput, UnreadableFilesAreRefusedWith3) {
  std::vector<BadCase> cases;
  for (const char* name : {"missing.wav", "empty.wav", "header.wav", "zero.wav", "cut.wav",
                           "text.wav", "cut.npy", "noheader.npy", "missing.npy"}) {
    const std::string file = std::string("@") + name;
    cases.push_back({{"filter", file, "@out.wav", "--filter", "@one.txt"}, 3, {name}});
    cases.push_back({{"info", file}, 3, {name}});
  }
  for (const char* name : {"missing.txt", "empty.txt", "nan.txt", "words.txt", "empty.wav",
                           "header.wav", "nan.wav", "noheader.npy"}) {
    cases.push_back(
        {{"filter", "@in.wav", "@out.wav", "--filter", std::string("@") + name}, 3, {name}});
  }
  cases.push_back({{"filter", "@", "@out.wav", "--filter", "@one.txt"}, 3, {}});
  expect_refused(cases);
}

TEST_F(BadInput, CostFilesThatAreNoneAreRefusedWith3) {
  write_bytes(folder_.file("words.json"), "fast, on the whole\n");
  write_bytes(folder_.file("other.json"), "{\"format\": 2}\n");
  write_bytes(folder_.file("list.json"), "[1, 2]");
  write_bytes(folder_.file("bare.json"), "{\"costs\": {}}");
  expect_refused({
      {{"plan", "--costs", "@missing.json"}, 3, {"missing.json", "cannot be read"}},
      {{"plan", "--costs", "@words.json"}, 3, {"words.json", "no JSON object"}},
      {{"plan", "--costs", "@list.json"}, 3, {"list.json", "no JSON object"}},
      {{"plan", "--costs", "@bare.json"}, 3, {"bare.json", "'format'"}},
      {{"verify", "--costs", "@other.json"}, 3, {"other.json", "format is 2", "1"}},
      {{"plan", "--costs", "@"}, 3, {"folder"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--costs", "@other.json"},
       3,
       {"other.json", "format is 2"}},
  });
}

TEST_F(BadInput, AnEmptyStreamIsRefusedWith3) {
  expect_refused(
      {{{"filter", "-", "@out.wav", "--raw-format", "f32le:1:48000", "--filter", "@one.txt"},
        3,
        {"standard input", "0 frames"}}});
}

TEST_F(BadInput, UnwritableOutputsAreRefusedWith3) {
  expect_refused({
      {{"filter", "@in.wav", "@no/such/folder/out.wav", "--filter", "@one.txt"}, 3, {"out.wav"}},
      {{"filter", "@in.wav", "@out.unknown", "--filter", "@one.txt"}, 2, {"out.unknown"}},
      {{"filter", "@in.wav", "@out.wav", "--filter", "@one.txt", "--json", "@no/report.json"},
       3,
       {"report.json"}},
      {{"design", "lowpass", "@no/low.txt", "--cutoff", "1000", "--transition", "100"},
       3,
       {"low.txt"}},
  });
}

TEST_F(BadInput, AFullDeviceIsRefusedWith3AndStaysADevice) {
  struct stat before {};
  if (stat("/dev/full", &before) != 0) GTEST_SKIP() << "there is no /dev/full here";
  expect_refused({
      {{"filter", "@in.wav", "/dev/full", "--quiet", "--filter", "@one.txt"}, 3, {"/dev/full"}},
      {{"design", "lowpass", "-", "--cutoff", "1000", "--transition", "100", "--json", "/dev/full",
        "--quiet", "--output-format", "float32"},
       2,
       {"float32"}},
  });
  struct stat after {};
  ASSERT_EQ(stat("/dev/full", &after), 0);
  EXPECT_TRUE(S_ISCHR(after.st_mode));
}

TEST_F(BadInput, DesignsThatCannotBeAreRefusedWith2) {
  expect_refused({
      {{"design", "notch", "@f.wav"}, 2, {"notch", "bandstop"}},
      {{"design", "lowpass", "@f.wav", "--transition", "100"}, 2, {"--cutoff"}},
      {{"design", "lowpass", "@f.wav", "--cutoff", "1000"}, 2, {"--transition", "--taps"}},
      {{"design", "lowpass", "@f.wav", "--cutoff", "30000", "--transition", "100"},
       2,
       {"30000", "24000"}},
      {{"design", "lowpass", "@f.wav", "--cutoff", "1000", "--transition", "5000"}, 2, {"5000"}},
      {{"design", "lowpass", "@f.wav", "--cutoff", "1000", "--taps", "100"}, 2, {"100", "odd"}},
      {{"design", "lowpass", "@f.wav", "--cutoff", "1000", "--taps", "2000003"},
       2,
       {"2000003", "from 3 to 2000001"}},
      {{"design", "bandpass", "@f.wav", "--low", "3000", "--high", "1000", "--transition", "10"},
       2,
       {"3000", "1000"}},
      {{"design", "hilbert", "@f.wav", "--cutoff", "1000", "--transition", "10"}, 2, {"--cutoff"}},
      {{"design", "lowpass", "@f.mp3", "--cutoff", "1000", "--transition", "100"}, 2, {"f.mp3"}},
  });
}

}  // namespace
}  // namespace firbank::test
