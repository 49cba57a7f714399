// The project's own configuration files, in TOML. README.md in this folder has every key, its unit
// and its range, and a complete example.
#pragma once

#include <string>
#include <string_view>

#include "engine/config/run_config.hpp"

namespace firbank {

/// `path` names the text in messages; files are looked for in its folder. Any thread; reads no
/// file. Throws: Error (kConfiguration) naming the line and the key.
RunConfig parse_toml_config(std::string_view text, const std::string& path);

}  // namespace firbank
