#include "demos/firbank/config_choices.hpp"

#include <algorithm>
#include <set>
#include <variant>

#include "engine/config/config_banks.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kMostPairs = 64;

}  // namespace

std::vector<std::string> filter_files(const RunConfig& config) {
  std::set<std::string> paths;
  for (const FilterSpec& filter : config.filters) {
    for (const Stage& stage : filter.stages) {
      if (const auto* file = std::get_if<FileResponse>(&stage)) paths.insert(file->path);
    }
  }
  return {paths.begin(), paths.end()};
}

LiveChoices config_choices(const RunConfig& config, double sample_rate_hz,
                           const std::function<void(const std::string&)>& notice) {
  ConfigBanksOptions options;
  options.sample_rate_hz = sample_rate_hz;
  options.may_bypass = false;  // the session has a way of its own round the filters
  options.any_connection = config.inputs.size() * config.outputs.size() <= kMostPairs;
  options.notice = notice;
  const ConfigBanks banks(config, options);
  LiveChoices choices{{}, {}, banks.routing(), 0, filter_files(config)};
  choices.files.push_back(config.path);
  choices.longest_taps = std::max(banks.longest_taps(), config.engine.response_frames);
  for (std::size_t preset = 0; preset < config.presets.size(); ++preset) {
    choices.banks.push_back(banks.bank({.preset = preset}));
    choices.names.push_back(config.presets[preset].name);
  }
  return choices;
}

}  // namespace firbank::program
