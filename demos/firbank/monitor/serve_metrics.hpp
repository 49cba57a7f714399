// A run of `firbank serve` as Prometheus reads it (metrics_text.hpp).
#pragma once

#include <string>

#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

/// /metrics: every family with HELP and TYPE, names that begin with firbank_ and end with a unit or
/// _total. Outputs are told by their number in the configuration, from 1 on.
std::string serve_metrics(const ServeStatus& status);

}  // namespace firbank::program
