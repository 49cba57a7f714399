// StreamOptions: the stream that is measured, as the command line says it: filters from files or
// noise, channels, rate, block, and how to compute. The laboratory's commands have them in common.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/engine_options.hpp"
#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

struct StreamCase {
  EngineConfig config;
  FilterBank bank;
  Routing routing;
};

struct StreamOptions {
  BankOptions bank;
  EngineOptions engine;
  std::optional<std::size_t> channels;
  std::optional<std::size_t> filters;
  std::size_t taps = 48'000;
  double sample_rate_hz = 48'000;

  StreamOptions() { engine.block_frames = 64; }

  /// Adds what makes a stream: filters, channels, rate, block, threads, backend, precision.
  void add_to(CLI::App& command);
  /// Adds filters, channels and rate alone.
  void add_shape_to(CLI::App& command);

  /// `notice` is told of files that are resampled and of costs that are of no use.
  /// Throws: Error (kConfiguration) when these do not go together.
  StreamCase make(const std::function<void(const std::string&)>& notice,
                  PlanGoal goal = PlanGoal::kLive) const;

  /// The same with noise filters of these sizes, whatever the files are.
  StreamCase make_noise(std::size_t of_channels, std::size_t of_filters, std::size_t of_taps) const;

  /// Channels and filters where the command line leaves them open.
  std::size_t noise_channels() const;
  std::size_t noise_filters_of(std::size_t of_channels) const;
};

/// "2 channels in, 2 out, 2 filters of 48000 taps (1 s), rows".
std::string describe(const StreamCase& stream, const std::string& routing);

/// Shapes, rate and arithmetic: what "setting" begins with in every report of a stream.
nlohmann::ordered_json setting_json(const StreamCase& stream, const StreamOptions& options);

}  // namespace firbank::program
