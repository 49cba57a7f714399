// What `firbank bench loopback` tells people.
#pragma once

#include <string>

#include "demos/firbank/bench/loopback/loopback_report.hpp"

namespace firbank::program {

/// Lines with a newline behind each. Precondition: run.estimate.round_trip.
/// Thread: any.
std::string loopback_table(const LoopbackRun& run);

}  // namespace firbank::program
