// A throughput report in the forms that programs read: JSON, and CSV with a line a row.
//
// Thread: any.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/throughput/throughput_run.hpp"

namespace firbank::program {

/// Schema firbank.bench.throughput.1. Rows without a stretch are left out; what does not exist is
/// null, as the shares of ceilings are on a device.
nlohmann::ordered_json throughput_json(const ThroughputReport& report);

/// The rows of that object: names in the first line, as "setting.taps" where they lie deeper; null
/// is empty.
std::string throughput_csv(const nlohmann::ordered_json& report);

}  // namespace firbank::program
