// SetupOptions: what an engine is set up with where there is no input: filters from files or noise,
// channels, rate, and how to compute. The commands plan and verify have them in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/synthetic.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

struct Setup {
  FilterBank bank;
  Routing routing;
  BankSize size;  // of what the bank stands for
};

struct SetupOptions {
  BankOptions bank;
  SyntheticBank synthetic;
  EngineOptions engine;
  std::optional<std::size_t> channels;  // unless given, as many as the filters fit
  double sample_rate_hz = 48'000;

  void add_to(CLI::App& command);

  using Notice = std::function<void(const std::string&)>;

  /// Loads the files, or makes noise filters where there are none; `notice` is told what is
  /// resampled. Throws: Error.
  Setup load(std::uint64_t seed, const Notice& notice) const;

  /// The same for a plan, to which the lengths are all that matters: filters that are not loaded
  /// have a single tap and stand for as many as outline_config().max_taps. Throws: Error.
  Setup outline(const Notice& notice) const;
  EngineConfig outline_config(PlanGoal goal) const;

 private:
  Setup connected(const FilterBank& filters) const;
};

/// "1 filter of 48000 taps (1 s), rows: 1 channel in, 1 out".
std::string describe(const Setup& setup, const SetupOptions& options);

}  // namespace firbank::program
