#include "demos/firbank/bench/machine/environment.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capi/firbank.h"
#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using nlohmann::ordered_json;
using testing::MatchesRegex;

TEST(Environment, IsWhatTheSystemTells) {
  SystemTree tree;
  tree.write("/proc/cpuinfo", "model name : Test 9000\nflags : fpu\n");
  tree.write("/proc/loadavg", "0.25 0.50 1.00 2/80 4242\n");
  tree.write("/proc/meminfo", "MemTotal: 2 kB\nMemAvailable: 1 kB\n");
  tree.write("/sys/devices/system/cpu/online", "0-3\n");
  tree.write("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
  tree.write("/proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: NVIDIA H200\n");
  const ordered_json facts = environment_json(tree.files());
  EXPECT_EQ(facts["processor"]["name"], "Test 9000");
  EXPECT_EQ(facts["processor"]["there"], 4);
  EXPECT_EQ(facts["processor"]["load_averages"], (ordered_json{0.25, 0.5, 1.0}));
  EXPECT_EQ(facts["hypervisor"], "none");
  EXPECT_EQ(facts["memory_bytes"], 2048);
  EXPECT_EQ(facts["memory_available_bytes"], 1024);
  EXPECT_EQ(facts["transparent_huge_pages"], "always");
  EXPECT_EQ(facts["gpus"], ordered_json::array({"NVIDIA H200"}));
}

/// Every value but the processor's name, which the machine itself gives, and the list of GPUs.
void expect_nothing_known(const ordered_json& facts) {
  for (const auto& [name, value] : facts["processor"].items()) {
    EXPECT_EQ(value.is_null(), name != "name") << name << ": " << value;
  }
  for (const auto& [name, value] : facts.items()) {
    if (name == "processor") continue;
    if (name == "gpus") {
      EXPECT_TRUE(value.empty());
    } else {
      EXPECT_TRUE(value.is_null()) << name << ": " << value;
    }
  }
}

TEST(Environment, IsNullWhereTheSystemTellsNothing) {
  const SystemTree tree;
  expect_nothing_known(environment_json(tree.files()));
}

TEST(Environment, OfGarbageIsNoneAndCanBeWritten) {
  for (const std::string& bytes : {std::string("\xff\xfe\x00\x01", 4), std::string("]["),
                                   std::string(SystemFiles::kMostBytes + 1, '1')}) {
    SystemTree tree;
    for (const char* path :
         {"/proc/cpuinfo", "/proc/loadavg", "/proc/meminfo", "/proc/pressure/cpu",
          "/proc/self/status", "/proc/self/cgroup", "/sys/devices/system/cpu/online",
          "/sys/kernel/mm/transparent_hugepage/enabled"}) {
      tree.write(path, bytes);
    }
    const ordered_json facts = environment_json(tree.files());
    expect_nothing_known(facts);
    EXPECT_NE(facts.dump(2, ' ', false, ordered_json::error_handler_t::replace), "");
  }
}

TEST(Program, SaysHowItWasMade) {
  const ordered_json facts = program_json();
  EXPECT_EQ(facts["version"], firbank_version());
  EXPECT_EQ(facts["library_version"], firbank_version());
  EXPECT_THAT(facts["commit"].get<std::string>(),
              testing::AnyOf("unknown", MatchesRegex("[0-9a-f]+(-changed)?")));
  EXPECT_THAT(facts["flags"].get<std::string>(), testing::HasSubstr("-std=c++20"));
  EXPECT_NE(facts["compiler"], "");
  // This file is compiled as the program is, but for how much the optimiser does.
#ifdef NDEBUG
  EXPECT_EQ(facts["assertions"], false);
#else
  EXPECT_EQ(facts["assertions"], true);
#endif
  ASSERT_FALSE(facts["backends"].empty());
  for (const ordered_json& backend : facts["backends"]) {
    EXPECT_EQ(backend["available"].get<bool>(), backend["reason"].is_null()) << backend;
  }
}

TEST(Program, SaysWhetherItIsBuiltToBeSlow) {
  const ordered_json facts = program_json();
  const std::string why = slow_build();
  if (facts["assertions"] == true) {
    EXPECT_NE(why, "");
  }
  if (!facts["sanitizer"].is_null()) {
    EXPECT_THAT(why, testing::HasSubstr(facts["sanitizer"].get<std::string>()));
  } else if (facts["assertions"] == false && facts["build_type"] == "Release") {
    EXPECT_EQ(why, "");
  }
}

TEST(Report, BeginsWithSchemaDateProgramAndEnvironment) {
  const ordered_json report = begin_report("doctor");
  std::vector<std::string> names;
  for (const auto& [name, value] : report.items()) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("schema", "date", "program", "environment"));
  EXPECT_EQ(report["schema"], "firbank.bench.doctor.1");
  EXPECT_TRUE(std::regex_match(report["date"].get<std::string>(),
                               std::regex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ")));
}

}  // namespace
}  // namespace firbank::program
