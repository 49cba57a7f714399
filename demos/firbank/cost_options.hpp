// CostOptions: by which costs the engine's plan is chosen, as the command line says it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "demos/firbank/cost_file.hpp"

namespace firbank::program {

struct ChosenCosts {
  std::optional<CostModel> model;  // nothing: the backend's defaults
  std::string file;
  std::optional<MeasuredCosts> measured;
  std::string description;  // "measured 2026-11-21 on AMD EPYC", "defaults; 'firbank tune' ..."
};

/// "source" is measured or default; what is measured has a file, a date and a processor.
nlohmann::ordered_json to_json(const ChosenCosts& costs);

class CostOptions {
 public:
  /// Adds --costs.
  void add_to(CLI::App& command);

  /// The costs of a backend, by any of its names, and a precision. A file of the cache that is of
  /// no use is one line to `notice`, and the defaults count. Throws: Error (kInput) for a file that
  /// was named and cannot be used.
  ChosenCosts choose(const std::string& backend, const std::string& precision,
                     const std::function<void(const std::string&)>& notice) const;

 private:
  std::string source_ = "cached";
};

}  // namespace firbank::program
