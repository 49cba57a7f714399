#include "demos/firbank/cost_options.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

ChosenCosts defaults(std::string description) {
  ChosenCosts costs;
  costs.description = std::move(description);
  return costs;
}

ChosenCosts chosen(const std::filesystem::path& path, MeasuredCosts measured) {
  ChosenCosts costs;
  costs.model = measured.model;
  costs.file = path.string();
  costs.description = fmt::format("measured {} on {}", measured.date, measured.processor);
  costs.measured = std::move(measured);
  return costs;
}

/// How to have this backend and precision measured.
std::string tune_command(const std::string& backend, const std::string& precision) {
  std::string command = "firbank tune";
  if (backend != "auto" && backend != "cpu") command += " --backend " + backend;
  if (precision != "float") command += " --precision " + precision;
  return "'" + command + "'";
}

}  // namespace

nlohmann::ordered_json to_json(const ChosenCosts& costs) {
  if (!costs.measured) return {{"source", "default"}};
  return {{"source", "measured"},
          {"file", costs.file},
          {"date", costs.measured->date},
          {"processor", costs.measured->processor}};
}

void CostOptions::add_to(CLI::App& command) {
  command
      .add_option("--costs", source_,
                  "What the plan is chosen by: cached (default), as 'firbank tune'\n"
                  "measured, where it has; default, the built-in ones; or a FILE of\n"
                  "'firbank tune --json'")
      ->type_name("cached|default|FILE");
}

ChosenCosts CostOptions::choose(const std::string& backend, const std::string& precision,
                                const std::function<void(const std::string&)>& notice) const {
  if (source_ == "default") return defaults("defaults");
  if (source_ != "cached") return chosen(source_, read_cost_file(source_));
  if (backend.starts_with("cuda")) return defaults("defaults; GPUs are not measured");
  // Where there is no such backend, the engine will say so.
  const std::shared_ptr<const Backend> known = make_backend(backend);
  if (known == nullptr) return defaults("defaults");
  const std::string tune = tune_command(backend, precision);
  const std::filesystem::path path = cost_file_path(known->name(), precision);
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) {
    return defaults(fmt::format("defaults; {} measures this machine", tune));
  }
  std::string fault;
  try {
    MeasuredCosts measured = read_cost_file(path);
    fault = mismatch(measured, known->name(), precision);
    if (fault.empty()) return chosen(path, std::move(measured));
    fault = fmt::format("{}: {}", printable(path.string()), fault);
  } catch (const Error& error) {
    fault = error.what();
  }
  notice(fmt::format("{}; the default costs are used until {} measures anew", fault, tune));
  return defaults(fmt::format("defaults; {} measures this machine", tune));
}

}  // namespace firbank::program
