// A run of `firbank serve`: packets in, filters, and what goes out, until it is told to stop.
#pragma once

#include <functional>
#include <string>

#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/monitor/monitor_settings.hpp"
#include "demos/firbank/serve_report.hpp"
#include "engine/config/run_config.hpp"

namespace firbank::program {

struct ServeRunSettings {
  RunConfig config;  // with `serve`
  std::size_t preset = 0;
  EngineOptions engine;
  MonitorSettings monitor;
  bool quiet = false;
  std::function<void(const std::string&)> notice;
};

/// Serves until the input ends for good, or the program is interrupted. Throws: Error when it
/// cannot begin.
ServeReport run_serve(const ServeRunSettings& settings);

}  // namespace firbank::program
