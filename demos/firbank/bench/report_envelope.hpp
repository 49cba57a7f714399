// What every report of the laboratory begins with.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace firbank::program {

/// "schema", "date" (UTC, now), "program", "environment" (as it is now) and "setting".
nlohmann::ordered_json envelope(const std::string& kind, nlohmann::ordered_json setting);

}  // namespace firbank::program
