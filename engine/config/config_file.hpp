// Reading a configuration from a file, whichever of the formats it is in.
#pragma once

#include <cstddef>
#include <string>

#include "engine/config/equaliser.hpp"
#include "engine/config/run_config.hpp"

namespace firbank {

enum class ConfigFormat { kToml, kJconvolver, kEqualizerApo };

/// What a text looks like: TOML by the name (.toml), jconvolver's by a line that begins with '/',
/// Equalizer APO's by a line "Command: ...", and TOML otherwise.
ConfigFormat guess_config_format(const std::string& text, const std::string& path);

struct ConfigFileOptions {
  /// What Equalizer APO's text leaves open: EqualizerApoOptions tells.
  std::size_t channels = 2;
  std::size_t equaliser_taps = 0;
  FilterPhase equaliser_phase = FilterPhase::kMinimum;
};

/// Throws: Error (kInput) when a file cannot be read or is larger than 16 MiB, (kConfiguration)
/// when it is not understood, naming the line.
RunConfig read_config_file(const std::string& path, const ConfigFileOptions& options = {});

}  // namespace firbank
