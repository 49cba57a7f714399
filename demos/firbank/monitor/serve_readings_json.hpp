// A run of `firbank serve` as the JSON documents that its monitor gives: member names carry their
// units. What was counted looks as it does in the report (demos/firbank/serve_json.hpp).
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/channel_window.hpp"
#include "demos/firbank/monitor/serve_facts.hpp"
#include "demos/firbank/monitor/serve_watch.hpp"
#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

/// /api/state: what comes, what is done with it, and which channels are bad.
nlohmann::ordered_json state_json(const ServeFacts& facts, const ServeStatus& status,
                                  const ServeWatch& watch);

/// /api/stats: what was counted so far, with the newest losses.
nlohmann::ordered_json stats_json(const ServeStatus& status);

/// One event of /api/events. `losses_before`: of those that there were, so many were told already.
nlohmann::ordered_json moment_json(const ServeStatus& status, const ChannelWindow& window,
                                   const ServeWatch::View& view, std::uint64_t losses_before);

}  // namespace firbank::program
