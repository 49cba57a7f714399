// The program's other commands: design, info, plan, verify, backends, and its help; tune has a file
// of its own.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <csignal>
#include <cstdlib>
#include <numbers>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "kernels/backends.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::HasSubstr;

ProgramResult run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FIRBANK_PROGRAM);
  return run_program(arguments);
}

nlohmann::json json_of(const std::vector<std::string>& arguments) {
  const ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return nlohmann::json::parse(result.out);
}

std::complex<double> response(const std::vector<double>& taps, double hz, double rate_hz) {
  std::complex<double> sum = 0;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    sum += std::polar(taps[k], -2 * std::numbers::pi * hz / rate_hz * static_cast<double>(k));
  }
  return sum;
}

double gain_db(const std::vector<double>& taps, double hz, double rate_hz) {
  return 20 * std::log10(std::max(std::abs(response(taps, hz, rate_hz)), 1e-15));
}

/// The greatest gain over a band, in dB.
double worst_gain_db(const std::vector<double>& taps, double from_hz, double to_hz,
                     double rate_hz) {
  double worst = -400;
  for (int i = 0; i <= 2'000; ++i) {
    const double hz = from_hz + (to_hz - from_hz) * i / 2'000;
    worst = std::max(worst, gain_db(taps, hz, rate_hz));
  }
  return worst;
}

class Design : public testing::Test {
 protected:
  std::vector<double> design(std::vector<std::string> arguments, const char* name) {
    const std::string path = folder_.file(name);
    arguments.insert(arguments.begin(), "design");
    arguments.insert(arguments.begin() + 2, path);
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    said_ = result.out;
    if (!path.ends_with(".txt")) return read_signal(path)[0];
    std::istringstream text(read_bytes(path));
    std::vector<double> taps;
    for (double tap = 0; text >> tap;) taps.push_back(tap);
    return taps;
  }

  void expect_symmetric(const std::vector<double>& taps) {
    ASSERT_EQ(taps.size() % 2, 1u);
    for (std::size_t k = 0; k < taps.size(); ++k) {
      ASSERT_NEAR(taps[k], taps[taps.size() - 1 - k], 1e-15);
    }
  }

  TemporaryFolder folder_;
  std::string said_;
};

TEST_F(Design, LowpassReachesItsAttenuation) {
  for (const double attenuation : {30.0, 60.0, 80.0, 120.0}) {
    SCOPED_TRACE(attenuation);
    const std::vector<double> taps = design({"lowpass", "--cutoff", "1000", "--transition", "200",
                                             "--attenuation", fmt::format("{}", attenuation)},
                                            "low.wav");
    expect_symmetric(taps);
    EXPECT_NEAR(gain_db(taps, 0, 48'000), 0, 1e-9);
    EXPECT_NEAR(gain_db(taps, 1'000, 48'000), -6.02, attenuation < 40 ? 0.5 : 0.1);
    EXPECT_NEAR(gain_db(taps, 900, 48'000), 0, attenuation < 40 ? 0.5 : 0.02);
    EXPECT_LE(worst_gain_db(taps, 1'100, 24'000, 48'000), -attenuation + 0.01);
    EXPECT_THAT(said_, HasSubstr(fmt::format("{} taps", taps.size())));
  }
}

TEST_F(Design, OtherKindsPassAndStopWhatTheySay) {
  const std::vector<double> high =
      design({"highpass", "--rate", "1000", "--cutoff", "50", "--transition", "10"}, "high.npy");
  expect_symmetric(high);
  EXPECT_NEAR(gain_db(high, 500, 1'000), 0, 1e-9);
  EXPECT_LE(worst_gain_db(high, 0, 45, 1'000), -79.99);

  const std::vector<double> band = design(
      {"bandpass", "--low", "300", "--high", "3400", "--transition", "100", "--attenuation", "60"},
      "band.txt");
  expect_symmetric(band);
  EXPECT_NEAR(gain_db(band, 1'850, 48'000), 0, 1e-9);
  EXPECT_LE(worst_gain_db(band, 0, 250, 48'000), -59.99);
  EXPECT_LE(worst_gain_db(band, 3'450, 24'000, 48'000), -59.99);

  const std::vector<double> stop = design(
      {"bandstop", "--rate", "1000", "--low", "45", "--high", "55", "--transition", "4"}, "s.wav");
  expect_symmetric(stop);
  EXPECT_NEAR(gain_db(stop, 0, 1'000), 0, 1e-9);
  EXPECT_NEAR(gain_db(stop, 200, 1'000), 0, 0.01);
  EXPECT_LE(worst_gain_db(stop, 47, 53, 1'000), -79.99);
}

TEST_F(Design, HilbertTurnsACosineIntoASine) {
  const std::vector<double> taps =
      design({"hilbert", "--transition", "100", "--attenuation", "90"}, "h.wav");
  const auto delay = static_cast<double>((taps.size() - 1) / 2);
  for (const double hz : {100.0, 1'000.0, 12'000.0, 20'000.0, 23'900.0}) {
    const std::complex<double> centred =
        response(taps, hz, 48'000) * std::polar(1.0, 2 * std::numbers::pi * hz / 48'000 * delay);
    EXPECT_NEAR(centred.real(), 0, 1e-9) << hz;
    EXPECT_NEAR(centred.imag(), -1, 2 * std::pow(10, -90.0 / 20)) << hz;
  }
}

TEST_F(Design, TakesANumberOfTapsInstead) {
  const std::vector<double> taps =
      design({"lowpass", "--rate", "1000", "--cutoff", "100", "--taps", "101"}, "low.txt");
  EXPECT_EQ(taps.size(), 101u);
  expect_symmetric(taps);
}

TEST_F(Design, FiltersAsItWasDesigned) {
  design({"lowpass", "--cutoff", "2000", "--transition", "500", "--attenuation", "80"}, "low.wav");
  Signal tone(1, std::vector<double>(48'000));
  for (std::size_t n = 0; n < tone[0].size(); ++n) {
    tone[0][n] = std::sin(2 * std::numbers::pi * 5'000 / 48'000 * static_cast<double>(n));
  }
  write_signal(folder_.file("tone.wav"), tone);
  const ProgramResult result = run({"filter", folder_.file("tone.wav"), folder_.file("out.wav"),
                                    "--filter", folder_.file("low.wav"), "--mode", "valid"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Signal out = read_signal(folder_.file("out.wav"));
  for (const double sample : out[0]) ASSERT_LE(std::abs(sample), 1e-4);
}

TEST_F(Design, StopsWithoutAResult) {
  // A million taps, measured for many seconds.
  RunningProgram program({FIRBANK_PROGRAM, "design", "lowpass", folder_.file("low.wav"), "--cutoff",
                          "1000", "--transition", "0.2", "--json", folder_.file("low.json")});
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  program.send(SIGINT);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("stopped before " + folder_.file("low.wav")));
  EXPECT_THAT(folder_.names(), testing::IsEmpty());
}

TEST_F(Design, StopsAlthoughNobodyReadsItsPipe) {
  RunningProgram program(
      {FIRBANK_PROGRAM, "design", "lowpass", "-", "--cutoff", "1000", "--taps", "30001"});
  std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
  program.send(SIGINT);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST(Info, MeasuresAFile) {
  TemporaryFolder folder;
  Signal signal(2, std::vector<double>(1'000));
  for (std::size_t n = 0; n < 1'000; ++n) signal[0][n] = n % 2 == 0 ? 0.5 : -0.25;
  signal[1][400] = 0.75;
  signal[1][402] = 0.75;
  write_signal(folder.file("x.wav"), signal, 8'000);
  const nlohmann::json json = json_of({"info", folder.file("x.wav"), "--json", "-"});
  EXPECT_EQ(json.at("channels"), 2);
  EXPECT_EQ(json.at("sample_rate_hz"), 8'000);
  EXPECT_EQ(json.at("frames"), 1'000);
  EXPECT_DOUBLE_EQ(json.at("duration_seconds"), 0.125);
  const nlohmann::json& first = json.at("channel").at(0);
  EXPECT_DOUBLE_EQ(first.at("peak"), 0.5);
  EXPECT_DOUBLE_EQ(first.at("dc"), 0.125);
  EXPECT_NEAR(first.at("rms").get<double>(), std::sqrt((0.25 + 0.0625) / 2), 1e-12);
  const nlohmann::json& second = json.at("channel").at(1);
  EXPECT_EQ(second.at("first_nonzero_frame"), 400);
  EXPECT_NEAR(second.at("energy_centre_frame").get<double>(), 401, 1e-9);
  EXPECT_DOUBLE_EQ(second.at("sum"), 1.5);

  const ProgramResult result = run({"info", folder.file("x.wav")});
  EXPECT_THAT(result.out, HasSubstr("2 channels, 8000 Hz, 1000 frames"));
  EXPECT_THAT(result.out, HasSubstr("-6.02 dBFS"));

  write_text_filter(folder.file("taps.txt"), {0.0, 0.5, 0.5});
  EXPECT_EQ(json_of({"info", folder.file("taps.txt"), "--json", "-"}).at("frames"), 3);
}

TEST(Plan, PrintsPartitionsCostLatencyAndMemory) {
  const std::vector<std::string> arguments = {"plan",  "--filters",  "2",   "--taps",
                                              "48000", "--block",    "256", "--routing",
                                              "bank",  "--channels", "3"};
  const ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* word : {"partitions", "latency", "cost", "memory", "48000 taps"}) {
    EXPECT_THAT(result.out, HasSubstr(word));
  }
  std::vector<std::string> as_json = arguments;
  as_json.insert(as_json.end(), {"--json", "-"});
  const nlohmann::json json = json_of(as_json);
  EXPECT_EQ(json.at("call_frames"), 256);
  EXPECT_EQ(json.at("channels_out"), 6);
  EXPECT_EQ(json.at("latency_frames"), 0);
  EXPECT_GT(json.at("flops_per_frame"), 0);
  EXPECT_GT(json.at("memory_bytes"), 0);
  EXPECT_EQ(json.at("memory_bytes_double"), 2 * json.at("memory_bytes").get<std::size_t>());
  EXPECT_EQ(json.at("longest_taps"), 48'000);
}

TEST(Plan, ShowsTheLevelsAndWhatElseThereWas) {
  const std::vector<std::string> arguments = {
      "plan",       "--filters", "2",       "--taps",  "480000",         "--block", "64",
      "--channels", "2",         "--costs", "default", "--alternatives", "2"};
  const ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* word : {"in each call", "spread over", "dearest call", "before it is due",
                           "compared", "  chosen\n"}) {
    EXPECT_THAT(result.out, HasSubstr(word));
  }
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;

  std::vector<std::string> as_json = arguments;
  as_json.insert(as_json.end(), {"--json", "-"});
  const nlohmann::json json = json_of(as_json);
  EXPECT_EQ(json.at("costs"), nlohmann::json({{"source", "default"}}));
  ASSERT_GT(json.at("levels").size(), 1u);
  ASSERT_EQ(json.at("alternatives").size(), 2u);
  bool has_uniform = false;
  for (const nlohmann::json& other : json.at("alternatives")) {
    EXPECT_GE(other.at("ns_per_frame"), json.at("ns_per_frame")) << other;
    EXPECT_NE(other.at("levels").size(), json.at("levels").size()) << other;
    EXPECT_LT(other.at("times_realtime"), json.at("times_realtime")) << other;
    has_uniform = has_uniform || other.at("levels").size() == 1;
  }
  EXPECT_TRUE(has_uniform);
}

TEST(Plan, ComparesDirectFormWithTransforms) {
  const nlohmann::json shortest = json_of({"plan", "--taps", "3", "--block", "64", "--json", "-"});
  EXPECT_EQ(shortest.at("kind"), "direct");
  EXPECT_EQ(shortest.at("alternatives").at(0).at("kind"), "partitioned");
  const nlohmann::json longer =
      json_of({"plan", "--taps", "900", "--block", "64", "--alternatives", "5", "--json", "-"});
  EXPECT_EQ(longer.at("kind"), "partitioned");
  std::set<std::string> others;
  for (const nlohmann::json& other : longer.at("alternatives")) others.insert(other.at("kind"));
  EXPECT_THAT(others, testing::ElementsAre("direct", "partitioned"));
}

TEST(Plan, TakesPartitionsInsteadOfAChoice) {
  const nlohmann::json json = json_of(
      {"plan", "--taps", "48000", "--block", "64", "--partitions", "64,2048", "--json", "-"});
  ASSERT_EQ(json.at("levels").size(), 2u);
  EXPECT_EQ(json.at("levels").at(0).at("block_frames"), 64);
  EXPECT_EQ(json.at("levels").at(1).at("block_frames"), 2'048);
  // What would have been chosen comes first.
  EXPECT_LT(json.at("alternatives").at(0).at("ns_per_frame"), json.at("ns_per_frame"));
  const ProgramResult result =
      run({"plan", "--taps", "48000", "--block", "64", "--partitions", "64,2048"});
  EXPECT_THAT(result.out, HasSubstr("as asked for"));
}

TEST(Plan, TellsWhatCompactSpectraSave) {
  const auto plan = [](const char* spectra) {
    return json_of({"plan", "--taps", "48000", "--filters", "4", "--routing", "bank", "--spectra",
                    spectra, "--json", "-"});
  };
  EXPECT_LT(plan("int16").at("memory_bytes"), 0.8 * plan("full").at("memory_bytes").get<double>());
  EXPECT_THAT(plan("int16").at("description"), HasSubstr(", int16 spectra"));
  const ProgramResult refused =
      run({"plan", "--taps", "100", "--spectra", "int16", "--precision", "double"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--spectra is int16"));
}

TEST(Verify, TakesPartitions) {
  const ProgramResult result = run({"verify", "--taps", "3000", "--filters", "1", "--block", "64",
                                    "--partitions", "64,256,1024", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(Plan, IsTheSameForFilesAsForTheirLengths) {
  TemporaryFolder folder;
  write_signal(folder.file("x.wav"), noise(4, 3'000, 1));
  const auto plan_of = [](const std::vector<std::string>& filters) {
    std::vector<std::string> arguments = {"plan", "--routing", "bank", "--channels", "3"};
    arguments.insert(arguments.end(), {"--json", "-"});
    arguments.insert(arguments.end(), filters.begin(), filters.end());
    return json_of(arguments);
  };
  EXPECT_EQ(plan_of({"--filters", "4", "--taps", "3000"}),
            plan_of({"--filter", folder.file("x.wav")}));
}

// With all their taps these filters would take 2 GB.
TEST(Plan, NeedsNoMemoryForTheTaps) {
  const ProgramResult result = run(
      {"plan", "--filters", "256", "--routing", "bank", "--channels", "256", "--taps", "1000000"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("256 filters of 1000000 taps"));
  rusage usage{};
  ASSERT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
  EXPECT_LT(usage.ru_maxrss, 1'500'000) << "KiB of the largest child";
}

TEST(Verify, ProvesEveryBackendThatRunsHere) {
  const nlohmann::json json = json_of({"verify", "--taps", "1000", "--filters", "3", "--channels",
                                       "3", "--block", "100", "--threads", "2", "--json", "-"});
  EXPECT_EQ(json.at("passed"), true);
  std::size_t available = 0;
  for (const BackendInfo& backend : list_backends()) available += backend.available ? 1 : 0;
  EXPECT_EQ(json.at("cases").size(), 6 * available);
  for (const nlohmann::json& one : json.at("cases")) {
    const double limit = one.at("precision") == "double" ? 1e-13
                         : one.at("spectra") == "int16"  ? 3.16e-5
                                                         : 1e-6;
    EXPECT_GT(one.at("error"), 0) << one << ": noise through noise cannot be exact";
    EXPECT_LE(one.at("error"), limit) << one;
  }
}

TEST(Verify, PrintsATable) {
  const ProgramResult result = run({"verify", "--taps", "50", "--seconds", "0.01"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("worst error"));
  EXPECT_THAT(result.out, HasSubstr("push/pull"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("FAIL")));
}

// Taps below the range of float cannot be had in float: whatever computes in it has to fail, though
// in one channel of two only.
TEST(Verify, FailsWhereThePrecisionDoesNotSuffice) {
  TemporaryFolder folder;
  write_text_filter(folder.file("good.txt"), {1.0, 0.5, -0.25});
  write_text_filter(folder.file("tiny.txt"), {1e-43, 0.7e-43, -0.3e-43});
  const std::vector<std::string> arguments = {
      "verify", "--filter", folder.file("good.txt"), "--filter", folder.file("tiny.txt"),
      "--seed", "7"};
  const ProgramResult table = run(arguments);
  EXPECT_EQ(table.exit_code, 4);
  EXPECT_THAT(table.out, HasSubstr("FAIL\n"));
  EXPECT_THAT(table.out, HasSubstr("pass\n"));
  std::vector<std::string> as_json = arguments;
  as_json.insert(as_json.end(), {"--json", "-"});
  const ProgramResult result = run(as_json);
  EXPECT_EQ(result.exit_code, 4);
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("passed"), false);
  const std::size_t cases = json.at("cases").size();
  EXPECT_GE(cases, 4u);
  std::size_t in_float = 0;
  for (const nlohmann::json& one : json.at("cases")) {
    in_float += one.at("precision") == "float" ? 1 : 0;
    EXPECT_EQ(one.at("passed"), one.at("precision") == "double") << one;
  }
  EXPECT_EQ(result.err, fmt::format("firbank: {} of {} cases are further from the oracle than "
                                    "allowed, seed 7\n",
                                    in_float, cases));
}

TEST(Backends, ListsThemAllWithReasons) {
  const ProgramResult result = run({"backends"});
  EXPECT_EQ(result.exit_code, 0);
  for (const BackendInfo& backend : list_backends()) {
    EXPECT_THAT(result.out, HasSubstr(backend.name));
    EXPECT_THAT(result.out, HasSubstr(backend.instruction_set));
    EXPECT_THAT(result.out, HasSubstr(backend.reason));
  }
}

TEST(Help, EveryCommandHasExamples) {
  const ProgramResult all = run({"--help"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.out, HasSubstr("Examples:"));
  for (const char* command :
       {"filter", "plan", "tune", "verify", "design", "info", "backends", "doctor"}) {
    SCOPED_TRACE(command);
    EXPECT_THAT(all.out, HasSubstr(command));
    const ProgramResult one = run({command, "--help"});
    EXPECT_EQ(one.exit_code, 0);
    EXPECT_EQ(one.err, "");
    EXPECT_THAT(one.out, HasSubstr("Examples:"));
    EXPECT_THAT(one.out, HasSubstr(std::string("firbank ") + command));
  }
  const ProgramResult version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, "firbank " FIRBANK_VERSION "\n");
}

TEST(Embed, PrintsTheTapsThatItFilteredWith) {
  const ProgramResult result = run_program({FIRBANK_EMBED});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "left 0.25 0.5 0.25 0, right 0 0.25 0.5 0.25\n");
}

TEST(DemoCommand, AddsFiltersUntilTheyAreLate) {
  // 160 ns for a block: no computer is in time with many filters.
  nlohmann::json report = json_of({"demo", "capacity", "--block", "16", "--taps", "5000", "--rate",
                                   "1e8", "--seconds", "0.01", "--backend", "cpu", "--json", "-"});
  EXPECT_LE(report["backends"][0]["filters"], 8);
  report = json_of({"demo", "capacity", "--block", "16", "--taps", "50", "--rate", "10",
                    "--seconds", "0.01", "--most", "5", "--backend", "cpu", "--json", "-"});
  const auto& all = report["backends"][0];
  EXPECT_EQ(all["filters"], 5);
  std::vector<int> filters;
  for (const auto& step : all["steps"]) filters.push_back(step["filters"]);
  EXPECT_THAT(filters, testing::ElementsAre(1, 2, 4, 5));
  EXPECT_GE(all["steps"][0]["blocks"], 334);
  const ProgramResult drawn = run({"demo", "capacity", "--block", "16", "--taps", "50", "--rate",
                                   "10", "--seconds", "0.01", "--most", "2", "--backend", "cpu"});
  EXPECT_EQ(drawn.exit_code, 0);
  EXPECT_THAT(drawn.out, HasSubstr("     2 filters  [-"));
  EXPECT_THAT(drawn.out, HasSubstr("2 filters (--most) and maybe more in time"));
  EXPECT_EQ(run({"demo"}).exit_code, 2);
  EXPECT_EQ(run({"demo", "capacity", "--backend", "none"}).exit_code, 2);
}

}  // namespace
}  // namespace firbank::test
