// EngineOptions: how the engine computes, as the command line says it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "demos/firbank/cost_options.hpp"
#include "engine/config.hpp"
#include "kernels/backend.hpp"

namespace firbank::program {

struct EngineOptions {
  std::size_t block_frames = 256;
  std::optional<std::size_t> threads = {};  // empty: what the mode wants
  std::string precision = "float";          // float or double
  std::string spectra = "full";             // full or int16
  std::string backend = "auto";
  std::size_t depth = 0;  // blocks
  std::string gpu_mode;   // whole, hybrid or throughput; empty: what the goal wants
  std::uint64_t memory_limit_bytes = 0;
  std::string on_overload;  // truncate, drop or fail; empty: what the pace wants
  std::string partitions;   // block sizes with commas between them; empty: a choice
  CostOptions costs;

  /// Adds --block, --threads, --partitions and --costs.
  void add_to(CLI::App& command);
  /// Adds these but for --block.
  void add_plan_to(CLI::App& command);

  /// Adds --precision and --backend.
  void add_arithmetic_to(CLI::App& command);

  /// Adds --backend alone: where samples are float.
  void add_backend_to(CLI::App& command);

  /// Adds --spectra.
  void add_spectra_to(CLI::App& command);

  /// Adds --depth.
  void add_depth_to(CLI::App& command);

  /// Adds --gpu-mode, and tells in --threads, which must be there, what it means for them.
  void add_gpu_mode_to(CLI::App& command);

  /// Adds --memory-limit.
  void add_memory_limit_to(CLI::App& command);

  /// Adds --on-overload.
  void add_overload_to(CLI::App& command);

  GpuMode mode_for(PlanGoal goal) const;

  /// Several where samples come to a GPU by copies and go, so that these keep pace with it.
  std::size_t threads_for(PlanGoal goal) const;

  bool is_hybrid() const { return gpu_mode == "hybrid"; }

  /// All but the costs, which chosen_costs() tells.
  EngineConfig config(double sample_rate_hz, PlanGoal goal) const;

  /// The costs of `backend` in `precision`; see CostOptions.
  ChosenCosts chosen_costs(const std::function<void(const std::string&)>& notice) const {
    return costs.choose(backend, precision, notice);
  }

  /// Throws: Error (kConfiguration) when it cannot compute here, or not with such spectra.
  std::shared_ptr<const Backend> open_backend() const;
};

}  // namespace firbank::program
