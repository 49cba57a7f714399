// `firbank doctor`: what it finds is this machine's, so only its shape and its manners are tested.
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;

ProgramResult run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "doctor"});
  return run_program(arguments);
}

TEST(Doctor, TellsWhatCostsAndWhatIsGood) {
  const ProgramResult result = run({"--quick"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* text : {"latency on this machine, of 24 looked at", "\nGood\n", "idle states",
                           "right to real time", "sleep until a block is due", "tried"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
}

TEST(Doctor, WritesEveryReadingAsJson) {
  const ProgramResult result = run({"--quick", "--json", "-"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["schema"], "firbank.bench.doctor.1");
  EXPECT_EQ(report["program"]["version"], FIRBANK_VERSION);
  EXPECT_TRUE(report["environment"]["processor"]["name"].is_string());
  EXPECT_TRUE(report["verdict"]["usable"].is_boolean());
  std::set<std::string> names;
  std::size_t tried = 0, costs = 0;
  for (const auto& reading : report["readings"]) {
    SCOPED_TRACE(reading.dump());
    names.insert(reading["name"]);
    EXPECT_THAT(reading["state"].get<std::string>(), AnyOf("good", "costs", "unknown", "absent"));
    EXPECT_NE(reading["reading"], "");
    if (reading["state"] == "costs") {
      ++costs;
      EXPECT_TRUE(reading["advice"].is_string());
    }
    const auto& trial = reading["trial"];
    if (trial.is_null()) continue;
    ++tried;
    EXPECT_EQ(trial["unit"], "us");
    EXPECT_GE(trial["count"], 6);
    EXPECT_GE(trial["as_it_is"], 0);
    EXPECT_GE(trial["changed"], 0);
  }
  EXPECT_EQ(names.size(), report["readings"].size());
  EXPECT_EQ(report["headline"]["value"], costs);
  // Those that need no right that every user might lack.
  EXPECT_GE(tried, 3u);
  for (const char* name : {"timer_slack", "sleep", "subnormals"})
    EXPECT_THAT(names, Contains(name));
}

TEST(Doctor, IsQuietOnRequest) {
  const ProgramResult result = run({"--quick", "--quiet"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "");
}

TEST(Doctor, RefusesWhatItDoesNotKnow) {
  for (const auto& [arguments, named] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--slow"}, "--slow"}, {{"yesterday"}, "yesterday"}, {{"--json"}, "--json"}}) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(named));
    EXPECT_THAT(result.err, HasSubstr("firbank doctor --help"));
  }
  const ProgramResult nowhere = run({"--json", "/nonexistent/folder/doctor.json"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("/nonexistent/folder/doctor.json"));
}

/// Whether a process has a handler for a signal, which would end it otherwise.
bool heeds(pid_t process, int signal) {
  const std::string status = read_bytes(fmt::format("/proc/{}/status", process));
  const std::string name = "\nSigCgt:";
  const std::size_t at = status.find(name);
  if (at == std::string::npos) return false;
  return std::stoull(status.substr(at + name.size()), nullptr, 16) >> (signal - 1) & 1;
}

TEST(Doctor, TellsWhatItHasWhenItIsStopped) {
  const TemporaryFolder folder;
  const std::string file = folder.file("doctor.json");
  RunningProgram program({FIRBANK_PROGRAM, "doctor", "--json", file});
  for (int n = 0; n < 6'000 && !heeds(program.id(), SIGINT); ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  program.send(SIGINT);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.out, HasSubstr("Note: stopped before all trials were made"));
  const auto report = nlohmann::json::parse(read_bytes(file));
  EXPECT_EQ(report["verdict"]["usable"], false);
  EXPECT_THAT(report["verdict"]["reasons"].dump(), HasSubstr("stopped"));
}

}  // namespace
}  // namespace firbank::test
