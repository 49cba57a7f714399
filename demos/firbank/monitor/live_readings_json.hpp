// A live run as the JSON documents that a monitor gives: member names carry their units.
#pragma once

#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/live_facts.hpp"
#include "demos/firbank/monitor/spectrum_watch.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

/// /api/state: what is played through what, and how the controls stand.
nlohmann::ordered_json state_json(const LiveSession& session, const LiveFacts& facts,
                                  const std::vector<double>& bands_hz);

/// /api/stats: what was counted and measured so far.
nlohmann::ordered_json stats_json(const LiveSession& session, const LiveFacts& facts);

/// One event of /api/events: meters, spectra, load, and the controls.
nlohmann::ordered_json moment_json(const LiveSession& session, const LiveFacts& facts,
                                   const Spectra& spectra);

}  // namespace firbank::program
