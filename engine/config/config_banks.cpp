#include "engine/config/config_banks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "engine/config/fourier.hpp"
#include "engine/config/response_loader.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kConfiguration, what);
}

/// The ways that the dry signal takes.
std::vector<Pair> dry_pairs(std::size_t inputs, std::size_t outputs) {
  std::vector<Pair> pairs;
  for (std::size_t output = 0; output < outputs; ++output) {
    if (inputs == 1) pairs.emplace_back(0, output);
    if (inputs > 1 && output < inputs) pairs.emplace_back(output, output);
  }
  return pairs;
}

}  // namespace

ConfigBanks::ConfigBanks(const RunConfig& config, const ConfigBanksOptions& options)
    : sample_rate_hz_(options.sample_rate_hz),
      only_preset_(options.only_preset),
      presets_(config.presets),
      response_frames_(config.engine.response_frames),
      routing_(connect(config, options)) {
  std::vector<bool> wanted(config.filters.size(), false);
  for (const Group& group : groups_) {
    for (const auto& parts : group.parts) {
      for (const Part& part : parts) {
        if (part.filter) wanted[*part.filter] = true;
      }
    }
  }
  responses_ = load_responses(config, wanted,
                              {.sample_rate_hz = options.sample_rate_hz, .notice = options.notice});
  std::size_t longest = 1;
  for (const Group& group : groups_) {
    for (const auto& parts : group.parts) {
      for (const Part& part : parts) {
        longest =
            std::max(longest, part.delay + (part.filter ? responses_[*part.filter].size() : 1));
      }
    }
  }
  if (response_frames_ != 0 && longest > response_frames_) {
    if (options.notice) {
      options.notice(fmt::format("responses of {} frames are cut to {}, as {} wants", longest,
                                 response_frames_, config.path));
    }
    longest = response_frames_;
  }
  longest_taps_ = longest;
}

Routing ConfigBanks::connect(const RunConfig& config, const ConfigBanksOptions& options) {
  std::map<Pair, Group> pairs;
  bool wants_dry = options.may_bypass;
  for (std::size_t p = 0; p < presets_.size(); ++p) {
    const PresetSpec& preset = presets_[p];
    if (options.only_preset && *options.only_preset != p) continue;
    wants_dry = wants_dry || preset.bypass || preset.mix < 1;
    for (const EdgeSpec& edge : preset.edges) {
      Group& group = pairs[{edge.input, edge.output}];
      group.parts.resize(presets_.size());
      group.parts[p].push_back(
          {edge.filter, edge.gain, delay_frames(edge.delay, options.sample_rate_hz)});
    }
  }
  const std::vector<Pair> dry = dry_pairs(config.inputs.size(), config.outputs.size());
  dry_pairs_ = dry.size();
  if (wants_dry) {
    for (const Pair& pair : dry) pairs[pair].dry = true;
  }
  has_dry_ = wants_dry;
  if (options.any_connection) {
    for (std::size_t input = 0; input < config.inputs.size(); ++input) {
      for (std::size_t output = 0; output < config.outputs.size(); ++output) {
        pairs.try_emplace({input, output});
      }
    }
  }
  std::map<Group, std::size_t> index_of;
  std::vector<Edge> edges;
  for (auto& [pair, group] : pairs) {
    group.parts.resize(presets_.size());
    for (auto& parts : group.parts) std::sort(parts.begin(), parts.end());
    const auto at = index_of.emplace(group, groups_.size()).first;
    const std::size_t filter = options.any_connection ? groups_.size() : at->second;
    if (filter == groups_.size()) groups_.push_back(group);
    edges.push_back({.input = pair.first, .filter = filter, .output = pair.second});
  }
  for (const Edge& edge : edges) ++groups_[edge.filter].pairs;
  return Routing(config.inputs.size(), config.outputs.size(), std::move(edges));
}

void ConfigBanks::check(const BankState& state) const {
  if (state.preset >= presets_.size() || (only_preset_ && state.preset != *only_preset_)) {
    refuse(fmt::format("preset {} is not loaded", state.preset));
  }
  const double mix = state.mix.value_or(presets_[state.preset].mix);
  if (!(mix >= 0 && mix <= 1)) refuse(fmt::format("mix is {}; 0 to 1 are allowed", mix));
  if (!std::isfinite(state.gain)) {
    refuse(fmt::format("gain is {}; only finite numbers are allowed", state.gain));
  }
  if ((bypassed(state) || mix < 1) && !has_dry_) {
    refuse("bypass and mix are not possible: the routing was made without the dry signal");
  }
}

bool ConfigBanks::bypassed(const BankState& state) const {
  return state.bypass.value_or(presets_[state.preset].bypass);
}

std::vector<double> ConfigBanks::taps_of(const Group& group, const BankState& state) const {
  const PresetSpec& preset = presets_[state.preset];
  const bool bypass = bypassed(state);
  const double wet = bypass ? 0 : state.mix.value_or(preset.mix);
  std::vector<double> taps(1, group.dry ? 1 - wet : 0.0);
  if (bypass) return taps;
  for (const Part& part : group.parts[state.preset]) {
    const double unit = 1;
    const double* const response = part.filter ? responses_[*part.filter].data() : &unit;
    const std::size_t count = part.filter ? responses_[*part.filter].size() : 1;
    const double gain = wet * preset.gain * part.gain;
    if (taps.size() < part.delay + count) taps.resize(part.delay + count, 0.0);
    for (std::size_t n = 0; n < count; ++n) taps[part.delay + n] += gain * response[n];
  }
  if (response_frames_ != 0 && taps.size() > response_frames_) taps.resize(response_frames_);
  return taps;
}

FilterBank ConfigBanks::bank(const BankState& state) const {
  check(state);
  const bool match =
      !bypassed(state) && state.level_match.value_or(presets_[state.preset].level_match);
  const double gain = state.gain * (match ? matching_gain(state) : 1);
  std::vector<std::vector<double>> filters;
  std::vector<std::string> names;
  for (const Group& group : groups_) {
    filters.push_back(taps_of(group, state));
    for (double& tap : filters.back()) tap *= gain;
    names.push_back(
        fmt::format("preset '{}', filter {}", presets_[state.preset].name, names.size() + 1));
  }
  return FilterBank(std::move(filters), std::move(names));
}

double ConfigBanks::power_of(const std::vector<double>& taps) const {
  // Fine enough for what lasts as long as the response, and for the lowest frequency.
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(taps.size(), 1 << 14));
  std::vector<std::complex<double>> spectrum(taps.begin(), taps.end());
  spectrum.resize(size);
  fourier_transform(spectrum);
  const double step_hz = sample_rate_hz_ / static_cast<double>(size);
  const double least_hz = std::min(20.0, 0.1 * sample_rate_hz_);
  const double most_hz = std::min(20'000.0, 0.45 * sample_rate_hz_);
  double power = 0;
  double weights = 0;
  for (std::size_t k = 1; k <= size / 2; ++k) {
    const double hz = static_cast<double>(k) * step_hz;
    if (hz < least_hz || hz > most_hz) continue;
    power += std::norm(spectrum[k]) / hz;
    weights += 1 / hz;
  }
  return power / weights;
}

double ConfigBanks::matching_gain(const BankState& state) const {
  check(state);
  BankState plain = state;
  plain.bypass = false;
  double power = 0;
  for (const Group& group : groups_) {
    power += static_cast<double>(group.pairs) * power_of(taps_of(group, plain));
  }
  const auto dry_power = static_cast<double>(dry_pairs_);
  return power > 0 && dry_power > 0 ? std::sqrt(dry_power / power) : 1;
}

}  // namespace firbank
