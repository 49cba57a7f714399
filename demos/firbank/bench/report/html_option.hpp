// HtmlReport: the option --html of a command, and the page that it names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "demos/firbank/text_file.hpp"

namespace firbank::program {

class HtmlReport {
 public:
  /// Adds --html.
  void add_to(CLI::App& command);

  /// To be called before any work: tries whether the file can be written. Does nothing without
  /// --html. Throws: Error when it cannot, or when it is one of `others`, such as what --json
  /// names; "-" is standard output among them as well.
  void open(const std::vector<std::string>& others);

  /// Writes the page of `report`, where one is asked for. Throws: Error (kOutput).
  void finish(const nlohmann::ordered_json& report);

  /// The file; empty without --html.
  const std::string& path() const { return path_; }

  /// Whether standard output is taken by the page.
  bool takes_standard_output() const { return path_ == "-"; }

 private:
  std::string path_;
  std::unique_ptr<TextFile> file_;
};

}  // namespace firbank::program
