#include "demos/firbank/bench/report/report_page.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

/// What stands between two texts, the first of which occurs once.
std::string between(const std::string& page, const std::string& begin, const std::string& end) {
  const std::size_t from = page.find(begin);
  EXPECT_NE(from, std::string::npos) << begin;
  EXPECT_EQ(page.find(begin, from + 1), std::string::npos) << begin << " comes again";
  return page.substr(from + begin.size(), page.find(end, from) - from - begin.size());
}

std::string inline_json(const std::string& page) {
  return between(page, R"(<script type="application/json" id="report-json">)", "</script>");
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ReportPage, HoldsTheReportWhole) {
  const Json report = {{"schema", "firbank.bench.latency.1"},
                       {"headline", {{"name", "99th percentile"}, {"value", 1234.5}}},
                       {"deep", {{"list", {1, nullptr, "three", true}}}}};
  EXPECT_EQ(Json::parse(inline_json(html_report(report))), report);
}

TEST(ReportPage, NoTextOfTheReportBreaksOut) {
  const std::vector<std::string> hostile = {"</script><script>alert(1)</script>",
                                            "<!-- <script>",
                                            "]]> &amp; &lt;",
                                            "quotes \" ' ` and \\ and \\u003c/script>",
                                            "\u2028 \u2029 \u00e4 \U0001F600",
                                            "/* report.js */ /* report.css */",
                                            "{\"report.json\": 0}",
                                            std::string("nothing \0 and \x1b[31m", 20)};
  const std::string plain = html_report(Json::object());
  for (const std::string& text : hostile) {
    SCOPED_TRACE(text);
    const Json report = {{"schema", text}, {"setting", {{text, text}}}};
    const std::string page = html_report(report);
    const std::string json = inline_json(page);
    EXPECT_EQ(Json::parse(json), report);
    EXPECT_EQ(json.find_first_of("<>&"), std::string::npos);
    for (const char c : json) EXPECT_TRUE(c >= ' ' && c < 0x7f);
    // Around it the page is what it always is.
    EXPECT_EQ(page.size() - json.size(), plain.size() - inline_json(plain).size());
    EXPECT_EQ(count_of(page, "<script"), count_of(plain, "<script"));
  }
}

TEST(ReportPage, BytesThatAreNoTextAreReplaced) {
  const Json report = {{"setting", {{"device", "caf\xe9"}}}};
  const Json shown = Json::parse(inline_json(html_report(report)));
  EXPECT_EQ(shown["setting"]["device"], "caf\ufffd");
}

TEST(ReportPage, WhatIsNoNumberIsNull) {
  const Json report = {{"headline", {{"value", std::nan("")}}}};
  EXPECT_TRUE(Json::parse(inline_json(html_report(report)))["headline"]["value"].is_null());
}

TEST(ReportPage, NeedsNoOtherFileAndNoNetwork) {
  std::string page = html_report(Json::object());
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("fetch(")));
  EXPECT_EQ(count_of(page, "href="), count_of(page, "href=\"data:,\""));
  // The name of SVG is one that nothing is fetched from.
  EXPECT_EQ(count_of(page, "://"), count_of(page, "\"http://www.w3.org/2000/svg\""));
}

TEST(ReportPage, SaysWithoutScriptsWhereTheFiguresAre) {
  EXPECT_THAT(between(html_report(Json::object()), "<noscript>", "</noscript>"),
              HasSubstr("report-json"));
}

}  // namespace
}  // namespace firbank::program
