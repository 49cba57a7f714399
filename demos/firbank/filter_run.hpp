// One run of `firbank filter`: opens, plans, filters, completes the output, and reports.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/filter_report.hpp"
#include "demos/firbank/stream_pass.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"
#include "io/files.hpp"

namespace firbank::program {

/// What a stream is filtered with.
struct RunFilters {
  FilterBank bank;
  Routing routing;
  std::string routing_name;          // for people: "rows", "preset 'hall'"
  std::int64_t response_frames = 0;  // as long as the filters count; 0: as the longest is
};

struct FilterSettings {
  std::string input;
  std::string output;
  std::vector<std::string> filter_files;  // for the report
  std::function<RunFilters(const StreamFormat& input)> load_filters;
  EngineOptions engine;
  OpenOptions open;
  std::optional<double> rate_hz;  // --rate
  CreateOptions create;
  std::string mode = "causal";
  Pace pace = Pace::kOffline;
  double gain_db = 0;
  bool normalize = false;  // the output's peak becomes gain_db relative to full scale
  bool progress = true;
  std::function<void(const std::string& line)> notice;
};

/// Opens the input as the settings say. Throws: Error, also when --rate contradicts the file.
std::unique_ptr<Source> open_input(const std::string& path, const OpenOptions& options,
                                   const std::optional<double>& rate_hz);

/// Throws: Error, after which no output is left.
FilterReport run_filter(const FilterSettings& settings);

}  // namespace firbank::program
