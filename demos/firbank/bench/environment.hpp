// What a measurement was made on and with: the machine as it is now, and the program.
#pragma once

#include <nlohmann/json.hpp>

namespace firbank::program {

/// Processor, its governor, kernel, virtualisation, load and so on; what cannot be read is null.
/// Thread: any.
nlohmann::ordered_json environment_json();

/// Version, commit, compiler and flags of this build.
nlohmann::ordered_json program_json();

}  // namespace firbank::program
