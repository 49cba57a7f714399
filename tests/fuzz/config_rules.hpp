// What holds for every configuration that a reader accepts.
#pragma once

#include <cmath>
#include <set>
#include <string>

#include "engine/config/run_config.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace firbank::fuzz {

inline void require_sound(const Delay& delay) {
  require(std::isfinite(delay.seconds) && delay.seconds >= 0, "delays are 0 or above");
}

inline void require_sound(const RunConfig& config) {
  require(!config.inputs.empty() && config.inputs.size() <= kMostConfigChannels, "inputs");
  require(!config.outputs.empty() && config.outputs.size() <= kMostConfigChannels, "outputs");
  require(!config.presets.empty(), "there is a preset");
  std::set<std::string> names;
  for (const FilterSpec& filter : config.filters) {
    require(std::isfinite(filter.gain), "a filter's gain is finite");
    require_sound(filter.delay);
    for (const Stage& stage : filter.stages) {
      const auto* const taps = std::get_if<TapList>(&stage);
      require(taps == nullptr || !taps->empty(), "a list of taps has some");
    }
  }
  for (const PresetSpec& preset : config.presets) {
    require(names.insert(preset.name).second, "a preset's name is its own");
    require(preset.mix >= 0 && preset.mix <= 1, "a mix is from 0 to 1");
    for (const EdgeSpec& edge : preset.edges) {
      require(edge.input < config.inputs.size(), "an edge's input is there");
      require(edge.output < config.outputs.size(), "an edge's output is there");
      require(!edge.filter || *edge.filter < config.filters.size(), "an edge's filter is there");
      require(std::isfinite(edge.gain), "an edge's gain is finite");
      require_sound(edge.delay);
    }
  }
  for (const std::string& line : config.unsupported) {
    require(line.find('\n') == line.npos, "what is not supported is told in one line");
  }
}

}  // namespace firbank::fuzz
