// A configuration's presets as the choices of a live run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "demos/firbank/live_choices.hpp"
#include "engine/config/run_config.hpp"

namespace firbank::program {

/// The audio and text files that the filters of a configuration are read from.
std::vector<std::string> filter_files(const RunConfig& config);

/// Each preset is a choice. With up to 64 pairs of channels every configuration of as many channels
/// has the same routing, so that another one is a swap of filters; with more, other edges need
/// another engine. Throws: Error.
LiveChoices config_choices(const RunConfig& config, double sample_rate_hz,
                           const std::function<void(const std::string&)>& notice);

}  // namespace firbank::program
