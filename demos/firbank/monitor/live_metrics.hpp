// A live run as Prometheus reads it (metrics_text.hpp).
#pragma once

#include <string>

#include "demos/firbank/monitor/live_facts.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

/// /metrics: every family with HELP and TYPE, names that begin with firbank_ and end with a unit or
/// _total. Levels are amplitudes (1 is full scale), loads shares of a call's deadline.
std::string live_metrics(const LiveSession& session, const LiveFacts& facts);

}  // namespace firbank::program
