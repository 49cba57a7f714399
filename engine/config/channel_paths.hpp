// ChannelPaths: the ways from the inputs to each channel, while a chain of operations on channels
// is read step by step.
//
// Every operation is linear and does not change in time, so each channel is at any moment a sum
// over ways, each from one input through filters in a row. Plain values; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/run_config.hpp"

namespace firbank {

class ChannelPaths {
 public:
  /// Channel i begins as input i.
  explicit ChannelPaths(const std::vector<std::string>& names);

  std::size_t size() const noexcept { return channels_.size(); }
  const std::string& name(std::size_t channel) const { return channels_[channel].name; }

  void scale(std::size_t channel, double factor);
  void delay(std::size_t channel, const Delay& delay);
  void append(std::size_t channel, const Stage& stage);

  /// Calls `change` with the equaliser at the end of each way of a channel, a new one like `fresh`
  /// where something else is there.
  template <class Change>
  void equalise(std::size_t channel, const Equaliser& fresh, Change change) {
    for (Path& path : channels_[channel].paths) {
      if (path.stages.empty() || !std::holds_alternative<Equaliser>(path.stages.back())) {
        path.stages.emplace_back(fresh);
      }
      change(std::get<Equaliser>(path.stages.back()));
    }
  }

  struct Term {
    std::size_t source = 0;
    double factor = 1;
  };
  struct Mix {
    std::optional<std::size_t> target;  // none: a new channel of that name
    std::string name;
    std::vector<Term> terms;
  };

  /// Makes each target the sum of its terms, all of which mean the channels as they were before.
  /// False, with nothing changed, when there would be more than `most_channels` or too many ways.
  bool replace(const std::vector<Mix>& mixes, std::size_t most_channels);

  /// Adds filters and one preset to `config`: what the first `outputs` channels hear.
  void add_to(RunConfig& config, std::size_t outputs) const;

 private:
  struct Path {
    std::size_t input = 0;
    double gain = 1;
    Delay delay = {};
    std::vector<Stage> stages = {};
  };
  struct Channel {
    std::string name;
    std::vector<Path> paths;
  };

  static void add(std::vector<Path>& paths, const Path& path);

  std::vector<Channel> channels_;
};

}  // namespace firbank
