// JsonReport: the option --json of a command, and the file that it names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "demos/firbank/text_file.hpp"

namespace firbank::program {

class JsonReport {
 public:
  /// Adds --json; `what` is what it writes, such as "a report".
  void add_to(CLI::App& command, const std::string& what);

  /// The file; empty without --json.
  const std::string& path() const { return path_; }

  /// Whether standard output is taken by the report.
  bool takes_standard_output() const { return path_ == "-"; }

  /// To be called before any work: tries whether the file can be written. Does nothing without
  /// --json. Throws: Error when it cannot, or when it is one of `others`, which would be
  /// overwritten.
  void open(const std::vector<std::string>& others);

  /// Writes the file, where there is one. Throws: Error (kOutput).
  void finish(const nlohmann::ordered_json& report);

 private:
  std::string path_;
  std::unique_ptr<TextFile> file_;
};

}  // namespace firbank::program
