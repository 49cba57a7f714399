// ConfigBanks: what an engine takes for a RunConfig: one Routing for good, and a FilterBank for
// every way the run can sound.
//
// An engine's routing stays while its filters may be swapped, so there is an edge for every pair of
// channels that any preset connects, and gains, delays, mixes and presets are folded into taps:
// every change while running is one Engine::swap with bank(). Pairs that are alike in every preset
// share a filter.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/config/run_config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank {

struct ConfigBanksOptions {
  double sample_rate_hz = 48'000;

  /// The only preset that will be asked for; none: any of them.
  std::optional<std::size_t> only_preset = {};

  /// Whether bypass and mixes that no preset has may be asked for: the pairs that the dry signal
  /// takes are then in the routing too.
  bool may_bypass = true;

  /// Makes an edge for every pair of channels, with a filter of its own, so that the banks of any
  /// other configuration of as many channels, made so, have the same routing.
  bool any_connection = false;

  /// Told, one line each: ResponseOptions::notice says what.
  std::function<void(const std::string& line)> notice = {};
};

/// How the run is to sound: a preset, and what is to be otherwise than there.
struct BankState {
  std::size_t preset = 0;
  std::optional<bool> bypass = {};
  std::optional<double> mix = {};  // 0 (dry) to 1 (wet)
  std::optional<bool> level_match = {};
  double gain = 1;  // linear, of everything
};

class ConfigBanks {
 public:
  /// Loads, resamples and designs all filters that the presets use. Throws: Error.
  /// Realtime: no. The object is immutable afterwards; any thread may call its functions.
  ConfigBanks(const RunConfig& config, const ConfigBanksOptions& options);

  const Routing& routing() const noexcept { return routing_; }

  /// Taps of the longest filter that bank() may give; EngineConfig::max_taps.
  std::size_t longest_taps() const noexcept { return longest_taps_; }

  /// The filters for routing(). Throws: Error when the state asks for what the options excluded, or
  /// a value is out of its range. Realtime: no; it allocates all taps anew.
  FilterBank bank(const BankState& state = {}) const;

  /// What level matching multiplies a state by, so that it is as loud as the dry signal: both are
  /// measured as the power that pink noise from 20 Hz to 20 kHz (at most 0.45 of the rate), alike
  /// and unrelated in all inputs, has in all outputs together. 1 when either of them is silent.
  double matching_gain(const BankState& state) const;

 private:
  struct Part {
    std::optional<std::size_t> filter;
    double gain = 1;
    std::size_t delay = 0;

    friend bool operator<(const Part& a, const Part& b) {
      return std::tie(a.filter, a.gain, a.delay) < std::tie(b.filter, b.gain, b.delay);
    }
  };

  /// What all pairs that share a filter have in common.
  struct Group {
    std::vector<std::vector<Part>> parts;  // of each preset, in order
    bool dry = false;                      // the dry signal takes this way
    std::size_t pairs = 0;

    friend bool operator<(const Group& a, const Group& b) {
      return std::tie(a.parts, a.dry) < std::tie(b.parts, b.dry);
    }
  };

  Routing connect(const RunConfig& config, const ConfigBanksOptions& options);
  void check(const BankState& state) const;
  bool bypassed(const BankState& state) const;
  std::vector<double> taps_of(const Group& group, const BankState& state) const;
  double power_of(const std::vector<double>& taps) const;

  double sample_rate_hz_;
  std::optional<std::size_t> only_preset_;
  bool has_dry_ = false;  // the routing has the dry signal's pairs
  std::vector<PresetSpec> presets_;
  std::size_t response_frames_ = 0;
  std::vector<std::vector<double>> responses_;  // of each filter
  std::vector<Group> groups_;
  std::size_t dry_pairs_ = 0;
  std::size_t longest_taps_ = 1;
  Routing routing_;
};

}  // namespace firbank
