// BankOptions: which filters connect what, as the command line says it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

struct BankOptions {
  std::vector<std::string> files;
  std::string routing = "rows";        // rows, bank or matrix
  std::optional<std::size_t> outputs;  // of matrix
  bool no_resample = false;

  /// Adds --filter, --routing, --outputs and --no-resample; the first is required or not.
  void add_to(CLI::App& command, bool filter_required);

  /// Throws: Error (kConfiguration) when --outputs is missing, or has no use.
  void check() const;

  /// The filters of all files at the rate of the stream; `notice` is told what is resampled.
  FilterBank load(double sample_rate_hz,
                  const std::function<void(const std::string&)>& notice) const;

  /// How `filters` filters connect to `channels` input channels.
  /// Throws: Error (kConfiguration) when they do not fit.
  Routing connect(std::size_t channels, std::size_t filters) const;

  /// Channels that `filters` filters fit by themselves: for commands that have no input.
  std::size_t natural_channels(std::size_t filters) const;
};

struct BankSize {
  std::size_t filters = 0;
  std::size_t shortest_taps = 0;
  std::size_t longest_taps = 0;
};

BankSize size_of(const FilterBank& bank);

/// "2 filters of 48000 taps (1 s), rows" or "... of 100 to 48000 taps ...".
std::string describe(const BankSize& size, const std::string& routing, double sample_rate_hz);

}  // namespace firbank::program
