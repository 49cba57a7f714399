// Cost files: what `firbank tune` measured, one JSON file for each backend and precision, in the
// user's cache folder.
//
// A file says which processor, backend, precision and version of firbank it was measured with, as
// another one's costs would be wrong.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/cost_model.hpp"

namespace firbank::program {

struct MeasuredCosts {
  CostModel model;
  std::string backend;    // "cpu-avx2"
  std::string precision;  // float or double
  std::string processor;
  std::string date;     // "2026-11-21"
  std::string version;  // of firbank
};

/// What was measured here and now.
MeasuredCosts measured_now(const CostModel& model, const std::string& backend,
                           const std::string& precision);

/// Where the costs of this backend and precision are kept: $XDG_CACHE_HOME/firbank/, or
/// $HOME/.cache/firbank/. Empty when neither variable names a folder.
std::filesystem::path cost_file_path(const std::string& backend, const std::string& precision);

nlohmann::ordered_json to_json(const MeasuredCosts& costs);

/// Throws: Error (kInput) naming the file and what is wrong with it.
MeasuredCosts read_cost_file(const std::filesystem::path& path);

/// Why costs that were read are none of this backend, precision, processor or version; empty when
/// they are.
std::string mismatch(const MeasuredCosts& costs, const std::string& backend,
                     const std::string& precision);

/// "AMD EPYC, family 26, model 2": as much as the system tells.
std::string processor_name();

}  // namespace firbank::program
