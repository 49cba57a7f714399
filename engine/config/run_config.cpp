#include "engine/config/run_config.hpp"

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

std::size_t find_preset(const RunConfig& config, const std::string& name) {
  std::string names;
  for (std::size_t i = 0; i < config.presets.size(); ++i) {
    if (config.presets[i].name == name) return i;
    names += (i == 0 ? "" : ", ") + config.presets[i].name;
  }
  throw Error(ErrorKind::kConfiguration,
              fmt::format("{}: there is no preset '{}'; there are: {}", config.path, name, names));
}

}  // namespace firbank
