// What a configuration with [serve] asks of an AcquisitionStream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "demos/firbank/engine_options.hpp"
#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/config/run_config.hpp"

namespace firbank::program {

/// Loads the filters of the preset and plans everything. Throws: Error.
std::unique_ptr<AcquisitionStream> make_acquisition(
    const RunConfig& config, std::size_t preset, const EngineOptions& options,
    const std::function<void(const std::string&)>& notice);

}  // namespace firbank::program
