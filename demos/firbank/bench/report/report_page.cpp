#include "demos/firbank/bench/report/report_page.hpp"

#include <array>
#include <string_view>

#include "demos/firbank/bench/report/page_files.hpp"

namespace firbank::program {
namespace {

// In this order: each uses what stands before it.
const std::array kScripts = {&kWordsJs,        &kTablesJs,  &kScalesJs,   &kPlotJs,
                             &kDistributionJs, &kLatencyJs, &kCapacityJs, &kThroughputJs,
                             &kLoopbackJs,     &kCompareJs, &kDoctorJs,   &kReportJs};

/// `report` in ASCII, without the characters that mean something to HTML. All of these can only
/// stand within strings, where JSON has other words for them.
std::string inline_json(const nlohmann::ordered_json& report) {
  const std::string json =
      report.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    switch (c) {
      case '<':
        text += "\\u003c";
        break;
      case '>':
        text += "\\u003e";
        break;
      case '&':
        text += "\\u0026";
        break;
      default:
        text += c;
    }
  }
  return text;
}

}  // namespace

std::string html_report(const nlohmann::ordered_json& report) {
  std::string page;
  std::string_view left = kReportHtml;
  // Each mark is looked for in what is left of the page itself, never in what was put into it.
  const auto put = [&](std::string_view mark, auto append) {
    const std::size_t at = left.find(mark);
    page += left.substr(0, at);
    append();
    left.remove_prefix(at + mark.size());
  };
  put("/* report.css */", [&] { page += kReportCss; });
  put("{\"report.json\": 0}", [&] { page += inline_json(report); });
  put("/* report.js */", [&] {
    for (const std::string_view* script : kScripts) page += *script;
  });
  page += left;
  return page;
}

}  // namespace firbank::program
