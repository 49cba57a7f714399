// `firbank bench`: the laboratory's commands, faults that they have to find, and what they refuse.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Bench : public testing::Test {
 protected:
  static ProgramResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "bench"});
    return run_program(arguments);
  }

  /// One line on standard error that holds all of these, and the exit code.
  static void expect_refusal(const std::vector<std::string>& arguments, int exit_code,
                             const std::vector<std::string>& parts) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
  }

  std::string file(const std::string& name) const { return folder_.file(name); }

  json json_file(const std::string& name) const { return json::parse(read_bytes(file(name))); }

  /// A program that prints `script`'s output, whatever its arguments.
  std::string program(const std::string& name, const std::string& script) const {
    write_bytes(file(name), "#!/bin/sh\n" + script);
    std::filesystem::permissions(file(name), std::filesystem::perms::owner_all);
    return file(name);
  }

  TemporaryFolder folder_;
};

/// Short, light and on any machine's CPU.
const std::vector<std::string> kLight = {"latency", "--taps",    "500", "--block",
                                         "64",      "--backend", "cpu"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(Bench, LatencyFindsEverySleepAtItsSize) {
  // 3,000 blocks of 1.33 ms; each 500th is 3 ms asleep.
  const ProgramResult result =
      run(kLight + std::vector<std::string>{"--seconds", "4", "--inject-sleep", "3",
                                            "--inject-every", "500", "-q", "--json",
                                            file("report.json"), "--csv", file("blocks.csv")});
  EXPECT_THAT(result.exit_code, testing::AnyOf(0, 4)) << result.err;  // 4: a noisy machine
  EXPECT_EQ(result.err, "");
  const json report = json_file("report.json");
  const json& engine = report["runs"]["engine"];
  EXPECT_EQ(engine["blocks"], 3'000);

  std::set<int> asleep;
  std::size_t computing = 0;
  for (const json& miss : engine["misses"]["list"]) {
    if (miss["end_to_end_ns"] >= 3'000'000) {
      asleep.insert(miss["block"].get<int>());
    }
    computing += miss["cause"] == "computing" ? 1 : 0;
  }
  EXPECT_THAT(asleep, testing::IsSupersetOf({499, 999, 1499, 1999, 2499, 2999}));
  // What else is late, the machine made late: the empty loop as well, or not the computing.
  EXPECT_LE(computing, 3 + report["runs"]["empty"]["misses"]["count"].get<std::size_t>());

  std::size_t long_ones = 0;
  for (const json& bucket : engine["times"]["compute"]["histogram"]) {
    if (bucket[0].get<double>() >= 3e6) long_ones += bucket[1].get<std::size_t>();
  }
  EXPECT_GE(long_ones, 6u);
  std::size_t peaks = 0;
  for (const json& point : engine["series"]) peaks += point["max_ns"].get<double>() >= 3e6 ? 1 : 0;
  EXPECT_GE(peaks, 6u);

  const std::string csv = read_bytes(file("blocks.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6'001);
  EXPECT_THAT(csv, testing::StartsWith("run,block,due_s,wait_ns,ingest_ns,"));
}

TEST_F(Bench, LatencyReportsAddUp) {
  const ProgramResult result =
      run(kLight + std::vector<std::string>{"--seconds", "2", "--channels", "3", "--json", "-"});
  const json report = json::parse(result.out);
  EXPECT_EQ(report["schema"], "firbank.bench.latency.1");
  EXPECT_EQ(report["setting"]["inputs"], 3);
  EXPECT_EQ(report["setting"]["filters"], 3);
  EXPECT_NEAR(report["timing"]["period_ns"].get<double>(), 64e9 / 48'000, 1e-3);
  for (const char* name : {"engine", "empty"}) {
    const json& run = report["runs"][name];
    EXPECT_EQ(run["blocks"], 1'500);
    for (const auto& [stage, times] : run["times"].items()) {
      if (times.is_null()) continue;
      std::size_t count = 0;
      double bound = -1;
      for (const json& bucket : times["histogram"]) {
        EXPECT_GT(bucket[0].get<double>(), bound) << stage;
        bound = bucket[0].get<double>();
        count += bucket[1].get<std::size_t>();
      }
      EXPECT_EQ(count, times["count"].get<std::size_t>()) << stage;
      // On a busy machine a block may be behind, and was not slept for.
      if (stage == "wake_up") continue;
      EXPECT_LE(times["p50_ns"], times["p99_ns"]) << stage;
      EXPECT_LE(times["p99_ns"], times["max_ns"]) << stage;
      EXPECT_TRUE(times["p99_9_ns"].is_null()) << "1,500 blocks are too few";
    }
  }
  const json& times = report["runs"]["engine"]["times"];
  EXPECT_LE(times["compute"]["p50_ns"], times["work"]["p50_ns"]);
  EXPECT_LE(times["work"]["p50_ns"], times["end_to_end"]["p50_ns"]);
  std::size_t blocks = 0;
  for (const json& segment : report["segments"]) blocks += segment["blocks"].get<std::size_t>();
  EXPECT_EQ(blocks, 3'000u);
}

TEST_F(Bench, LatencyDrivesAnEngineAsItIsTold) {
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--drive", "pipeline"},
        {"--drive", "pipeline", "--depth", "2"},
        {"--precision", "double"},
        {"--threads", "2"},
        {"--spectra", "int16"},
        {"--routing", "bank", "--channels", "2", "--filters", "3"},
        {"--routing", "matrix", "--channels", "2", "--outputs", "3"},
        {"--spin", "100"},
        {"--priority", "0", "--no-pin"},
        {"--no-empty"}}) {
    const ProgramResult result =
        run(kLight + how + std::vector<std::string>{"--seconds", "0.3", "--json", "-"});
    EXPECT_EQ(result.exit_code, 4) << "225 blocks are too few for a 99th percentile";
    const json report = json::parse(result.out);
    EXPECT_EQ(report["verdict"]["usable"], false);
    EXPECT_EQ(report["runs"]["engine"]["blocks"], 225) << how.front();
    EXPECT_EQ(report["runs"]["empty"].is_null(), how.front() == "--no-empty");
    EXPECT_EQ(result.err, "") << how.front();
  }
}

TEST_F(Bench, LatencyTellsAStreamThatIsNotSustained) {
  const ProgramResult result =
      run({"latency", "--channels", "64", "--taps", "20000", "--rate", "1e7", "--backend", "cpu",
           "--priority", "0", "--seconds", "5"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.out, HasSubstr("does not sustain this stream"));
}

TEST_F(Bench, LatencyPrintsATable) {
  const ProgramResult result = run(kLight + std::vector<std::string>{"--seconds", "1.5"});
  for (const char* part : {"1126 blocks in 2 segments", "woken late by", "end to end", "empty loop",
                           "deadlines of 1.33 ms missed", "CLOCK_MONOTONIC"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
}

TEST_F(Bench, LatencyTracesNest) {
  run(kLight + std::vector<std::string>{"--seconds", "0.5", "--inject-sleep", "3", "--inject-every",
                                        "50", "-q", "--trace", file("trace.json")});
  const json trace = json_file("trace.json");
  // As a viewer takes them: by thread and time, each slice within the one that it begins in.
  std::vector<double> ends[3];
  std::size_t slices = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    ++slices;
    std::vector<double>& open = ends[event["tid"].get<std::size_t>()];
    const double begin = event["ts"].get<double>();
    const double end = begin + event["dur"].get<double>();
    while (!open.empty() && open.back() <= begin + 0.01) open.pop_back();
    if (!open.empty()) {
      EXPECT_LE(end, open.back() + 0.01) << event;
    }
    open.push_back(end);
  }
  EXPECT_GT(slices, 375u * 4);
}

TEST_F(Bench, LatencyRefusesWhatItCannotMeasure) {
  expect_refusal({"latency", "--seconds", "0"}, 2, {"--seconds", "0"});
  expect_refusal({"latency", "--block", "1", "--seconds", "86400"}, 2, {"--seconds 86400", "GiB"});
  expect_refusal({"latency", "--backend", "none"}, 2, {"backend 'none'"});
  expect_refusal({"latency", "--filters", "3", "--channels", "2"}, 2, {"3"});
  expect_refusal({"latency", "--routing", "matrix"}, 2, {"--outputs"});
  expect_refusal({"latency", "--processor", "1", "--no-pin"}, 2, {"--no-pin"});
  expect_refusal({"latency", "--filter", file("missing.wav")}, 3, {"missing.wav"});
  expect_refusal({"latency", "--csv", "/none/blocks.csv", "--seconds", "0.1"}, 3,
                 {"/none/blocks.csv"});
  expect_refusal({"latency", "--drive", "by-hand"}, 2, {"by-hand", "pipeline"});
}

TEST_F(Bench, CapacityFindsWhatIsInTime) {
  const ProgramResult result = run({"capacity", "--taps", "50", "--rate", "10", "--blocks", "32,16",
                                    "--most", "5", "--seconds", "0.01", "--backend", "cpu",
                                    "--json", file("report.json"), "--csv", file("steps.csv")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the most that was tried"));
  const json report = json_file("report.json");
  EXPECT_EQ(report["setting"]["varied"], "channels");
  ASSERT_EQ(report["frontier"].size(), 2u);
  EXPECT_EQ(report["frontier"][0]["block_frames"], 16);
  EXPECT_EQ(report["frontier"][1]["capacity"], 5);
  EXPECT_EQ(report["frontier"][1]["products_per_frame"], 250);
  EXPECT_TRUE(report["frontier"][1]["at_limit"]);
  EXPECT_TRUE(report["crossover"].is_null());
  const std::string csv = read_bytes(file("steps.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);  // 1, 2, 4, 5 twice, and the columns

  // 16 ns a block: not even one.
  const json none = json::parse(run({"capacity", "--routing", "bank", "--rate", "1e9", "--blocks",
                                     "16", "--seconds", "0.01", "--backend", "cpu", "--json", "-"})
                                    .out);
  EXPECT_EQ(none["setting"]["varied"], "filters");
  EXPECT_EQ(none["frontier"][0]["capacity"], 0);
  const json taps =
      json::parse(run({"capacity", "--vary", "taps", "--rate", "10", "--blocks", "16", "--most",
                       "40", "--seconds", "0.01", "--backend", "cpu", "--json", "-"})
                      .out);
  EXPECT_EQ(taps["frontier"][0]["capacity"], 40);
  EXPECT_EQ(taps["frontier"][0]["products_per_frame"], 80);
}

TEST_F(Bench, CapacityRefusesWhatDoesNotGoTogether) {
  expect_refusal({"capacity", "--vary", "filters"}, 2, {"--vary filters", "rows"});
  expect_refusal({"capacity", "--blocks", "16,0"}, 2, {"--blocks '16,0'"});
  expect_refusal({"capacity", "--blocks", ""}, 2, {"--blocks"});
  expect_refusal({"capacity", "--channels", "3"}, 2, {"--channels", "--vary"});
  expect_refusal({"capacity", "--backend", "none"}, 2, {"backend 'none'"});
  expect_refusal({"capacity", "--within", "0"}, 2, {"--within"});
}

/// A program whose value wanders by some percent from run to run.
std::string wandering(double mean, const std::string& counter) {
  return fmt::format(
      "n=$(cat {0} 2>/dev/null || echo 0); echo $((n+1)) >{0}\n"
      "awk -v n=$n 'BEGIN {{ printf \"{{\\\"runs\\\":{{\\\"engine\\\":{{\\\"times\\\":"
      "{{\\\"processor\\\":{{\\\"p50_ns\\\":%f}}}}}}}}}}\", {1} * (1 + 0.03 * sin(12.9898 * n)) "
      "}}'\n",
      counter, mean);
}

TEST_F(Bench, CompareTellsTheSlowerProgram) {
  const std::string a = program("a", wandering(1'000, file("a.count")));
  const std::string slower = program("slower", wandering(1'050, file("slower.count")));
  const std::string same = program("same", wandering(1'000, file("same.count")));
  ProgramResult result =
      run({"compare", "--interleave", a, slower, "--rounds", "50", "--json", "-"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  json report = json::parse(result.out);
  EXPECT_EQ(report["results"][0]["verdict"], "slower");
  EXPECT_NEAR(report["results"][0]["ratio"].get<double>(), 1.05, 0.02);
  EXPECT_EQ(report["rounds"].size(), 50u);

  result = run({"compare", "--interleave", a, same, slower, "--rounds", "20", "--json", "-"});
  EXPECT_EQ(result.exit_code, 1);
  report = json::parse(result.out);
  EXPECT_EQ(report["results"][0]["verdict"], "no difference shown");
  EXPECT_EQ(report["results"][1]["verdict"], "slower");

  EXPECT_EQ(run({"compare", "--interleave", a, same, "--rounds", "50"}).exit_code, 0);
  result = run({"compare", "--interleave", slower, a, "--rounds", "20"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("faster"));
}

TEST_F(Bench, CompareGivesProgramsTheirArguments) {
  const std::string echo =
      program("echo", "test \"$*\" = 'one two --json -' || exit 9\nprintf '{\"value\": 2}'\n");
  EXPECT_EQ(run({"compare", "--interleave", echo, echo, "--rounds", "5", "--figure", "/value",
                 "--with", "one two"})
                .exit_code,
            0);
}

TEST_F(Bench, CompareTellsARealProgramThatIsSlower) {
  const auto slower_by = [&](const std::string& percent) {
    return program("slow" + percent,
                   fmt::format("exec '{}' \"$@\" --inject-busy {}\n", FIRBANK_PROGRAM, percent));
  };
  const auto compared_with = [&](const std::string& other) {
    return run({"compare", "--interleave", FIRBANK_PROGRAM, other, "--rounds", "20",
                "--least-change", "5"});
  };
  EXPECT_EQ(compared_with(slower_by("30")).exit_code, 1);
  EXPECT_EQ(compared_with(slower_by("0.01")).exit_code, 0);
}

TEST_F(Bench, CompareCountsRunsThatWereNoisy) {
  const std::string good = program("good", "printf '{\"value\": 2}'\n");
  const std::string noisy = program("noisy", "printf '{\"value\": 2}'; exit 4\n");
  const ProgramResult result =
      run({"compare", "--interleave", good, noisy, "--rounds", "5", "--figure", "/value"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("6 runs called themselves too noisy"));
}

TEST_F(Bench, OutputsAreNotOneFile) {
  expect_refusal(kLight + std::vector<std::string>{"--json", file("x"), "--csv", file("x")}, 2,
                 {"--json", "same file"});
  expect_refusal(kLight + std::vector<std::string>{"--trace", file("x"), "--csv", file("x")}, 2,
                 {"--trace", "same file"});
  expect_refusal({"capacity", "--json", file("x"), "--csv", file("x")}, 2, {"same file"});
}

TEST_F(Bench, CompareRefusesProgramsThatDoNotAnswer) {
  const std::string good = program("good", "printf '{\"value\": 2}'\n");
  const auto against = [&](const std::string& other, const std::vector<std::string>& parts) {
    expect_refusal({"compare", "--interleave", good, other, "--figure", "/value"}, 3, parts);
  };
  against(file("missing"), {"missing", "cannot be started"});
  against(program("failing", "exit 7\n"), {"failing", "exit code 7"});
  against(program("killed", "kill -9 $$\n"), {"killed", "exit code 137"});
  against(program("text", "echo hello\n"), {"text", "no JSON"});
  against(program("empty", ""), {"empty", "no JSON"});
  against(program("other", "printf '{\"another\": 2}'\n"), {"other", "/value"});
  against(program("zero", "printf '{\"value\": 0}'\n"), {"zero", "above 0"});
  against(program("word", "printf '{\"value\": \"2\"}'\n"), {"word", "/value"});
  expect_refusal({"compare", "--interleave", good}, 2, {"two programs"});
  expect_refusal({"compare"}, 2, {"two reports"});
  expect_refusal({"compare", "--interleave", good, good, "--figure", "value"}, 2, {"--figure"});
  expect_refusal({"compare", "--interleave", good, good, "--rounds", "1"}, 2, {"--rounds"});
}

/// A report of latency as far as it is compared: segments in turn, of these figures.
json latency_report(double scale, double jitter_scale) {
  json report = {{"schema", "firbank.bench.latency.1"},
                 {"setting", {{"inputs", 2}, {"taps", 500}}},
                 {"environment", {{"processor", {{"name", "one"}}}}},
                 {"verdict", {{"usable", true}}}};
  for (int n = 0; n < 10; ++n) {
    const double wander = 1 + 0.01 * std::sin(7.0 * n);
    const auto segment = [&](const char* run, double factor) {
      report["segments"].push_back({{"run", run},
                                    {"p50_ns", 40'000 * factor},
                                    {"p99_ns", 70'000 * factor},
                                    {"processor_p50_ns", 9'000 * factor}});
    };
    segment("engine", scale * wander);
    segment("empty", 0.5 * jitter_scale * wander);
  }
  return report;
}

TEST_F(Bench, CompareJudgesReportsOfTheSameMachine) {
  const auto keep = [&](const std::string& name, const json& report) {
    write_bytes(file(name), report.dump());
    return file(name);
  };
  const std::string a = keep("a.json", latency_report(1, 1));
  EXPECT_EQ(run({"compare", a, keep("b.json", latency_report(1.1, 1))}).exit_code, 0);
  EXPECT_EQ(run({"compare", a, keep("b.json", latency_report(1.4, 1))}).exit_code, 1);
  EXPECT_EQ(run({"compare", a, keep("b.json", latency_report(0.9, 1))}).exit_code, 0);

  const ProgramResult noisy = run({"compare", a, keep("b.json", latency_report(1.06, 1.7))});
  EXPECT_EQ(noisy.exit_code, 5);
  EXPECT_THAT(noisy.out, HasSubstr("the machine itself was another"));
  json other = latency_report(1, 1);
  other["setting"]["taps"] = 501;
  const ProgramResult streams = run({"compare", a, keep("b.json", other)});
  EXPECT_EQ(streams.exit_code, 5);
  EXPECT_THAT(streams.out, AllOf(HasSubstr("setting/taps"), HasSubstr("501")));
  other = latency_report(1, 1);
  other["verdict"]["usable"] = false;
  EXPECT_EQ(run({"compare", a, keep("b.json", other)}).exit_code, 5);
  other = latency_report(1, 1);
  other["segments"] = {other["segments"][0], other["segments"][1]};
  EXPECT_EQ(run({"compare", a, keep("b.json", other)}).exit_code, 5);
  other["segments"] = json::array({1, "two", nullptr});
  EXPECT_EQ(run({"compare", a, keep("b.json", other)}).exit_code, 5);

  expect_refusal({"compare", a, file("missing.json")}, 3, {"missing.json", "cannot be read"});
  expect_refusal({"compare", a, keep("b.json", "text")}, 3, {"b.json", "no JSON report"});
  expect_refusal({"compare", a, keep("b.json", json{{"schema", 7}})}, 3, {"b.json", "no report"});
  other = latency_report(1, 1);
  other["segments"][0]["p50_ns"] = "slow";
  expect_refusal({"compare", a, keep("b.json", other)}, 3, {"b.json", "p50_ns"});
}

TEST_F(Bench, NeedsACommand) {
  expect_refusal({}, 2, {"bench --help"});
  expect_refusal({"nothing"}, 2, {"nothing", "bench --help"});
  const ProgramResult help = run({"latency", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Examples:"), HasSubstr("Exit codes:")));
}

}  // namespace
}  // namespace firbank::test
