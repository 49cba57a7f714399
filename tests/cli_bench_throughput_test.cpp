// `firbank bench throughput`: what it prints and writes, and what it refuses.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernels/backends.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/signals.hpp"

namespace firbank::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

ProgramResult bench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "bench", "throughput"});
  return run_program(arguments);
}

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--seconds", "0.003", "--repeats", "3", "--json", "-"});
  const ProgramResult result = bench(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return nlohmann::json::parse(result.out);
}

TEST(BenchThroughput, ReportsARowOfOnesOwn) {
  const TemporaryFolder folder;
  write_text_filter(folder.file("filter.txt"), noise_filters({300}, 1)[0]);
  const nlohmann::json json =
      json_of({"--filter", folder.file("filter.txt"), "--channels", "3", "--block", "96", "--rate",
               "1000", "--backend", "cpu-scalar"});
  EXPECT_EQ(json.at("schema"), "firbank.bench.throughput.1");
  EXPECT_THAT(json.at("date").get<std::string>(),
              MatchesRegex("20[0-9-]{8}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  EXPECT_TRUE(json.at("program").is_object());
  EXPECT_TRUE(json.at("environment").is_object());
  EXPECT_EQ(json.at("setting").at("repeats"), 3);
  EXPECT_GT(json.at("ceilings").at("peak_flops_per_s"), 0);
  EXPECT_GE(json.at("ceilings").at("reads").size(), 10u);
  EXPECT_TRUE(json.at("verdict").at("usable").is_boolean());
  EXPECT_EQ(json.at("headline").at("better"), "more");

  ASSERT_EQ(json.at("rows").size(), 1u);
  const nlohmann::json& row = json.at("rows").at(0);
  EXPECT_EQ(row.at("name"), "own");
  EXPECT_EQ(row.at("backend"), "cpu-scalar");
  const nlohmann::json& setting = row.at("setting");
  EXPECT_EQ(setting.at("inputs"), 3);
  EXPECT_EQ(setting.at("outputs"), 3);
  EXPECT_EQ(setting.at("filters"), 1);
  EXPECT_EQ(setting.at("taps"), 300);
  EXPECT_EQ(setting.at("routing"), "rows");
  EXPECT_EQ(setting.at("block_frames"), 96);
  EXPECT_EQ(setting.at("goal"), "live");
  EXPECT_EQ(setting.at("precision"), "float");
  EXPECT_EQ(row.at("counted"), "processor time");
  EXPECT_LT(row.at("error"), 1e-6);
  EXPECT_GT(row.at("warm_up_frames"), 300);
  // The rates are of what is told beside them.
  const double frames = row.at("frames");
  const double frames_per_s = frames / row.at("processor_s").get<double>();
  EXPECT_NEAR(row.at("sample_taps_per_s").get<double>() / (frames_per_s * 900), 1, 1e-9);
  EXPECT_NEAR(row.at("times_realtime").get<double>() / (frames_per_s / 1'000), 1, 1e-9);
  for (const char* what : {"flops", "bytes"}) {
    const std::string name = what;
    const double a_frame = row.at(name + "_per_frame");
    EXPECT_NEAR(row.at(name + "_per_s").get<double>() / (frames_per_s * a_frame), 1, 1e-9);
  }
  EXPECT_NEAR(row.at("share_of_peak").get<double>(),
              row.at("flops_per_s").get<double>() /
                  json.at("ceilings").at("peak_flops_per_s").get<double>(),
              1e-9);
  EXPECT_THAT(row.at("bound_by").get<std::string>(), testing::AnyOf("arithmetic", "reads"));
  EXPECT_TRUE(row.at("bus_bytes_per_s").is_null());
}

TEST(BenchThroughput, MeasuresNamedRowsAsTheyAreOrAsTold) {
  const nlohmann::json both = json_of({"--row", "files", "--row", "channel"});
  ASSERT_EQ(both.at("rows").size(), 2u);
  EXPECT_EQ(both.at("rows").at(0).at("name"), "channel");
  EXPECT_EQ(both.at("rows").at(0).at("setting").at("block_frames"), 32);
  EXPECT_EQ(both.at("rows").at(1).at("name"), "files");
  EXPECT_EQ(both.at("rows").at(1).at("setting").at("goal"), "offline");
  EXPECT_GT(both.at("rows").at(1).at("setting").at("block_frames"), 256);
  const nlohmann::json told = json_of({"--row", "files", "--goal", "live", "--block", "128",
                                       "--precision", "double", "--threads", "2"});
  const nlohmann::json& setting = told.at("rows").at(0).at("setting");
  EXPECT_EQ(setting.at("goal"), "live");
  EXPECT_EQ(setting.at("block_frames"), 128);
  EXPECT_EQ(setting.at("precision"), "double");
  EXPECT_EQ(setting.at("threads"), 2);
  EXPECT_LT(told.at("rows").at(0).at("error"), 1e-13);
  EXPECT_EQ(told.at("ceilings").at("precision"), "double");
}

TEST(BenchThroughput, DoesWithoutFilterFiles) {
  const nlohmann::json json = json_of({"--channels", "4", "--routing", "matrix", "--outputs", "2",
                                       "--filters", "8", "--taps", "50", "--spectra", "int16"});
  const nlohmann::json& setting = json.at("rows").at(0).at("setting");
  EXPECT_EQ(setting.at("inputs"), 4);
  EXPECT_EQ(setting.at("outputs"), 2);
  EXPECT_EQ(setting.at("filters"), 8);
  EXPECT_EQ(setting.at("taps"), 50);
  EXPECT_EQ(setting.at("spectra"), "int16");
}

TEST(BenchThroughput, PrintsATable) {
  const ProgramResult result =
      bench({"--row", "channel", "--row", "files", "--seconds", "0.01", "--repeats", "3"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const std::string backend = make_backend("auto")->name();
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("One core can do "), HasSubstr("Gflop/s (" + backend + ", float)"),
                    HasSubstr(" of 16.0 KiB"), HasSubstr(" of 256.0 MiB.\n"),
                    HasSubstr("\nchannel      32 live "), HasSubstr(" offline "),
                    HasSubstr("a second is one of processor time"),
                    HasSubstr("What fills the filters and the caches before a stretch is left"),
                    HasSubstr("direct convolution first"), Not(HasSubstr("by clock"))));
  EXPECT_THAT(bench({"--row", "channel", "--seconds", "0.01", "--threads", "2"}).out,
              AllOf(HasSubstr("by clock"), HasSubstr("while 2 are at work")));
  const ProgramResult quiet = bench({"--row", "channel", "--seconds", "0.01", "--quiet"});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST(BenchThroughput, WritesCsv) {
  const TemporaryFolder folder;
  const ProgramResult result = bench({"--row", "channel", "--row", "files", "--seconds", "0.01",
                                      "--csv", "-", "--json", folder.file("report.json")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3) << result.out;
  EXPECT_TRUE(result.out.starts_with("name,setting.inputs,")) << result.out;
  EXPECT_THAT(result.out, HasSubstr("\nchannel,1,1,1,2048,rows,32,48000.0,live,float,"));
  EXPECT_EQ(nlohmann::json::parse(read_bytes(folder.file("report.json"))).at("rows").size(), 2u);
  EXPECT_THAT(folder.names(), ElementsAre("report.json"));
}

TEST(BenchThroughput, RefusesInOneLine) {
  struct Refusal {
    std::vector<std::string> arguments;
    int exit_code;
    std::vector<std::string> words;
  };
  const TemporaryFolder folder;
  const std::string both = folder.file("both");
  const std::vector<Refusal> refusals = {
      {{"--row", "nope"}, 2, {"--row", "nope", "channel, reverb, probe, matrix, bank, files"}},
      {{"--row", "bank", "--taps", "3"}, 2, {"--row bank", "--taps", "exclude"}},
      {{"--goal", "fast"}, 2, {"--goal", "fast", "live", "offline"}},
      {{"--repeats", "2"}, 2, {"--repeats", "'2'", "3 to 1000"}},
      {{"--seconds", "0"}, 2, {"--seconds", "'0'"}},
      {{"--backend", "nope"}, 2, {"backend 'nope'"}},
      {{"--precision", "double", "--spectra", "int16"}, 2, {"--spectra is int16"}},
      {{"--filters", "5", "--channels", "3"}, 2, {"5 filters", "3 channels"}},
      {{"--routing", "matrix"}, 2, {"--outputs"}},
      {{"--filter", folder.file("none.wav")}, 3, {"none.wav"}},
      {{"--csv", folder.file("none/x.csv")}, 3, {"none/x.csv"}},
      {{"--csv", both, "--json", both}, 2, {"--json", both}}};
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.words[0]);
    const ProgramResult result = bench(refusal.arguments);
    EXPECT_EQ(result.exit_code, refusal.exit_code);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& word : refusal.words) EXPECT_THAT(result.err, HasSubstr(word));
  }
  EXPECT_THAT(folder.names(), testing::IsEmpty()) << "nothing was measured";
}

/// Whether a program has taken a signal for its own: what comes before that ends it.
bool answers(pid_t id, int signal) {
  std::ifstream status("/proc/" + std::to_string(id) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

TEST(BenchThroughput, EndsBySignalWithoutAResult) {
  const TemporaryFolder folder;
  RunningProgram program({FIRBANK_PROGRAM, "bench", "throughput", "--row", "channel", "--seconds",
                          "3600", "--json", folder.file("report.json")});
  for (int n = 0; n < 10'000 && !answers(program.id(), SIGINT); ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  program.send(SIGINT);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "firbank: stopped before anything was measured\n");
  EXPECT_THAT(folder.names(), testing::IsEmpty());
}

}  // namespace
}  // namespace firbank::test
