// A live run as Prometheus reads it: its text format, version 0.0.4.
#pragma once

#include <string>

#include "demos/firbank/monitor/run_facts.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

/// /metrics: every family with HELP and TYPE, names that begin with firbank_ and end with a unit or
/// _total. Levels are amplitudes (1 is full scale), loads shares of a call's deadline.
std::string prometheus_text(const LiveSession& session, const RunFacts& facts);

}  // namespace firbank::program
