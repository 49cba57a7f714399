// What a configuration with [serve] asks of an AcquisitionStream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "demos/firbank/engine_options.hpp"
#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/config/run_config.hpp"
#include "io/wire_format.hpp"

namespace firbank::program {

/// Loads the filters of the preset and plans everything. Throws: Error.
std::unique_ptr<AcquisitionStream> make_acquisition(
    const RunConfig& config, std::size_t preset, const EngineOptions& options,
    const std::function<void(const std::string&)>& notice);

/// The magnitude up to which samples of this sender count in the common reference: what the
/// configuration says, or just below the full scale of integers, where converters limit.
float largest_in_reference(const ServeSettings& serve, const StreamHeader& header);

}  // namespace firbank::program
