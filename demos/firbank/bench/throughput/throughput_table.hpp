// A throughput report as people read it.
//
// Thread: any.
#pragma once

#include <string>

#include "demos/firbank/bench/throughput/throughput_run.hpp"

namespace firbank::program {

/// The machine's ceilings, a line a row, what the columns are, and the doubts.
std::string throughput_table(const ThroughputReport& report);

}  // namespace firbank::program
