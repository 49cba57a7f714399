// The program with a GPU's backend, on the fake device.
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/signals.hpp"

namespace firbank::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CliCuda : public testing::Test {
 protected:
  void SetUp() override {
    setenv("FIRBANK_PLUGIN_DIR", FIRBANK_FAKE_DEVICE_DIR, 1);
    device("");
    write_signal(folder_.file("in.npy"), noise(2, 5'000, 1));
    write_text_filter(folder_.file("filter.txt"), noise_filters({700}, 2)[0]);
  }
  static void device(const char* settings) { setenv("FIRBANK_FAKE_DEVICE", settings, 1); }

  ProgramResult filter(const std::string& output, std::vector<std::string> options) const {
    options.insert(options.begin(), {FIRBANK_PROGRAM, "filter", folder_.file("in.npy"),
                                     folder_.file(output), "--filter", folder_.file("filter.txt")});
    return run_program(options);
  }

  TemporaryFolder folder_;
};

TEST_F(CliCuda, FiltersAsTheCpuDoesAtAnyDepth) {
  ASSERT_EQ(filter("cpu.npy", {"--backend", "cpu", "--precision", "double"}).exit_code, 0);
  const Signal expected = read_signal(folder_.file("cpu.npy"));
  for (const char* depth : {"0", "1", "5", "20"}) {
    for (const char* way : {"--as-live", "--quiet"}) {
      SCOPED_TRACE(testing::Message() << "depth " << depth << ", " << way);
      const ProgramResult result =
          filter("cuda.npy", {"--backend", "cuda", "--depth", depth, "--block", "64", way, "--json",
                              folder_.file("report.json")});
      ASSERT_EQ(result.exit_code, 0) << result.err;
      EXPECT_TRUE(follows(read_signal(folder_.file("cuda.npy")), expected, 1e-6));
      const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
      EXPECT_EQ(report["backend"], "cuda:0");
      const bool is_live = std::string_view(way) == "--as-live";
      EXPECT_EQ(report["latency_frames"], is_live ? 64 * std::stoi(depth) : 0);
      EXPECT_EQ(report["plan"]["latency_frames"], report["latency_frames"]);
      EXPECT_EQ(report["lost_frames"], 0);
    }
  }
}

TEST_F(CliCuda, PlansAFileWithoutLatency) {
  const ProgramResult plan = run_program(
      {FIRBANK_PROGRAM, "plan", "--taps", "700", "--backend", "cuda", "--offline", "--json", "-"});
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_EQ(nlohmann::json::parse(plan.out)["latency_frames"], 0);
}

TEST_F(CliCuda, PlansButDoesNotMeasureIt) {
  const ProgramResult plan = run_program({FIRBANK_PROGRAM, "plan", "--taps", "48000", "--block",
                                          "64", "--backend", "cuda", "--depth", "2"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(HasSubstr("uniform: "), HasSubstr("128 frames (2.67 ms)"),
                              HasSubstr("costs      defaults; GPUs are not measured")));
  const ProgramResult tune =
      run_program({FIRBANK_PROGRAM, "tune", "--backend", "cuda", "--dry-run"});
  EXPECT_EQ(tune.exit_code, 2);
  EXPECT_EQ(tune.out, "");
  EXPECT_THAT(tune.err, HasSubstr("backend 'cuda:0' cannot be measured"));
}

TEST_F(CliCuda, PlansHeadsAndTailsAsTheyAreRun) {
  const auto plan_of = [](std::vector<std::string> filters) {
    filters.insert(filters.begin(), {FIRBANK_PROGRAM, "plan", "--channels", "2", "--block", "64",
                                     "--backend", "cuda", "--gpu-mode", "hybrid", "--depth", "1"});
    return run_program(filters);
  };
  const ProgramResult text = plan_of({"--filter", folder_.file("filter.txt")});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("mode       hybrid: cpu"),
                    HasSubstr(" computes taps 0 to 127 of every filter, cuda:0 the others"),
                    HasSubstr("\nhead       "), HasSubstr("\ntail       "),
                    HasSubstr("latency    0 frames"), HasSubstr("is due 64 frames (1.33 ms) after"),
                    HasSubstr("for cuda:0; estimated")));

  const ProgramResult as_json = plan_of({"--filter", folder_.file("filter.txt"), "--json", "-"});
  ASSERT_EQ(as_json.exit_code, 0) << as_json.err;
  const auto plan = nlohmann::json::parse(as_json.out);
  EXPECT_EQ(plan["gpu_mode"], "hybrid");
  EXPECT_EQ(plan["max_taps"], 128);
  EXPECT_EQ(plan["latency_frames"], 0);
  EXPECT_THAT(std::string(plan["backend"]), testing::StartsWith("cpu"));
  EXPECT_EQ(plan["tail"]["backend"], "cuda:0");
  EXPECT_EQ(plan["tail"]["first_tap"], 128);
  EXPECT_EQ(plan["tail"]["max_taps"], 700 - 128);
  EXPECT_EQ(plan["tail"]["latency_frames"], 0);
  EXPECT_EQ(plan["tail"]["slack_frames"], 64);
  EXPECT_GT(plan["tail"]["memory_bytes"], 0);

  // Filters that are only as long as these are planned alike.
  auto outlined = nlohmann::json::parse(plan_of({"--taps", "700", "--json", "-"}).out);
  EXPECT_EQ(outlined["levels"], plan["levels"]);
  EXPECT_EQ(outlined["tail"], plan["tail"]);

  const ProgramResult filtered =
      filter("hybrid.npy", {"--gpu-mode", "hybrid", "--backend", "cuda", "--block", "64", "--depth",
                            "1", "--as-live", "--json", folder_.file("report.json")});
  ASSERT_EQ(filtered.exit_code, 0) << filtered.err;
  const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
  for (const auto& [key, value] : report["plan"].items()) EXPECT_EQ(plan[key], value) << key;
}

TEST_F(CliCuda, PlansEveryModeThatItHasAndRefusesTheOthersInOneLine) {
  const auto plan = [](std::vector<std::string> options) {
    options.insert(options.begin(), {FIRBANK_PROGRAM, "plan", "--taps", "48000"});
    return run_program(options);
  };
  const auto mode_of = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--backend", "cuda", "--json", "-"});
    return std::string(nlohmann::json::parse(plan(options).out)["gpu_mode"]);
  };
  EXPECT_EQ(mode_of({}), "whole");
  EXPECT_EQ(mode_of({"--offline"}), "throughput");
  EXPECT_EQ(mode_of({"--offline", "--gpu-mode", "whole"}), "whole");
  EXPECT_EQ(mode_of({"--gpu-mode", "throughput"}), "throughput");
  EXPECT_THAT(plan({"--backend", "cuda"}).out,
              AllOf(HasSubstr("mode       whole: cuda:0 computes"),
                    HasSubstr(" times real time on cuda:0; estimated")));
  EXPECT_THAT(plan({"--backend", "cuda", "--gpu-mode", "hybrid"}).out, HasSubstr(" of the head: "));
  EXPECT_THAT(plan({"--backend", "cuda", "--gpu-mode", "hybrid"}).out,
              HasSubstr(" times real time on one core; estimated"));
  EXPECT_EQ(plan({"--backend", "cpu", "--json", "-"}).out.find("gpu_mode"), std::string::npos);

  const auto refused = [&](const std::vector<std::string>& options, const char* reason) {
    const ProgramResult result = plan(options);
    EXPECT_EQ(result.exit_code, 2) << reason;
    EXPECT_EQ(result.out, "") << reason;
    EXPECT_THAT(result.err, HasSubstr(reason));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  };
  refused({"--gpu-mode", "hybrid"}, "gpu_mode is hybrid; allowed with backend 'cpu");
  refused({"--gpu-mode", "throughput"}, "gpu_mode is throughput; allowed with backend 'cpu");
  refused({"--backend", "cuda", "--gpu-mode", "hybrid", "--offline"},
          "gpu_mode is hybrid; allowed with the offline goal: whole, throughput");
  refused({"--backend", "cuda", "--gpu-mode", "hybrid", "--memory-limit", "1K"},
          "memory_limit_bytes is 1024; on the GPU the tails of these filters, their inputs and "
          "outputs need at least");
  device("driver=none");
  refused({"--backend", "cuda", "--gpu-mode", "hybrid"}, "no NVIDIA driver");
  refused({"--backend", "cuda:1", "--gpu-mode", "hybrid"}, "no NVIDIA driver");
  device("memory=100000");
  for (const char* mode : {"whole", "hybrid"}) {
    EXPECT_THAT(plan({"--backend", "cuda", "--gpu-mode", mode}).err,
                HasSubstr("note: cuda:0 has 97.7 KiB free, and the plan takes"));
  }
}

TEST_F(CliCuda, AddsNoLatencyInTheHybridMode) {
  ASSERT_EQ(filter("cpu.npy", {"--backend", "cpu", "--precision", "double"}).exit_code, 0);
  const Signal expected = read_signal(folder_.file("cpu.npy"));
  for (const char* depth : {"0", "1", "5"}) {
    const ProgramResult result =
        filter("hybrid.npy", {"--backend", "cuda", "--gpu-mode", "hybrid", "--depth", depth,
                              "--block", "64", "--as-live", "--json", folder_.file("report.json")});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(follows(read_signal(folder_.file("hybrid.npy")), expected, 1e-6));
    const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
    EXPECT_EQ(report["latency_frames"], 0);
    EXPECT_EQ(report["late_frames"], 0);
    EXPECT_EQ(report["first_late_frame"], -1);
  }
  const ProgramResult offline = filter("none.npy", {"--backend", "cuda", "--gpu-mode", "hybrid"});
  EXPECT_EQ(offline.exit_code, 2);
  EXPECT_THAT(offline.err, HasSubstr("gpu_mode is hybrid"));
  EXPECT_EQ(filter("none.npy", {"--gpu-mode", "hybrid", "--as-live"}).exit_code, 2);
}

TEST_F(CliCuda, BoundsTheTailsOfTheHybridModeAndTellsOfTheHeads) {
  const ProgramResult result =
      filter("limited.npy", {"--backend", "cuda", "--gpu-mode", "hybrid", "--block", "64",
                             "--as-live", "--memory-limit", "10M"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err,
              testing::ContainsRegex("the tails take [0-9.]+ KiB of the 10.0 MiB that are allowed "
                                     "on the GPU, and the heads [0-9.]+ KiB of the host's"));
  EXPECT_THAT(run_program({FIRBANK_PROGRAM, "filter", "--help"}).out,
              HasSubstr("with --gpu-mode hybrid on the"));
}

TEST_F(CliCuda, CountsTheTailsThatAreLateByTheClock) {
  device("delay_us=100000");
  const ProgramResult result =
      filter("late.npy", {"--backend", "cuda", "--gpu-mode", "hybrid", "--block", "64",
                          "--realtime", "--json", folder_.file("report.json")});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_THAT(result.err, HasSubstr("without the filters' tail, as cuda:0 was late"));
  const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
  EXPECT_GT(report["late_frames"], 0);
  EXPECT_GE(report["first_late_frame"], 192);
}

TEST_F(CliCuda, VerifiesInEveryMode) {
  const ProgramResult result =
      run_program({FIRBANK_PROGRAM, "verify", "--taps", "700", "--filters", "1", "--block", "64",
                   "--json", folder_.file("report.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
  std::size_t hybrid = 0;
  std::size_t throughput = 0;
  for (const auto& one : report["cases"]) {
    if (std::string(one["way"]).starts_with("hybrid")) ++hybrid;
    if (std::string(one["way"]).starts_with("throughput")) ++throughput;
  }
  EXPECT_EQ(hybrid, 2U);
  EXPECT_EQ(throughput, 2U);
}

// Names of ways and of GPUs are longer than those of a CPU's backends.
TEST_F(CliCuda, VerifiesInColumns) {
  const ProgramResult result = run_program({FIRBANK_PROGRAM, "verify", "--taps", "50", "--filters",
                                            "1", "--block", "64", "--seconds", "0.01"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out.substr(result.out.find("\nbackend ") + 1));
  std::string head;
  std::getline(lines, head);
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("cuda:0") && !line.starts_with("cpu")) continue;
    ++rows;
    for (const char* column :
         {"instructions", "precision", "spectra", "way", "worst error", "limit", "result"}) {
      const std::size_t begin = head.find(column);
      ASSERT_LT(begin, line.size()) << column << ": " << line;
      EXPECT_EQ(line.substr(begin - 2, 2), "  ") << column << ": " << line;
      EXPECT_NE(line[begin], ' ') << column << ": " << line;
      if (line.find(" not run: ") != std::string::npos) break;  // the rest is its reason
    }
  }
  EXPECT_GT(rows, 8U);
}

TEST_F(CliCuda, FiltersInEveryModeThatItHas) {
  ASSERT_EQ(filter("cpu.npy", {"--backend", "cpu", "--precision", "double"}).exit_code, 0);
  const Signal expected = read_signal(folder_.file("cpu.npy"));
  for (const char* mode : {"whole", "throughput"}) {
    SCOPED_TRACE(mode);
    const ProgramResult result = filter("cuda.npy", {"--backend", "cuda", "--gpu-mode", mode});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(follows(read_signal(folder_.file("cuda.npy")), expected, 1e-6));
  }
  const ProgramResult result = filter("no.npy", {"--backend", "cpu", "--gpu-mode", "throughput"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("gpu_mode is throughput; allowed with backend"));
}

/// A stream of 1 GHz, which no CPU carries with 700 taps.
TEST_F(CliCuda, HasSeveralThreadsCopyAFileUnlessTold) {
  const auto threads_of = [&](const std::string& output, std::vector<std::string> options) {
    options.insert(options.end(), {"--json", folder_.file("report.json")});
    const ProgramResult result = filter(output, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
    return report.at("threads").get<std::size_t>();
  };
  const std::size_t here = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  EXPECT_EQ(threads_of("many.npy", {"--backend", "cuda"}), here);
  EXPECT_EQ(threads_of("three.npy", {"--backend", "cuda", "--threads", "3"}), 3U);
  EXPECT_EQ(threads_of("one.npy", {"--backend", "cuda", "--threads", "1"}), 1U);
  EXPECT_EQ(threads_of("whole.npy", {"--backend", "cuda", "--gpu-mode", "whole"}), 1U);
  EXPECT_EQ(threads_of("live.npy", {"--backend", "cuda", "--as-live"}), 1U);
  EXPECT_EQ(threads_of("cpu.npy", {"--backend", "cpu"}), 1U);
  EXPECT_EQ(read_bytes(folder_.file("many.npy")), read_bytes(folder_.file("one.npy")));
  EXPECT_EQ(read_bytes(folder_.file("three.npy")), read_bytes(folder_.file("one.npy")));
}

TEST_F(CliCuda, TellsWhatAnOverloadedCpuLeavesOut) {
  struct Policy {
    const char* name;
    const char* says;
  };
  for (const Policy& policy :
       {Policy{"truncate", "of filters cut to "}, Policy{"drop", "too slow for every block"},
        Policy{"fail", "the CPU cannot go on"}}) {
    SCOPED_TRACE(policy.name);
    device("fail_launch=11");
    const ProgramResult result =
        filter("left.npy", {"--backend", "cuda", "--block", "64", "--realtime", "--rate", "1e9",
                            "--on-overload", policy.name, "--json", folder_.file("report.json")});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, HasSubstr(policy.says));
    EXPECT_THAT(result.err, testing::Not(HasSubstr("no sample is lost")));
    const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
    const bool truncates = std::string_view(policy.name) == "truncate";
    EXPECT_EQ(report["truncated_frames"] > 0, truncates);
    EXPECT_EQ(report["truncated_taps"] > 0, truncates);
    EXPECT_EQ(report["lost_frames"] > 0, !truncates);
  }
}

TEST_F(CliCuda, VerifiesSeveralPartitionSizes) {
  const ProgramResult result = run_program({FIRBANK_PROGRAM, "verify", "--taps", "500", "--filters",
                                            "1", "--block", "64", "--partitions", "64,128"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("cuda:0"));
}

TEST_F(CliCuda, GoesOnOnTheCpuWhereTheDeviceIsLost) {
  ASSERT_EQ(filter("cpu.npy", {"--backend", "cpu", "--precision", "double"}).exit_code, 0);
  const Signal expected = read_signal(folder_.file("cpu.npy"));
  for (const char* way : {"--as-live", "--quiet"}) {
    device("fail_launch=11");
    const ProgramResult result = filter("kept.npy", {"--backend", "cuda:0", "--block", "64", way,
                                                     "--json", folder_.file("report.json")});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.err, AllOf(HasSubstr("cuda:0 failed ("), HasSubstr("): cpu"),
                                  HasSubstr("no sample is lost")));
    const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
    EXPECT_EQ(report["lost_frames"], 0);
    EXPECT_EQ(report["backend"], "cuda:0");
    EXPECT_THAT(std::string(report["last_backend"]), testing::StartsWith("cpu"));
    if (std::string(way) == "--as-live") {
      EXPECT_EQ(report["fail_over_frame"], 640);
      EXPECT_THAT(result.err, HasSubstr("at frame 640"));
    }
    EXPECT_TRUE(follows(read_signal(folder_.file("kept.npy")), expected, 1e-6));
  }
}

TEST_F(CliCuda, SaysInOneLineWhyThereIsNoDevice) {
  for (const auto& [settings, reason] : {std::pair{"driver=none", "no NVIDIA driver"},
                                         {"devices=0", "no GPU"},
                                         {"version=9", "version 9"},
                                         {"kernels=none", "no kernels"},
                                         {"memory=100", "memory"}}) {
    SCOPED_TRACE(settings);
    device(settings);
    const ProgramResult result = filter("none.npy", {"--backend", "cuda"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(reason));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(filter("auto.npy", {}).exit_code, 0) << "auto goes on with the CPU";
  }
}

TEST_F(CliCuda, ListsTheDevicesOrWhyThereAreNone) {
  device("devices=2");
  ProgramResult result = run_program({FIRBANK_PROGRAM, "backends"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("cuda:0"), HasSubstr("cuda:1")));
  device("driver=old");
  result = run_program({FIRBANK_PROGRAM, "backends"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("cuda "), HasSubstr("driver knows CUDA")));
  setenv("FIRBANK_PLUGIN_DIR", folder_.file("empty").c_str(), 1);
  result = run_program({FIRBANK_PROGRAM, "backends"});
  EXPECT_THAT(result.out, HasSubstr("there is no plug-in " + folder_.file("empty")));
}

TEST_F(CliCuda, BenchesThroughputByTheClock) {
  for (const char* goal : {"live", "offline"}) {
    SCOPED_TRACE(goal);
    const ProgramResult result =
        run_program({FIRBANK_PROGRAM, "bench", "throughput", "--channels", "2", "--filters", "2",
                     "--taps", "700", "--block", "64", "--goal", goal, "--backend", "cuda",
                     "--seconds", "0.05", "--json", folder_.file("report.json")});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, AllOf(HasSubstr("a second is one of the clock"),
                                  HasSubstr("back to back and not paced"), HasSubstr("bus GB/s"),
                                  testing::Not(HasSubstr("One core"))));
    const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
    EXPECT_TRUE(report.at("ceilings").at("peak_flops_per_s").is_null());
    const nlohmann::json& row = report.at("rows").at(0);
    EXPECT_EQ(row.at("backend"), "cuda:0");
    EXPECT_EQ(row.at("counted"), "clock, back to back");
    EXPECT_LT(row.at("error"), 1e-6);
    const double frames_per_s = row.at("frames").get<double>() / row.at("clock_s").get<double>();
    EXPECT_NEAR(row.at("bus_bytes_per_s").get<double>() / (16 * frames_per_s), 1, 1e-9);
    EXPECT_TRUE(row.at("share_of_peak").is_null());
    EXPECT_TRUE(row.at("bound_by").is_null());
  }
}

TEST_F(CliCuda, BenchesLatencyStageByStage) {
  const auto report_of = [&](const std::string& drive, const std::string& mode) {
    const ProgramResult result =
        run_program({FIRBANK_PROGRAM, "bench", "latency", "--taps", "700", "--backend", "cuda",
                     "--rate", "4800", "--drive", drive, "--gpu-mode", mode, "--seconds", "1",
                     "--no-empty", "--json", "-"});
    EXPECT_EQ(result.exit_code, 4) << "37 blocks are too few for a 99th percentile";
    return nlohmann::json::parse(result.out);
  };
  for (const char* mode : {"whole", "hybrid"}) {
    SCOPED_TRACE(mode);
    const nlohmann::json processed = report_of("process", mode);
    EXPECT_EQ(processed["setting"]["gpu_mode"], mode);
    const nlohmann::json& times = processed["runs"]["engine"]["times"];
    EXPECT_GT(times["to_device"]["max_ns"], 0);
    EXPECT_GT(times["compute"]["max_ns"], 0);
    EXPECT_TRUE(times["from_device"].is_null()) << "it is part of computing";
    const nlohmann::json pulled = report_of("pipeline", mode);
    EXPECT_TRUE(pulled["runs"]["engine"]["times"]["to_device"].is_null());
    EXPECT_GT(pulled["runs"]["engine"]["times"]["compute"]["max_ns"], 0);
  }
}

TEST_F(CliCuda, BenchesLatencyUntilTheDeviceIsLost) {
  device("fail_launch=100");
  const ProgramResult result =
      run_program({FIRBANK_PROGRAM, "bench", "latency", "--taps", "700", "--backend", "cuda",
                   "--rate", "9600", "--seconds", "1", "--no-empty"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("the device was lost: "));
}

TEST_F(CliCuda, ComparesTheCapacityOfBothBackends) {
  const ProgramResult result = run_program(
      {FIRBANK_PROGRAM, "bench", "capacity", "--taps", "50", "--rate", "16000", "--blocks", "16",
       "--most", "2", "--seconds", "0.01", "--json", folder_.file("report.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(read_bytes(folder_.file("report.json")));
  ASSERT_EQ(report["frontier"].size(), 2u);
  EXPECT_EQ(report["frontier"][0]["counted"], "processor time");
  EXPECT_EQ(report["frontier"][1]["backend"], "cuda:0");
  EXPECT_EQ(report["frontier"][1]["counted"], "clock");
  ASSERT_EQ(report["crossover"].size(), 1u);
  EXPECT_EQ(report["crossover"][0]["block_frames"], 16);
  EXPECT_THAT(result.out, HasSubstr("from blocks of    16 on, "));
}

TEST_F(CliCuda, BenchesNoDeviceThatFails) {
  device("fail_launch=100");
  const ProgramResult result =
      run_program({FIRBANK_PROGRAM, "bench", "throughput", "--channels", "2", "--filters", "2",
                   "--taps", "700", "--block", "64", "--backend", "cuda", "--seconds", "0.5"});
  EXPECT_EQ(result.exit_code, 3) << result.out;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("backend 'cuda:0' failed while it was measured: "));
}

}  // namespace
}  // namespace firbank::test
