#include "demos/firbank/bench/report/html_option.hpp"

#include "demos/firbank/bench/report/report_page.hpp"
#include "demos/firbank/checks.hpp"

namespace firbank::program {

void HtmlReport::add_to(CLI::App& command) {
  command
      .add_option("--html", path_,
                  "Write the report as a page with charts, one file for a browser and for paper; "
                  "'-' is standard output")
      ->type_name("FILE");
}

void HtmlReport::open(const std::vector<std::string>& others) {
  if (path_.empty()) return;
  refuse_same_file("--html", path_, others);
  file_ = std::make_unique<TextFile>(path_);
}

void HtmlReport::finish(const nlohmann::ordered_json& report) {
  if (file_) file_->finish(html_report(report));
}

}  // namespace firbank::program
