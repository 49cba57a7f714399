// EngineOptions: how the engine computes, as the command line says it.
#pragma once

#include <cstddef>
#include <string>

#include <CLI/CLI.hpp>

#include "engine/config.hpp"

namespace firbank::program {

struct EngineOptions {
  std::size_t block_frames = 256;
  std::size_t threads = 1;
  std::string precision = "float";  // float or double
  std::string backend = "auto";
  std::size_t depth = 0;  // blocks

  /// Adds --block and --threads.
  void add_to(CLI::App& command);

  /// Adds --precision, --backend and --depth.
  void add_choices_to(CLI::App& command);

  EngineConfig config(double sample_rate_hz, PlanGoal goal) const;
};

}  // namespace firbank::program
