#include "engine/config/channel_paths.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace firbank {
namespace {

constexpr std::size_t kMostPaths = 4'096;  // of all channels together

}  // namespace

ChannelPaths::ChannelPaths(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    channels_.push_back({.name = names[i],
                         .paths = {{
                             .input = i,
                         }}});
  }
}

void ChannelPaths::scale(std::size_t channel, double factor) {
  for (Path& path : channels_[channel].paths) path.gain *= factor;
}

void ChannelPaths::delay(std::size_t channel, const Delay& delay) {
  for (Path& path : channels_[channel].paths) {
    path.delay.frames = std::min(path.delay.frames + delay.frames, kMostConfigFrames);
    path.delay.seconds += delay.seconds;
  }
}

void ChannelPaths::append(std::size_t channel, const Stage& stage) {
  for (Path& path : channels_[channel].paths) path.stages.push_back(stage);
}

// Ways that differ in their gain only are one.
void ChannelPaths::add(std::vector<Path>& paths, const Path& path) {
  for (Path& other : paths) {
    if (other.input != path.input || !(other.delay == path.delay)) continue;
    if (!(other.stages == path.stages)) continue;
    other.gain += path.gain;
    return;
  }
  paths.push_back(path);
}

bool ChannelPaths::replace(const std::vector<Mix>& mixes, std::size_t most_channels) {
  std::vector<Channel> next = channels_;
  std::size_t paths = 0;
  for (const Mix& mix : mixes) {
    Channel sum;
    for (const Term& term : mix.terms) {
      for (Path path : channels_[term.source].paths) {
        path.gain *= term.factor;
        add(sum.paths, path);
        if (sum.paths.size() > kMostPaths) return false;
      }
    }
    if (mix.target) {
      sum.name = next[*mix.target].name;
      next[*mix.target] = std::move(sum);
      continue;
    }
    sum.name = mix.name;
    const auto same = std::find_if(
        next.begin(), next.end(), [&](const Channel& channel) { return channel.name == mix.name; });
    if (same != next.end()) {
      *same = std::move(sum);
    } else {
      next.push_back(std::move(sum));
    }
  }
  for (const Channel& channel : next) paths += channel.paths.size();
  if (next.size() > most_channels || paths > kMostPaths) return false;
  channels_ = std::move(next);
  return true;
}

void ChannelPaths::add_to(RunConfig& config, std::size_t outputs) const {
  PresetSpec preset;
  preset.name = "equaliser";
  for (std::size_t output = 0; output < outputs; ++output) {
    for (const Path& path : channels_[output].paths) {
      EdgeSpec edge{.input = path.input,
                    .output = output,
                    .filter = {},
                    .gain = path.gain,
                    .delay = path.delay};
      if (!path.stages.empty()) {
        const auto same =
            std::find_if(config.filters.begin(), config.filters.end(),
                         [&](const FilterSpec& filter) { return filter.stages == path.stages; });
        edge.filter = static_cast<std::size_t>(same - config.filters.begin());
        if (same == config.filters.end()) {
          config.filters.push_back(
              {.name = fmt::format("{} to {}", config.inputs[path.input], config.outputs[output]),
               .stages = path.stages,
               .gain = 1,
               .delay = {}});
        }
      }
      preset.edges.push_back(edge);
    }
  }
  config.presets.push_back(std::move(preset));
}

}  // namespace firbank
