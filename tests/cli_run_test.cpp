// firbank run: configurations of every kind on real files, from outside.
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/reference.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Run : public testing::Test {
 protected:
  ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "run"});
    return run_program(arguments);
  }

  std::string with_text(const std::string& name, const std::string& text) const {
    write_bytes(folder_.file(name), text);
    return folder_.file(name);
  }

  /// The output of a run on `in`.
  Signal output(const std::string& config, const Signal& in, std::vector<std::string> options = {},
                double rate_hz = 48'000) {
    write_signal(folder_.file("in.wav"), in, rate_hz);
    const std::string out = folder_.file("out.wav");
    options.insert(options.begin(), {config, "--input", folder_.file("in.wav"), "--output", out});
    const ProgramResult result = run(options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    said_ = result.err;
    return read_signal(out);
  }

  /// One line on stderr that begins with "firbank: ".
  std::string refusal(const std::vector<std::string>& arguments, int exit_code) const {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_THAT(result.err, AllOf(StartsWith("firbank: "), testing::EndsWith("\n")));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result.err;
  }

  TemporaryFolder folder_;
  std::string said_;
};

constexpr const char* kRoom = R"([stream]
inputs = ["left", "right"]
[engine]
block = 64
[[filter]]
name = "a"
file = "a.wav"
channel = 2
offset = 10
gain_db = -6
[[filter]]
name = "b"
taps = [0.5, 0.25]
[[preset]]
name = "mixed"
mix = 0.25
[[preset.edge]]
input = "left"
output = 2
filter = "a"
delay = 33
[[preset.edge]]
input = "right"
output = 1
filter = "b"
gain = -2
[[preset]]
name = "plain"
filter = "b"
[[preset]]
name = "off"
bypass = true
)";

TEST_F(Run, FiltersAFileWithItsTail) {
  const Signal responses = noise(2, 700, 1, 0.1);
  write_signal(folder_.file("a.wav"), responses);
  const std::string config = with_text("room.toml", kRoom);
  const Signal in = noise(2, 3'000, 2, 0.5);
  const Signal out = output(config, in);
  ASSERT_EQ(out.size(), 2u);
  ASSERT_EQ(out[0].size(), 3'000u + 33 + 690 - 1);
  Signal expected(2, std::vector<double>(out[0].size(), 0.0));
  for (std::size_t n = 0; n < out[0].size(); ++n) {
    const auto in_at = [&](std::size_t c, std::size_t back) {
      return n < back || n - back >= 3'000 ? 0.0 : in[c][n - back];
    };
    double left = 0;
    for (std::size_t k = 0; k < 690; ++k) left += responses[1][10 + k] * in_at(0, 33 + k);
    expected[1][n] = 0.25 * std::pow(10, -6.0 / 20) * left + 0.75 * in_at(1, 0);
    expected[0][n] = 0.25 * -2 * (0.5 * in_at(1, 0) + 0.25 * in_at(1, 1)) + 0.75 * in_at(0, 0);
  }
  EXPECT_LE(relative_error(out, expected), 1e-6);

  const Signal plain = output(config, in, {"--preset", "plain", "--precision", "double"});
  ASSERT_EQ(plain[0].size(), 3'001u);
  EXPECT_NEAR(plain[1][7], 0.5 * in[1][7] + 0.25 * in[1][6], 1e-7);
  const Signal off = output(config, in, {"--preset", "off", "--output-format", "float64"});
  EXPECT_EQ(off, in);
}

TEST_F(Run, TakesJconvolverTextWithItsLength) {
  write_signal(folder_.file("a.wav"), {{0.5, -0.25, 0.125}});
  const std::string config = with_text(
      "hall.conf",
      "/convolver/new 1 2 256 500\n/impulse/read 1 1 2 4 1 0 1 a.wav\n/impulse/copy 1 2 1 1\n"
      "/impulse/dirac 1 1 1 20\n");
  const Signal out = output(config, {{1, 0, 0}});
  ASSERT_EQ(out.size(), 2u);
  ASSERT_EQ(out[0].size(), 3u + 499);
  EXPECT_EQ(out[0], out[1]);
  for (std::size_t n = 0; n < out[0].size(); ++n) {
    const double expected = n == 4 ? -0.5 : n == 5 ? 0.25 : n == 20 ? 1 : 0;
    ASSERT_NEAR(out[0][n], expected, 1e-6) << n;
  }
}

TEST_F(Run, TakesEqualizerApoTextForTheInputsChannels) {
  const std::string config = with_text(
      "eq.txt", "Preamp: -6.0206 dB\nChannel: C\nFilter: ON PK Fc 1000 Hz Gain 6 dB Q 1\n");
  Signal in(6, std::vector<double>(4'000));
  for (auto& channel : in) channel[0] = 1;
  const Signal out = output(config, in);
  ASSERT_EQ(out.size(), 6u);
  EXPECT_NEAR(out[0][0], 0.5, 1e-6);
  EXPECT_GT(std::abs(out[2][1]), 1e-3);
  const Signal linear = output(config, in, {"--eq-phase", "linear", "--eq-taps", "2001"});
  EXPECT_EQ(linear[2].size(), 4'000u + 2'000);
  EXPECT_NEAR(linear[2][900], linear[2][1'100], 1e-6);
}

TEST_F(Run, SaysWhatIsResampledOrShort) {
  write_signal(folder_.file("a.wav"), noise(2, 700, 1, 0.1), 44'100);
  const std::string config = with_text("room.toml", kRoom);
  output(config, noise(2, 100, 2));
  EXPECT_THAT(said_, HasSubstr("resampled from 44100 Hz to 48000 Hz"));
  output(with_text("eq.txt", "Filter: ON PK Fc 30 Hz Gain 9 dB Q 5\n"), noise(2, 100, 2),
         {"--eq-taps", "64"});
  EXPECT_THAT(said_, HasSubstr("64 taps are too few for its curve"));
}

TEST_F(Run, CheckPrintsThePlanAndFiltersNothing) {
  write_signal(folder_.file("a.wav"), noise(2, 700, 1, 0.1));
  const std::string config = with_text("room.toml", kRoom);
  const ProgramResult result = run({config, "--check"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("presets    mixed, plain, off"),
                                HasSubstr("block      64 frames a call"), HasSubstr("partitions")));
  const ProgramResult json = run({config, "--check", "--json", "-", "--block", "128"});
  const nlohmann::json plan = nlohmann::json::parse(json.out);
  EXPECT_EQ(plan["call_frames"], 128);
  EXPECT_EQ(plan["presets"].size(), 3u);
  EXPECT_EQ(plan["connections"], 4);
  EXPECT_EQ(plan["max_taps"], 723);
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"a.wav", "room.toml"}));
}

TEST_F(Run, CheckFailsOnLinesThatAreNotSupported) {
  const std::string config =
      with_text("eq.txt", "Preamp: -1 dB\nFilter: ON NO Fc 50 Hz\nDevice: all\n");
  const ProgramResult result = run({config, "--check"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("eq.txt, line 2: filter type 'NO'"),
                                HasSubstr("eq.txt, line 3: command 'Device'"),
                                HasSubstr("2 lines not supported")));
  output(config, noise(2, 100, 2));
  EXPECT_THAT(said_, HasSubstr("line 3: command 'Device'"));
}

TEST_F(Run, RefusesInOneLine) {
  const std::string config = with_text("room.toml", kRoom);
  write_signal(folder_.file("mono.wav"), noise(1, 10, 1));
  const std::string out = folder_.file("out.wav");
  EXPECT_THAT(refusal({config, "--output", out}, 2), HasSubstr("files need --input and --output"));
  EXPECT_THAT(refusal({config, "--precision", "double"}, 2), HasSubstr("--precision is double"));
  EXPECT_THAT(refusal({config, "--check", "--preset", "x"}, 2),
              HasSubstr("there is no preset 'x'; there are: mixed, plain, off"));
  EXPECT_THAT(refusal({config, "--check"}, 3), HasSubstr("a.wav"));
  EXPECT_THAT(refusal({config, "--input", folder_.file("mono.wav"), "--output", out}, 2),
              HasSubstr("it has 1 channel; "));
  EXPECT_THAT(refusal({folder_.file("none.toml"), "--check"}, 3), HasSubstr("none.toml"));
  EXPECT_THAT(refusal({with_text("bad.toml", "[stream]\ninputs = 2\nx = 1\n"), "--check"}, 2),
              HasSubstr("bad.toml, line 3, stream.x: there is no such key"));
  EXPECT_THAT(refusal({with_text("bad.conf", "/convolver/new 1 1\n"), "--check"}, 2),
              HasSubstr("bad.conf, line 1: the partition size is ''"));
  EXPECT_THAT(refusal({config, "--input", folder_.file("mono.wav"), "--output", config}, 2),
              HasSubstr("is the same file"));
  EXPECT_THAT(folder_.names(), Not(testing::Contains("out.wav")));
}

}  // namespace
}  // namespace firbank::test
