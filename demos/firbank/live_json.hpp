// Readings of a live session as JSON, for the report at its end and for a monitor.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "engine/live_session.hpp"

namespace firbank::program {

/// Whether a device can mean it: some tell 0, others whatever lay in memory.
bool is_likely_latency(double seconds);

/// "wait", "compute", "device" or "card".
const char* stage_name(LiveStage stage);

nlohmann::ordered_json to_json(const LoadMeter::Reading& load);
/// By stages: {"wait": 0, ...}.
nlohmann::ordered_json dropouts_json(const LiveStatus& status);
nlohmann::ordered_json to_json(const std::vector<LiveEvent>& events);

}  // namespace firbank::program
