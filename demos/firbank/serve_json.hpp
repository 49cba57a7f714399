// A run of `firbank serve` as JSON, for the report at its end and for a monitor: member names carry
// their units.
#pragma once

#include <nlohmann/json.hpp>

#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

nlohmann::ordered_json to_json(const InputLoss& loss);
nlohmann::ordered_json to_json(const ServeLatency::Reading& latency);

/// All that was counted; of the losses how many there were.
nlohmann::ordered_json to_json(const ServeStatus& status);

}  // namespace firbank::program
