// The options of a run's monitor, which every command that has one takes alike.
#pragma once

#include <CLI/CLI.hpp>

#include "demos/firbank/monitor/monitor_settings.hpp"

namespace firbank::program {

/// Adds --monitor, --address and --token. MonitorSettings::check() says later what cannot be.
void add_monitor_options(CLI::App& command, MonitorSettings& settings);

}  // namespace firbank::program
