// Readings of a live session as JSON, for the report at its end and for a monitor.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "engine/live_events.hpp"
#include "engine/load_meter.hpp"

namespace firbank::program {

/// Whether a device can mean it: some tell 0, others whatever lay in memory.
bool is_likely_latency(double seconds);

nlohmann::ordered_json to_json(const LoadMeter::Reading& load);
nlohmann::ordered_json to_json(const std::vector<LiveEvent>& events);

}  // namespace firbank::program
