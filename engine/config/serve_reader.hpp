// Reads the table [serve] of a TOML configuration.
#pragma once

#include <string>
#include <vector>

#include "engine/config/serve_settings.hpp"
#include "engine/config/toml_table.hpp"

namespace firbank {

/// Files are looked for in `folder`; `inputs` are the channels' names. Throws: Error
/// (kConfiguration) naming line and key.
ServeSettings read_serve_settings(TomlTable& serve, const std::string& folder,
                                  const std::vector<std::string>& inputs);

}  // namespace firbank
