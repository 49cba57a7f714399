#include "engine/stages/centred_templates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostLength = 65'536;
constexpr std::size_t kMostBlock = 65'536;

}  // namespace

void check_templates(const TemplateDistanceConfig& config) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, "template distance: " + message);
  };
  if (config.channels == 0) refuse("channels is 0; at least 1 is needed");
  if (config.templates.empty()) refuse("there is no template; at least 1 is needed");
  if (config.block_frames < 1 || config.block_frames > kMostBlock) {
    refuse(fmt::format("block_frames is {}; allowed: 1 to {}", config.block_frames, kMostBlock));
  }
  if (!(config.exact_share >= 0 && config.exact_share <= 1)) {
    refuse(fmt::format("exact_share is {}; allowed: 0 to 1", config.exact_share));
  }
  std::size_t length = 0;
  for (std::size_t k = 0; k < config.templates.size(); ++k) {
    const Template& one = config.templates[k];
    if (one.channels.empty()) refuse(fmt::format("template {} has no channel", k));
    if (one.samples.size() != one.channels.size()) {
      refuse(fmt::format("template {} has samples of {} channels; its {} channels need as many", k,
                         one.samples.size(), one.channels.size()));
    }
    std::vector<std::size_t> sorted = one.channels;
    std::sort(sorted.begin(), sorted.end());
    if (sorted.back() >= config.channels) {
      refuse(fmt::format("template {}: channel {} is not there; 0 to {} are allowed", k,
                         sorted.back(), config.channels - 1));
    }
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end())
      refuse(fmt::format("template {}: channel {} is there twice", k, *twice));
    if (k == 0) length = one.samples[0].size();
    if (length < 1 || length > kMostLength) {
      refuse(fmt::format("template 0 has {} samples a channel; allowed: 1 to {}", length,
                         kMostLength));
    }
    for (std::size_t i = 0; i < one.samples.size(); ++i) {
      if (one.samples[i].size() != length) {
        refuse(
            fmt::format("template {}: channel {} has {} samples; {} are needed, as in template 0",
                        k, one.channels[i], one.samples[i].size(), length));
      }
      for (const double sample : one.samples[i]) {
        if (std::abs(sample) <= static_cast<double>(std::numeric_limits<float>::max())) continue;
        refuse(
            fmt::format("template {}: channel {} has a sample {}; finite numbers in the range of "
                        "float are allowed",
                        k, one.channels[i], sample));
      }
    }
  }
}

CentredTemplates::CentredTemplates(const TemplateDistanceConfig& config)
    : templates(config.templates), length(config.templates[0].samples[0].size()) {
  std::vector<double> sums(config.channels, 0.0);
  std::vector<std::size_t> counts(config.channels, 0);
  for (const Template& one : templates) {
    for (std::size_t i = 0; i < one.channels.size(); ++i) {
      for (const double sample : one.samples[i]) sums[one.channels[i]] += sample;
      counts[one.channels[i]] += length;
    }
  }
  std::vector<std::size_t> place(config.channels, 0);
  for (std::size_t c = 0; c < config.channels; ++c) {
    if (counts[c] == 0) continue;
    place[c] = used.size();
    used.push_back(c);
    offsets.push_back(
        static_cast<double>(static_cast<float>(sums[c] / static_cast<double>(counts[c]))));
  }
  for (Template& one : templates) {
    double& energy = energies.emplace_back(0.0);
    for (std::size_t i = 0; i < one.channels.size(); ++i) {
      one.channels[i] = place[one.channels[i]];
      for (double& sample : one.samples[i]) {
        sample -= offsets[one.channels[i]];
        energy += sample * sample;
      }
    }
  }
}

FilterBank CentredTemplates::bank() const {
  std::vector<std::vector<double>> filters;
  for (const Template& one : templates) {
    for (const auto& samples : one.samples) filters.emplace_back(samples.rbegin(), samples.rend());
  }
  return FilterBank(std::move(filters));
}

Routing CentredTemplates::routing() const {
  std::vector<Edge> edges;
  for (std::size_t k = 0; k < templates.size(); ++k) {
    for (const std::size_t channel : templates[k].channels) {
      edges.push_back({.input = channel, .filter = edges.size(), .output = k});
    }
  }
  return Routing(used.size(), templates.size(), std::move(edges));
}

}  // namespace firbank
