#include "engine/config/config_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "engine/config/config_text.hpp"
#include "engine/config/equalizer_apo_config.hpp"
#include "engine/config/jconvolver_config.hpp"
#include "engine/config/toml_config.hpp"
#include "io/error.hpp"
#include "io/files.hpp"
#include "io/input_file.hpp"

namespace firbank {
namespace {

std::string read_text(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{16} << 20;
  InputFile file(path);
  std::string text(kMostBytes + 1, '\0');
  text.resize(file.read(text.data(), text.size()));
  if (text.size() > kMostBytes) {
    throw Error(ErrorKind::kInput, fmt::format("{}: it is longer than {} bytes; a configuration of "
                                               "up to that is allowed",
                                               path, kMostBytes));
  }
  if (text.find('\0') != std::string::npos) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: it is no text; a configuration in UTF-8 or ASCII is allowed", path));
  }
  return text;
}

}  // namespace

ConfigFormat guess_config_format(const std::string& text, const std::string& path) {
  if (path.ends_with(".toml")) return ConfigFormat::kToml;
  for (const std::string_view line : lines_of(text)) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '/') return ConfigFormat::kJconvolver;
    if (line[0] == '[') return ConfigFormat::kToml;
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && line.find('=') > colon)
      return ConfigFormat::kEqualizerApo;
  }
  return ConfigFormat::kToml;
}

RunConfig read_config_file(const std::string& path, const ConfigFileOptions& options) {
  const std::string text = read_text(path);
  switch (guess_config_format(text, path)) {
    case ConfigFormat::kJconvolver:
      return parse_jconvolver_config(
          text, path, [](const std::string& file) { return open_source(file)->format().channels; });
    case ConfigFormat::kEqualizerApo:
      return parse_equalizer_apo_config(text, path,
                                        {.channels = options.channels,
                                         .taps = options.equaliser_taps,
                                         .phase = options.equaliser_phase,
                                         .read_text = read_text});
    case ConfigFormat::kToml:
      break;
  }
  return parse_toml_config(text, path);
}

}  // namespace firbank
