// ReportOptions: the options --json and --html of the laboratory's commands: the same report, for
// programs and as a page for people.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "demos/firbank/bench/report/html_option.hpp"
#include "demos/firbank/json_report.hpp"

namespace firbank::program {

class ReportOptions {
 public:
  /// `what` is what --json writes, such as "every round".
  void add_to(CLI::App& command, const std::string& what) {
    json_.add_to(command, what);
    html_.add_to(command);
  }

  /// Whether standard output is taken by either.
  bool takes_standard_output() const {
    return json_.takes_standard_output() || html_.takes_standard_output();
  }

  /// To be called before any work: tries whether the files can be written. Throws: Error when they
  /// cannot, or when they are one another or one of `others`, which would be overwritten.
  void open(std::vector<std::string> others) {
    json_.open(others);
    others.push_back(json_.path());
    html_.open(others);
  }

  /// Writes what is wanted. Throws: Error (kOutput).
  void finish(const nlohmann::ordered_json& report) {
    json_.finish(report);
    html_.finish(report);
  }

 private:
  JsonReport json_;
  HtmlReport html_;
};

}  // namespace firbank::program
