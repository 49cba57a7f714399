// `firbank filter` from outside, against the double-precision oracle.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "engine/routing.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kSeed = 20'240'311;

class FilterCommand : public testing::Test {
 protected:
  std::string path(std::string_view name) const { return folder_.file(name); }

  std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "filter"});
    return arguments;
  }

  ProgramResult run(const std::vector<std::string>& arguments, std::string_view input = {},
                    ProgramStreams streams = {}) const {
    return run_program(command(arguments), input, streams);
  }

  /// Runs; expects success and returns what lies in `output`.
  Signal filtered(const std::string& output, std::vector<std::string> arguments,
                  const std::vector<std::string>& more = {}) const {
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return read_signal(output);
  }

  nlohmann::json report(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--json", path("report.json")});
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(read_bytes(path("report.json")));
  }

  TemporaryFolder folder_;
};

struct RoutingCase {
  const char* name;
  std::size_t channels;
  std::vector<std::size_t> lengths;
  std::vector<std::string> options;
  Routing routing;
};

std::vector<RoutingCase> routing_cases() {
  return {{"one filter", 2, {300}, {}, Routing::rows(2, 1)},
          {"rows", 3, {1, 257, 1000}, {}, Routing::rows(3, 3)},
          {"bank", 2, {64, 700, 3}, {"--routing", "bank"}, Routing::bank(2, 3)},
          {"matrix",
           2,
           {5, 400, 1, 256, 33, 900},
           {"--routing", "matrix", "--outputs", "3"},
           Routing::matrix(2, 3, 6)}};
}

TEST_F(FilterCommand, FollowsTheOracleInEveryRoutingPaceAndPrecision) {
  const std::vector<std::vector<std::string>> paces = {
      {}, {"--as-live", "--block", "100"}, {"--as-live", "--block", "64", "--threads", "2"}};
  for (const RoutingCase& one : routing_cases()) {
    const Signal in = noise(one.channels, 5'003, kSeed);
    const auto filters = noise_filters(one.lengths, kSeed + 100);
    write_signal(path("in.wav"), in);
    const Signal expected = direct_convolution(in, FilterBank(filters), one.routing, 5'003);
    std::vector<std::string> arguments = {path("in.wav"), path("out.wav")};
    const auto filter_options = filter_arguments(path("filter"), filters);
    arguments.insert(arguments.end(), filter_options.begin(), filter_options.end());
    arguments.insert(arguments.end(), one.options.begin(), one.options.end());
    for (const auto& pace : paces) {
      SCOPED_TRACE(fmt::format("{}, seed {}, {}", one.name, kSeed, fmt::join(pace, " ")));
      EXPECT_LE(relative_error(filtered(path("out.wav"), arguments, pace), expected), 1e-6);
      std::vector<std::string> in_double = pace;
      in_double.insert(in_double.end(), {"--precision", "double", "--output-format", "float64"});
      EXPECT_LE(relative_error(filtered(path("out.wav"), arguments, in_double), expected), 1e-13);
    }
  }
}

/// What numpy.convolve(in, filter, mode) returns, from its definition: the longer one slides past
/// the shorter one.
std::vector<double> numpy_convolve(std::vector<double> in, std::vector<double> filter,
                                   const std::string& mode) {
  if (filter.size() > in.size()) std::swap(in, filter);
  const auto longer = static_cast<std::ptrdiff_t>(in.size());
  const auto shorter = static_cast<std::ptrdiff_t>(filter.size());
  std::ptrdiff_t first = 0;
  std::ptrdiff_t count = longer + shorter - 1;
  if (mode == "same") {
    first = (shorter - 1) / 2;
    count = longer;
  } else if (mode == "valid") {
    first = shorter - 1;
    count = longer - shorter + 1;
  }
  std::vector<double> out;
  for (std::ptrdiff_t n = first; n < first + count; ++n) {
    double sum = 0;
    for (std::ptrdiff_t k = 0; k < shorter; ++k) {
      const std::ptrdiff_t at = n - k;
      if (at >= 0 && at < longer) {
        sum += filter[static_cast<std::size_t>(k)] * in[static_cast<std::size_t>(at)];
      }
    }
    out.push_back(sum);
  }
  return out;
}

TEST_F(FilterCommand, ModesKeepTheFramesThatNumpyKeeps) {
  struct Lengths {
    std::size_t frames;
    std::size_t taps;
  };
  for (const Lengths length : {Lengths{1'000, 100},
                               {1'000, 101},
                               {1'001, 64},
                               {100, 1'000},
                               {101, 1'000},
                               {77, 77},
                               {1, 9},
                               {9, 1},
                               {1, 1}}) {
    const Signal in = noise(2, length.frames, kSeed);
    const auto filters = noise_filters({length.taps}, kSeed + 1);
    write_signal(path("in.wav"), in);
    const auto filter_options = filter_arguments(path("filter"), filters);
    for (const std::string mode : {"full", "same", "valid"}) {
      for (const std::string pace : {"--quiet", "--as-live"}) {
        SCOPED_TRACE(
            fmt::format("{} frames, {} taps, {}, {}", length.frames, length.taps, mode, pace));
        std::vector<std::string> arguments = {
            path("in.wav"), path("out.wav"), "--mode", mode, "--block", "32", pace};
        const Signal out = filtered(path("out.wav"), arguments, filter_options);
        ASSERT_EQ(out.size(), 2u);
        for (std::size_t c = 0; c < 2; ++c) {
          const std::vector<double> expected = numpy_convolve(in[c], filters[0], mode);
          ASSERT_EQ(out[c].size(), expected.size());
          EXPECT_LE(relative_error(out[c], expected), 1e-6);
        }
      }
    }
  }
}

TEST_F(FilterCommand, ModesGoByTheLongestFilterOfTheBank) {
  const Signal in = noise(2, 500, kSeed);
  const auto filters = noise_filters({20, 101}, kSeed + 1);
  write_signal(path("in.wav"), in);
  const Signal full =
      direct_convolution(in, FilterBank(filters), Routing::rows(2, 2), 500 + 101 - 1);
  const auto options = filter_arguments(path("filter"), filters);
  const std::vector<std::string> files = {path("in.wav"), path("out.wav")};
  const auto in_mode = [&](const char* mode) {
    std::vector<std::string> arguments = files;
    arguments.insert(arguments.end(), {"--mode", mode});
    return filtered(path("out.wav"), arguments, options);
  };
  EXPECT_LE(relative_error(in_mode("full"), full), 1e-6);
  EXPECT_LE(relative_error(in_mode("causal"), slice(full, 0, 500)), 1e-6);
  EXPECT_LE(relative_error(in_mode("same"), slice(full, 50, 550)), 1e-6);
  EXPECT_LE(relative_error(in_mode("valid"), slice(full, 100, 500)), 1e-6);
}

TEST_F(FilterCommand, PipesCarryNothingButSamples) {
  const Signal in = noise(2, 3'001, kSeed, 0.5);
  const auto filters = noise_filters({90}, kSeed + 1);
  const Signal expected = direct_convolution(in, FilterBank(filters), Routing::rows(2, 1), 3'001);
  std::vector<std::string> arguments = {"-", "-", "--raw-format", "f32le:2:44100"};
  const auto options = filter_arguments(path("filter"), filters);
  arguments.insert(arguments.end(), options.begin(), options.end());
  {
    const ProgramResult result = run(arguments, to_f32le(in));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    ASSERT_EQ(result.out.size(), 3'001u * 2 * 4);
    EXPECT_LE(relative_error(from_f32le(result.out, 2), expected), 1e-6);
    EXPECT_THAT(result.err, HasSubstr("standard output"));
  }
  arguments.insert(arguments.end(), {"--output-format", "int16", "--quiet"});
  const ProgramResult result = run(arguments, to_f32le(in));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  ASSERT_EQ(result.out.size(), 3'001u * 2 * 2);
  for (std::size_t n = 0; n < 3'001; ++n) {
    std::int16_t value = 0;
    std::memcpy(&value, result.out.data() + n * 4, sizeof value);
    ASSERT_NEAR(value, expected[0][n] * 32'768, 0.51) << "frame " << n;
  }
}

TEST_F(FilterCommand, KeepsTheWholeFramesOfAWriterThatDied) {
  const Signal in = noise(2, 1'000, kSeed, 0.5);
  write_text_filter(path("one.txt"), {1.0});
  write_bytes(path("in.raw"), to_f32le(in) + "abc");
  for (const std::string& input : {std::string("-"), path("in.raw")}) {
    SCOPED_TRACE(input);
    const ProgramResult result =
        run({input, path("out.wav"), "--raw-format", "f32le:2:8000", "--filter", path("one.txt"),
             "--quiet", "--json", path("report.json")},
            to_f32le(in) + "abc");
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_EQ(result.err, "firbank: " + path("out.wav") +
                              ": the input ends inside frame 1000 (125 ms), of which 3 bytes were "
                              "dropped\n");
    EXPECT_EQ(read_signal(path("out.wav")), in);
    const auto json = nlohmann::json::parse(read_bytes(path("report.json")));
    EXPECT_EQ(json.at("incomplete_frame_bytes"), 3);
    EXPECT_EQ(json.at("frames"), 1'000);
  }
  const ProgramResult info =
      run_program({FIRBANK_PROGRAM, "info", path("in.raw"), "--raw-format", "f32le:2:8000"});
  EXPECT_EQ(info.exit_code, 4);
  EXPECT_THAT(info.out, HasSubstr("1000 frames"));
  EXPECT_THAT(info.err, HasSubstr("3 bytes were dropped"));
}

TEST_F(FilterCommand, WritesItsOutputAlthoughStandardStreamsAreClosed) {
  const Signal in = noise(1, 1'000, kSeed);
  write_signal(path("in.wav"), in);
  write_text_filter(path("one.txt"), {1.0});
  for (const std::string closed : {"<&- >&-", "<&- >&- 2>&-", ">&- 2>&-", "2>&-"}) {
    SCOPED_TRACE(closed);
    std::vector<std::string> arguments = {"/bin/sh", "-c", "exec \"$@\" " + closed, "sh"};
    for (const std::string& argument :
         command({path("in.wav"), path("out.wav"), "--filter", path("one.txt"), "--quiet"})) {
      arguments.push_back(argument);
    }
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_signal(path("out.wav")), in);
    std::filesystem::remove(path("out.wav"));
  }
}

TEST_F(FilterCommand, NpyFilesHaveTheRateThatIsGiven) {
  const Signal in = noise(3, 800, kSeed);
  const auto filters = noise_filters({50, 60, 70}, kSeed + 1);
  write_signal(path("in.npy"), in, 360, SampleEncoding::kFloat64);
  write_signal(path("filter.npy"), noise(3, 70, kSeed + 1, 0.1), 48'000, SampleEncoding::kFloat64);
  const std::vector<std::string> arguments = {
      path("in.npy"), path("out.npy"),   "--filter", path("filter.npy"), "--precision",
      "double",       "--output-format", "float64",  "--rate",           "360"};
  const Signal expected =
      direct_convolution(in, FilterBank(read_signal(path("filter.npy"))), Routing::rows(3, 3), 800);
  EXPECT_LE(relative_error(filtered(path("out.npy"), arguments), expected), 1e-13);
  EXPECT_EQ(report(arguments)["sample_rate_hz"], 360);
}

TEST_F(FilterCommand, ReportsEverythingAsJson) {
  write_signal(path("in.wav"), noise(2, 9'600, kSeed));
  const auto options = filter_arguments(path("filter"), noise_filters({1'000}, kSeed));
  for (const std::string pace : {"--quiet", "--as-live"}) {
    SCOPED_TRACE(pace);
    std::vector<std::string> arguments = {path("in.wav"), path("out.wav"), "--block", "100", pace};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const nlohmann::json json = report(arguments);
    EXPECT_EQ(json.at("version"), FIRBANK_VERSION);
    EXPECT_EQ(json.at("input"), path("in.wav"));
    EXPECT_EQ(json.at("output"), path("out.wav"));
    EXPECT_EQ(json.at("filters"), nlohmann::json::array({path("filter0.txt")}));
    EXPECT_EQ(json.at("precision"), "float");
    EXPECT_EQ(json.at("mode"), "causal");
    EXPECT_EQ(json.at("frames"), 9'600);
    EXPECT_EQ(json.at("sample_rate_hz"), 48'000);
    EXPECT_EQ(json.at("channels_in"), 2);
    EXPECT_EQ(json.at("channels_out"), 2);
    if (pace == "--as-live") {
      EXPECT_EQ(json.at("block_frames"), 100);
    } else {
      EXPECT_GE(json.at("block_frames"), 1);
    }
    EXPECT_EQ(json.at("latency_frames"), 0);
    EXPECT_THAT(json.at("backend").get<std::string>(), HasSubstr("cpu-"));
    EXPECT_FALSE(json.at("instruction_set").get<std::string>().empty());
    EXPECT_EQ(json.at("threads"), 1);
    EXPECT_GT(json.at("cpu_seconds"), 0);
    EXPECT_GT(json.at("wall_seconds"), 0);
    EXPECT_NEAR(json.at("times_realtime").get<double>() * json.at("cpu_seconds").get<double>(), 0.2,
                1e-6);
    const nlohmann::json& block = json.at("block_ns");
    EXPECT_GT(block.at("mean"), 0);
    EXPECT_LE(block.at("p50"), block.at("p99"));
    EXPECT_LE(block.at("p99"), block.at("p99_9"));
    EXPECT_LE(block.at("p99_9"), block.at("max"));
    EXPECT_LE(block.at("mean"), block.at("max"));
    EXPECT_GE(json.at("deadline_misses"), 0);
    EXPECT_EQ(json.at("clipped_samples"), 0);
    EXPECT_EQ(json.at("spoiled_frames"), 0);
    EXPECT_TRUE(json.at("plan").at("description").is_string());
  }
}

TEST_F(FilterCommand, ReportsTheMemoryOfItsPrecision) {
  write_signal(path("in.wav"), noise(1, 100, kSeed));
  write_signal(path("long.wav"), noise(1, 5'000, kSeed));
  const auto memory = [&](const char* precision) {
    return report({path("in.wav"), path("out.wav"), "--filter", path("long.wav"), "--precision",
                   precision})
        .at("plan")
        .at("memory_bytes")
        .get<std::size_t>();
  };
  EXPECT_GT(memory("float"), 4u * 5'000);
  EXPECT_EQ(memory("double"), 2 * memory("float"));
}

TEST_F(FilterCommand, GainIsExactAndNormalizeReachesFullScale) {
  const Signal in = noise(2, 4'000, kSeed, 0.25);
  write_signal(path("in.wav"), in);
  const auto filters = noise_filters({100}, kSeed);
  const auto options = filter_arguments(path("filter"), filters);
  const Signal plain = direct_convolution(in, FilterBank(filters), Routing::rows(2, 1), 4'000);
  double plain_peak = 0;
  for (const auto& plane : plain) {
    for (const double sample : plane) plain_peak = std::max(plain_peak, std::abs(sample));
  }
  const auto scaled = [&](double factor) {
    Signal signal = plain;
    for (auto& plane : signal) {
      for (double& sample : plane) sample *= factor;
    }
    return signal;
  };
  const std::vector<std::string> files = {path("in.wav"), path("out.wav")};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), options.begin(), options.end());
    return filtered(path("out.wav"), files, more);
  };
  EXPECT_LE(relative_error(with({"--gain", "-6"}), scaled(std::pow(10, -0.3))), 1e-6);
  EXPECT_LE(relative_error(with({"--gain", "+6"}), scaled(std::pow(10, 0.3))), 1e-6);
  EXPECT_LE(relative_error(with({"--normalize"}), scaled(1 / plain_peak)), 1e-6);
  EXPECT_LE(relative_error(with({"--normalize", "--gain", "-20"}), scaled(0.1 / plain_peak)), 1e-6);
  // Full scale of an integer format is one step below 1, so that nothing is clipped.
  const Signal in_integers = with({"--normalize", "--output-format", "int16", "--dither"});
  double peak = 0;
  for (const auto& plane : in_integers) {
    for (const double sample : plane) peak = std::max(peak, std::abs(sample));
  }
  EXPECT_NEAR(peak, 1.0, 4.0 / 32'768);
}

TEST_F(FilterCommand, CountsClippedAndSpoiledSamplesWithTheirFirstPosition) {
  Signal in(1, std::vector<double>(1'000));
  in[0][700] = 1.5;
  in[0][800] = -1.5;
  in[0][900] = -1.0;
  write_signal(path("in.wav"), in);
  write_text_filter(path("one.txt"), {1.0});
  const std::vector<std::string> arguments = {
      path("in.wav"), path("out.wav"), "--filter", path("one.txt"), "--json", path("report.json")};
  std::vector<std::string> in_integers = arguments;
  in_integers.insert(in_integers.end(), {"--output-format", "int16", "--quiet"});
  ProgramResult result = run(in_integers);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("2 samples clipped to full scale, the first at frame 700"));
  nlohmann::json json = nlohmann::json::parse(read_bytes(path("report.json")));
  EXPECT_EQ(json.at("clipped_samples"), 2);
  EXPECT_EQ(json.at("first_clipped_frame"), 700);
  EXPECT_EQ(read_signal(path("out.wav"))[0].size(), 1'000u);
  EXPECT_EQ(run(arguments).exit_code, 0) << "float32 holds what int16 cannot";

  in[0][200] = std::numeric_limits<double>::quiet_NaN();
  write_signal(path("in.wav"), in);
  write_text_filter(path("one.txt"), {0.5, 0.25, 0.125});
  result = run(arguments);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("3 frames spoiled (not finite), the first at frame 200"));
  json = nlohmann::json::parse(read_bytes(path("report.json")));
  EXPECT_EQ(json.at("spoiled_frames"), 3);
  EXPECT_EQ(json.at("first_spoiled_frame"), 200);
}

TEST_F(FilterCommand, MissedDeadlinesFailOnlyWhenStrict) {
  // At 1 GHz a block of one frame lasts a nanosecond: every deadline is missed.
  write_signal(path("in.npy"), noise(1, 100, kSeed));
  write_text_filter(path("one.txt"), {1.0});
  std::vector<std::string> arguments = {
      path("in.npy"), path("out.npy"), "--filter",         path("one.txt"),
      "--rate",       "1e9",           "--block",          "1",
      "--as-live",    "--json",        path("report.json")};
  EXPECT_EQ(run(arguments).exit_code, 0);
  const auto json = nlohmann::json::parse(read_bytes(path("report.json")));
  EXPECT_EQ(json.at("deadline_misses"), 100);
  EXPECT_EQ(json.at("first_missed_frame"), 0);
  arguments.push_back("--strict");
  ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("100 deadlines missed, the first at frame 0"));

  // Paced by the clock the first blocks are late as well, and nothing is caught up on.
  std::replace(arguments.begin(), arguments.end(), std::string("--as-live"),
               std::string("--realtime"));
  result = run(arguments);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("100 deadlines missed, the first at frame 0"));
}

TEST_F(FilterCommand, RealtimeTakesAsLongAsTheStream) {
  const Signal in = noise(1, 24'000, kSeed);
  const auto filters = noise_filters({500}, kSeed);
  write_signal(path("in.wav"), in);
  std::vector<std::string> arguments = {path("in.wav"), path("out.wav"), "--realtime"};
  const auto options = filter_arguments(path("filter"), filters);
  arguments.insert(arguments.end(), options.begin(), options.end());
  const nlohmann::json json = report(arguments);
  EXPECT_GE(json.at("wall_seconds"), 0.5);
  EXPECT_LT(json.at("cpu_seconds"), 0.4);
  EXPECT_LE(
      relative_error(read_signal(path("out.wav")),
                     direct_convolution(in, FilterBank(filters), Routing::rows(1, 1), 24'000)),
      1e-6);
}

TEST_F(FilterCommand, ResamplesAFilterOfAnotherRateAndSaysSo) {
  write_signal(path("in.wav"), noise(1, 2'000, kSeed));
  write_signal(path("filter.wav"), {std::vector<double>(200, 0.005)}, 44'100);
  std::vector<std::string> arguments = {path("in.wav"), path("out.wav"), "--filter",
                                        path("filter.wav")};
  ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("filter.wav"));
  EXPECT_THAT(result.err, HasSubstr("resampled from 44100 Hz to 48000 Hz"));
  arguments.push_back("--no-resample");
  result = run(arguments);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("44100"));
}

TEST_F(FilterCommand, TakesMultiChannelFiltersInChannelOrder) {
  const Signal in = noise(2, 600, kSeed);
  const Signal filters = noise(4, 90, kSeed + 1, 0.1);
  write_signal(path("in.wav"), in);
  write_signal(path("filters.wav"), filters);
  const Signal out =
      filtered(path("out.wav"), {path("in.wav"), path("out.wav"), "--filter", path("filters.wav"),
                                 "--routing", "matrix", "--outputs", "2"});
  EXPECT_LE(relative_error(
                out, direct_convolution(in, FilterBank(filters), Routing::matrix(2, 2, 4), 600)),
            1e-6);
}

class Interruption : public FilterCommand, public testing::WithParamInterface<int> {};

TEST_P(Interruption, KeepsWhatIsDoneAndExitsWith130) {
  const Signal in = noise(2, 48'000 * 20, kSeed);
  const auto filters = noise_filters({300}, kSeed);
  write_signal(path("in.wav"), in);
  std::vector<std::string> arguments = {path("in.wav"), path("out.wav"), "--realtime"};
  const auto options = filter_arguments(path("filter"), filters);
  arguments.insert(arguments.end(), options.begin(), options.end());
  const std::vector<std::string> before = {"filter0.txt", "in.wav", "out.wav"};

  RunningProgram program(command(arguments));
  // Once its temporary file is there it has begun; however slow the machine, half a second later
  // a tenth of a second of the stream is done.
  const auto has_begun = [&] {
    const std::vector<std::string> names = folder_.names();
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return name.find(".partial") != name.npos; });
  };
  for (int tries = 0; tries < 600 && !has_begun(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  program.send(GetParam());
  const ProgramResult result = program.wait();

  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("stopped; " + path("out.wav") + " ends after"));
  EXPECT_EQ(folder_.names(), before);
  const Signal out = read_signal(path("out.wav"));
  const std::size_t frames = out[0].size();
  EXPECT_GT(frames, 4'800u);
  EXPECT_LT(frames, 48'000u * 15);
  EXPECT_LE(
      relative_error(out, direct_convolution(in, FilterBank(filters), Routing::rows(2, 1), frames)),
      1e-6);
}

INSTANTIATE_TEST_SUITE_P(Signals, Interruption, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST_F(FilterCommand, StopsWhileItWaitsForStandardInput) {
  write_text_filter(path("one.txt"), {1.0});
  const Signal in = noise(1, 10'000, kSeed);
  RunningProgram program(command({"-", path("out.wav"), "--raw-format", "f32le:1:48000", "--filter",
                                  path("one.txt"), "--as-live"}),
                         to_f32le(in), {.input_stays_open = true});
  std::thread interrupter([id = program.id()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
    kill(id, SIGINT);
  });
  const ProgramResult result = program.wait();
  interrupter.join();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(folder_.names(), ElementsAre("one.txt", "out.wav"));
  EXPECT_EQ(read_signal(path("out.wav")), in) << "what came, also of a block that is not whole";
}

TEST_F(FilterCommand, SaysThatItWasStoppedWhileItWaitedForANamedPipe) {
  write_text_filter(path("one.txt"), {1.0});
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  RunningProgram program(command({path("pipe"), path("out.wav"), "--filter", path("one.txt")}));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.err, testing::StartsWith("firbank: stopped by a signal: "));
  EXPECT_THAT(result.err, HasSubstr(path("pipe")));
  EXPECT_THAT(folder_.names(), ElementsAre("one.txt", "pipe"));
}

TEST_F(FilterCommand, KeepsWithinAMemoryLimitOrNamesTheLeast) {
  write_signal(path("in.wav"), noise(1, 2'000, kSeed));
  write_text_filter(path("f.txt"), noise_filters({3'000}, 2)[0]);
  const auto with_limit = [&](const char* limit) {
    return run(
        {path("in.wav"), path("out.wav"), "--filter", path("f.txt"), "--memory-limit", limit});
  };
  ProgramResult result = with_limit("10M");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("of the 10.0 MiB that are allowed"));
  result = with_limit("2K");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("memory_limit_bytes is 2048; these filters"));
  for (const char* wrong : {"", "K", "0", "-1M", "1.5G", "2X", "99999999999T"}) {
    result = with_limit(wrong);
    EXPECT_EQ(result.exit_code, 2) << wrong;
    EXPECT_THAT(result.err, HasSubstr("--memory-limit")) << wrong;
  }
}

TEST_F(FilterCommand, KeepsNamesWithLineEndsInOneLine) {
  write_signal(path("in\nput.wav"), noise(1, 100, kSeed));
  write_text_filter(path("o\nne.txt"), {1.0});
  const ProgramResult result =
      run({path("in\nput.wav"), path("out\nput.wav"), "--filter", path("o\nne.txt")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("out\\x0aput.wav"));
  EXPECT_THAT(result.out, HasSubstr("in\\x0aput.wav"));
  EXPECT_THAT(result.out, HasSubstr("o\\x0ane.txt"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 9) << result.out;
}

TEST_F(FilterCommand, WritesIntoANamedPipe) {
  const Signal in = noise(1, 5'000, kSeed);
  write_signal(path("in.wav"), in);
  write_text_filter(path("one.txt"), {1.0});
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  RunningProgram program(command({path("in.wav"), path("pipe"), "--filter", path("one.txt")}));
  const std::string bytes = read_bytes(path("pipe"));
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LE(relative_error(from_f32le(bytes, 1), in), 1e-6);
  EXPECT_THAT(folder_.names(), ElementsAre("in.wav", "one.txt", "pipe"));
}

TEST_F(FilterCommand, AClosedPipeIsAnErrorInOneLine) {
  write_text_filter(path("one.txt"), {1.0});
  const ProgramResult result =
      run({"-", "-", "--raw-format", "f32le:1:48000", "--filter", path("one.txt"), "--quiet"},
          to_f32le(noise(1, 200'000, kSeed)), {.output_is_closed = true});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_THAT(result.err, testing::MatchesRegex("firbank: [^\n]*output[^\n]*\n"));
}

}  // namespace
}  // namespace firbank::test
