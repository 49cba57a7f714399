// What a measurement was made on and with: the machine as it is now, and the program.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/machine/system_files.hpp"

namespace firbank::program {

/// What a report of `kind`, "latency", begins with: schema, date, program and environment.
nlohmann::ordered_json begin_report(const std::string& kind);

/// Processor, its governor, kernel, virtualisation, load and so on; what cannot be read is null.
/// Thread: any.
nlohmann::ordered_json environment_json(const SystemFiles& files = SystemFiles());

/// Version, commit, compiler and flags of this build, and its backends as they are here.
nlohmann::ordered_json program_json();

/// Whether this build checks what it need not, and is slower for it: assertions, a sanitizer, or
/// no optimiser. Empty where it does not; else why.
std::string slow_build();

}  // namespace firbank::program
