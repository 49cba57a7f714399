// `firbank bench show`: a kept report in a few words, as a page, and files that are no report.
#include <algorithm>
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

using testing::HasSubstr;
using testing::Not;

const nlohmann::ordered_json kReport = {
    {"schema", "firbank.bench.latency.1"},
    {"date", "2026-11-22T10:00:00Z"},
    {"setting", {{"block_frames", 64}, {"device", "</script>"}}},
    {"verdict",
     {{"usable", false}, {"reasons", {"another program took 31%", "a core was not its own"}}}},
    {"headline",
     {{"name", "99th percentile, end to end"},
      {"value", 123'400},
      {"unit", "ns"},
      {"better", "less"}}}};

class BenchShow : public testing::Test {
 protected:
  BenchShow() { write_bytes(folder_.file("report.json"), kReport.dump()); }

  ProgramResult show(std::vector<std::string> arguments, std::string_view input = {}) const {
    arguments.insert(arguments.begin(), {FIRBANK_PROGRAM, "bench", "show"});
    return run_program(arguments, input);
  }

  /// One line that names the file and `named`, exit code `code`, and nothing left behind.
  void expect_refused(const std::string& bytes, const std::string& named) const {
    SCOPED_TRACE(named);
    write_bytes(folder_.file("bad.json"), bytes);
    const std::vector<std::string> before = folder_.names();
    const ProgramResult result =
        show({folder_.file("bad.json"), "--html", folder_.file("bad.html")});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::StartsWith("firbank: " + folder_.file("bad.json") + ": "));
    EXPECT_THAT(result.err, HasSubstr(named));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(folder_.names(), before);
  }

  TemporaryFolder folder_;
};

TEST_F(BenchShow, PrintsTheHeadlineAndTheVerdict) {
  const ProgramResult result = show({folder_.file("report.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "latency\n"
            "  headline  99th percentile, end to end: 123 us (less is better)\n"
            "  verdict   not usable: another program took 31%; a core was not its own\n");
}

TEST_F(BenchShow, MakesAPage) {
  const std::string page = folder_.file("report.html");
  const ProgramResult result = show({folder_.file("report.json"), "--html", page});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("  page      " + page + "\n"));
  const std::string html = read_bytes(page);
  EXPECT_THAT(html, testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(html, HasSubstr(R"("device":"\u003c/script\u003e")"));
}

TEST_F(BenchShow, TakesAPipeAndGivesOne) {
  const ProgramResult result = show({"-", "--html", "-"}, kReport.dump());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(result.out, testing::EndsWith("</html>\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("headline  ")));
}

TEST_F(BenchShow, SaysWhatTheReportLacks) {
  const ProgramResult result = show({"-"}, R"({"schema": "firbank.bench.doctor.1"})");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "doctor\n  headline  the report has none\n  verdict   the report has none\n");
  const ProgramResult odd = show({"-"}, R"({"schema": "firbank.bench.compare.1", "verdict": [],
                                            "headline": {"name": "a\nb", "value": "NaN"}})");
  EXPECT_EQ(odd.exit_code, 0) << odd.err;
  EXPECT_THAT(odd.out, HasSubstr("headline  a\\x0ab: not known\n"));
}

TEST_F(BenchShow, RefusesWhatIsNoReport) {
  expect_refused("", "it is empty");
  expect_refused("latency: 3 ms\n", "it is no JSON (at byte 1)");
  expect_refused(R"({"schema": NaN})", "it is no JSON (at byte 12)");
  expect_refused(R"({"schema": 1e999})", "a number that is too large");
  const std::string whole = kReport.dump();
  for (const std::size_t cut : {std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    expect_refused(whole.substr(0, cut), "is it truncated?");
  }
  expect_refused("[]", "it names no schema");
  expect_refused("3", "it names no schema");
  expect_refused(R"({"schema": 1})", "it names no schema");
  expect_refused(R"({"format": "firbank costs 2"})", "it names no schema");
  expect_refused(R"({"schema": "firbank.bench.latency.2"})", "'firbank.bench.latency.2'");
  expect_refused(R"({"schema": "firbank.bench.lunch.1"})",
                 "latency, capacity, throughput, loopback, compare, doctor");
  expect_refused(R"({"schema": "a)" + std::string(1'000, 'b') + "\\nc\"}", "bbb...'");
  expect_refused(std::string(100'000, '['), "more than 32 levels");
  expect_refused(R"({"schema": )" + std::string(5'000'000, '['), "more than 32 levels");
  std::string many = R"({"schema": "firbank.bench.doctor.1")";
  for (int n = 0; n < 1'000; ++n) many += fmt::format(", \"{}\": {{\"a\\\":[\": 1}}", n);
  expect_refused(many + "}", "more than 1000 names");
  expect_refused(std::string((64 << 20) + 1, ' '), "larger than 64.0 MiB");
}

TEST_F(BenchShow, RefusesFilesThatItCannotReadOrWouldOverwrite) {
  const std::string report = folder_.file("report.json");
  EXPECT_THAT(show({folder_.file("none.json")}).err, HasSubstr("none.json: it cannot be read"));
  EXPECT_EQ(show({folder_.file("none.json")}).exit_code, 3);
  EXPECT_THAT(show({folder_.file("")}).err, HasSubstr("it is a folder"));
  const ProgramResult same = show({report, "--html", report});
  EXPECT_EQ(same.exit_code, 2);
  EXPECT_THAT(same.err, HasSubstr("--html"));
  EXPECT_EQ(read_bytes(report), kReport.dump());
  const ProgramResult nowhere = show({report, "--html", folder_.file("none/page.html")});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("none/page.html"));
}

TEST_F(BenchShow, RefusesBadUsage) {
  for (const auto& [arguments, named] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{FIRBANK_PROGRAM, "bench"}, "bench what? There is: "},
           {{FIRBANK_PROGRAM, "bench", "lunch"}, "there is no bench lunch"},
           {{FIRBANK_PROGRAM, "bench", "--lunch"}, "there is no option --lunch"},
           {{FIRBANK_PROGRAM, "bench", "show"}, "REPORT"},
           {{FIRBANK_PROGRAM, "bench", "show", "a", "b"}, "b"},
           {{FIRBANK_PROGRAM, "bench", "show", "a", "--htm", "b"}, "--htm"}}) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr(named));
  }
}

}  // namespace
}  // namespace firbank::test
