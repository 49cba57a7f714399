// `firbank tune`, and what the other commands make of what it keeps.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernels/backends.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Each test has a cache of its own.
class Tune : public testing::Test {
 protected:
  Tune() : usual_cache_(std::getenv("XDG_CACHE_HOME")) {
    setenv("XDG_CACHE_HOME", folder_.file("cache").c_str(), 1);
  }
  ~Tune() override { setenv("XDG_CACHE_HOME", usual_cache_.c_str(), 1); }

  static ProgramResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FIRBANK_PROGRAM);
    return run_program(arguments);
  }

  static nlohmann::json json_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--json", "-"});
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return nlohmann::json::parse(result.out);
  }

  std::string kept_file(const std::string& precision = "float") const {
    return folder_.file("cache/firbank/costs-" + make_backend("auto")->name() + "-" + precision +
                        ".json");
  }

  /// What tune keeps, without a measurement of each test's own.
  static const nlohmann::json& measured() {
    static const nlohmann::json kMeasured = json_of({"tune", "--dry-run"});
    return kMeasured;
  }

  void keep(const nlohmann::json& costs) const { keep(costs.dump()); }
  void keep(const std::string& bytes) const {
    std::filesystem::create_directories(folder_.file("cache/firbank"));
    write_bytes(kept_file(), bytes);
  }

  TemporaryFolder folder_;

 private:
  std::string usual_cache_;
};

const std::vector<std::string> kPlan = {"plan", "--taps", "48000", "--block", "64"};

TEST_F(Tune, KeepsWhatPlanReads) {
  EXPECT_THAT(run(kPlan).out, HasSubstr("costs      defaults; 'firbank tune' measures"));
  EXPECT_EQ(json_of(kPlan).at("costs"), nlohmann::json({{"source", "default"}}));

  const ProgramResult tune = run({"tune"});
  ASSERT_EQ(tune.exit_code, 0) << tune.err;
  EXPECT_EQ(tune.err, "");
  for (const char* word : {"transform of 1024 samples", "product", "block sizes", "default"}) {
    EXPECT_THAT(tune.out, HasSubstr(word));
  }
  EXPECT_THAT(tune.out, HasSubstr("kept in " + kept_file() + "\n"));
  ASSERT_TRUE(std::filesystem::exists(kept_file()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.file("cache/firbank")), {}),
            1)
      << "a temporary file is left";

  const auto kept = nlohmann::json::parse(read_bytes(kept_file()));
  const std::string date = kept.at("date");
  const std::string processor = kept.at("processor");
  const ProgramResult plan = run(kPlan);
  EXPECT_EQ(plan.err, "");
  EXPECT_THAT(plan.out, HasSubstr("costs      measured " + date + " on " + processor + "\n"));
  const nlohmann::json costs = json_of(kPlan).at("costs");
  EXPECT_EQ(costs.at("source"), "measured");
  EXPECT_EQ(costs.at("file"), kept_file());
  EXPECT_EQ(costs.at("date"), date);
  EXPECT_EQ(costs.at("processor"), processor);
}

TEST_F(Tune, ReportsWhatItMeasured) {
  const nlohmann::json& json = measured();
  EXPECT_EQ(json.at("format"), 1);
  EXPECT_EQ(json.at("firbank"), FIRBANK_VERSION);
  EXPECT_EQ(json.at("backend"), make_backend("auto")->name());
  EXPECT_EQ(json.at("precision"), "float");
  EXPECT_TRUE(json.at("file").is_null()) << "a dry run";
  EXPECT_EQ(json.at("date").get<std::string>().size(), 10u);
  EXPECT_NE(json.at("processor"), "");
  const nlohmann::json& costs = json.at("costs");
  EXPECT_EQ(costs.at("transform_ns").size(), 13u);
  EXPECT_EQ(costs.at("product_ns").size(), 6u);
  for (const char* name :
       {"edge_ns", "sum_ns", "slice_ns", "add_ns", "direct_product_ns", "direct_frame_ns"}) {
    EXPECT_GT(costs.at(name), 0) << name;
  }
  ASSERT_GE(json.at("plans").size(), 2u);
  for (const nlohmann::json& plan : json.at("plans")) {
    EXPECT_NE(plan.at("plan"), "") << plan;
    EXPECT_GT(plan.at("ns_per_frame"), 0) << plan;
    EXPECT_GT(plan.at("default_plan_ns_per_frame"), 0) << plan;
  }
}

TEST_F(Tune, KeepsEachBackendAndPrecisionApart) {
  ASSERT_EQ(run({"tune", "--precision", "double", "--quiet"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(kept_file("double")));
  EXPECT_FALSE(std::filesystem::exists(kept_file("float")));
  EXPECT_EQ(json_of(kPlan).at("costs").at("source"), "default");
  std::vector<std::string> in_double = kPlan;
  in_double.insert(in_double.end(), {"--precision", "double"});
  EXPECT_EQ(json_of(in_double).at("costs").at("source"), "measured");
  in_double.insert(in_double.end(), {"--backend", "cpu-scalar"});
  EXPECT_EQ(json_of(in_double).at("costs").at("source"), "default");
}

TEST_F(Tune, ADryRunKeepsNothing) {
  measured();
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Tune, PlansFollowTheFile) {
  nlohmann::json dear = measured();
  for (nlohmann::json& ns : dear["costs"]["transform_ns"]) ns = 1'000 * ns.get<double>();
  keep(dear);
  const double kept = json_of(kPlan).at("ns_per_frame");
  std::vector<std::string> by_default = kPlan;
  by_default.insert(by_default.end(), {"--costs", "default"});
  EXPECT_GT(kept, 2 * json_of(by_default).at("ns_per_frame").get<double>());
  const ProgramResult plain = run(by_default);
  EXPECT_THAT(plain.out, HasSubstr("costs      defaults\n"));

  // The same by its name, although it is another machine's.
  dear["processor"] = "Z80";
  write_bytes(folder_.file("other.json"), dear.dump());
  std::vector<std::string> by_file = kPlan;
  by_file.insert(by_file.end(), {"--costs", folder_.file("other.json")});
  const nlohmann::json other = json_of(by_file);
  EXPECT_EQ(other.at("ns_per_frame"), kept);
  EXPECT_EQ(other.at("costs").at("processor"), "Z80");
}

TEST_F(Tune, FilterAndVerifyUseWhatIsKept) {
  // By these costs nothing is as dear as a transform, and partitions are as few as they can be.
  nlohmann::json dear = measured();
  for (nlohmann::json& ns : dear["costs"]["transform_ns"]) ns = 1e8;
  keep(dear);
  write_signal(folder_.file("in.wav"), noise(1, 2'000, 1));
  write_text_filter(folder_.file("filter.txt"), noise_filters({900}, 2)[0]);
  const std::vector<std::string> filter = {
      "filter",   folder_.file("in.wav"),     folder_.file("out.wav"),
      "--filter", folder_.file("filter.txt"), "--as-live",
      "--quiet"};
  const nlohmann::json report = json_of(filter);
  EXPECT_EQ(report.at("plan").at("kind"), "direct");
  EXPECT_EQ(report.at("costs").at("file"), kept_file());
  std::vector<std::string> by_default = filter;
  by_default.insert(by_default.end(), {"--costs", "default"});
  EXPECT_EQ(json_of(by_default).at("plan").at("kind"), "partitioned");
  by_default.insert(by_default.end(), {"--partitions", "64,256"});
  EXPECT_EQ(json_of(by_default).at("plan").at("levels").size(), 2u);

  EXPECT_EQ(run({"verify", "--taps", "900", "--filters", "1", "--quiet"}).exit_code, 0);
}

TEST_F(Tune, AFileOfNoUseIsToldInOneLine) {
  struct BadFile {
    const char* what;
    std::function<void(nlohmann::json&)> change;
  };
  const std::vector<BadFile> cases = {
      {"its format is 7", [](nlohmann::json& json) { json["format"] = 7; }},
      {"processor Z80", [](nlohmann::json& json) { json["processor"] = "Z80"; }},
      {"firbank 0.0.1", [](nlohmann::json& json) { json["firbank"] = "0.0.1"; }},
      {"precision double", [](nlohmann::json& json) { json["precision"] = "double"; }},
      {"no object 'costs'", [](nlohmann::json& json) { json.erase("costs"); }},
      {"no text 'date'", [](nlohmann::json& json) { json["date"] = 20'261'121; }},
      {"'edge_ns' is -1", [](nlohmann::json& json) { json["costs"]["edge_ns"] = -1; }},
      {"no number 'add_ns'", [](nlohmann::json& json) { json["costs"]["add_ns"] = "cheap"; }},
      {"'slice_ns' is 2e+18", [](nlohmann::json& json) { json["costs"]["slice_ns"] = 2e18; }},
      {"'product_ns' has 1 value",
       [](nlohmann::json& json) { json["costs"]["product_ns"] = {0.1}; }},
      {"'transform_ns' is 0", [](nlohmann::json& json) { json["costs"]["transform_ns"][3] = 0; }},
  };
  const auto expect_told = [&](const std::string& what) {
    SCOPED_TRACE(what);
    const ProgramResult result = run(kPlan);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_TRUE(result.err.starts_with("firbank: note: " + kept_file() + ": ")) << result.err;
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_THAT(result.err, HasSubstr("default costs"));
    EXPECT_THAT(result.out, HasSubstr("costs      defaults; 'firbank tune' measures"));
  };
  for (const BadFile& one : cases) {
    nlohmann::json changed = measured();
    one.change(changed);
    keep(changed);
    expect_told(one.what);
  }
  const std::string whole = measured().dump();
  keep(whole.substr(0, whole.size() / 2));
  expect_told("no JSON object");
  keep(std::string());
  expect_told("no JSON object");

  // Each backend's costs are looked up once, and only this one has a file.
  const ProgramResult verify = run({"verify", "--taps", "50", "--seconds", "0.01"});
  EXPECT_EQ(verify.exit_code, 0);
  EXPECT_EQ(std::count(verify.err.begin(), verify.err.end(), '\n'), 1) << verify.err;
  EXPECT_EQ(run({"verify", "--taps", "50", "--seconds", "0.01", "--quiet"}).err, "");
}

TEST_F(Tune, SaysWhereItCannotKeepAnything) {
  write_bytes(folder_.file("cache"), "a file, where a folder is needed");
  const ProgramResult result = run({"tune"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr(folder_.file("cache")));
}

TEST_F(Tune, FallsBackToTheHomeFolder) {
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  setenv("HOME", folder_.file("home").c_str(), 1);
  setenv("XDG_CACHE_HOME", "not/absolute", 1);
  EXPECT_EQ(run({"tune", "--quiet"}).exit_code, 0);
  const std::string folder = folder_.file("home/.cache/firbank");
  EXPECT_TRUE(std::filesystem::exists(folder)) << folder;
  unsetenv("HOME");
  const ProgramResult nowhere = run({"tune", "--quiet"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("HOME"));
  EXPECT_EQ(run(kPlan).exit_code, 0);
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace firbank::test
