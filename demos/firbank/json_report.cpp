#include "demos/firbank/json_report.hpp"

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"

namespace firbank::program {

void JsonReport::add_to(CLI::App& command, const std::string& what) {
  command
      .add_option("--json", path_, fmt::format("Write {} as JSON; '-' is standard output", what))
      ->type_name("FILE");
}

void JsonReport::open(const std::vector<std::string>& others) {
  if (path_.empty()) return;
  refuse_same_file("--json", path_, others);
  file_ = std::make_unique<TextFile>(path_);
}

void JsonReport::finish(const nlohmann::ordered_json& report) {
  if (!file_) return;
  // Names of files may hold bytes that are no UTF-8.
  file_->finish(report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace firbank::program
