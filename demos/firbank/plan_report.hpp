// PlanReport: how an engine would be planned, what that costs and what else there was; for people
// and as JSON. What `firbank plan` and `firbank run --check` tell.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/engine_options.hpp"
#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

/// What a GPU computes in the hybrid mode.
struct TailReport {
  PartitionPlan plan;
  std::string backend;
  std::size_t first_tap = 0;          // of every filter
  std::size_t slack_frames = 0;       // from a block's last frame until its answer is due
  std::size_t swap_ahead_frames = 0;  // by which a swap comes at the least before it is heard
};

struct PlanReport {
  PartitionPlan plan;  // in the hybrid mode, of the heads
  std::optional<TailReport> tail;
  GpuMode gpu_mode = GpuMode::kWhole;
  std::vector<PartitionPlan> others;  // in the hybrid mode, of the tails
  bool prescribed = false;            // the block sizes were asked for, not chosen
  ChosenCosts costs;
  std::string backend;    // of `plan`
  bool on_gpu = false;    // all of it or the tails
  std::string precision;  // float or double
  double sample_rate_hz = 0;
  std::size_t filters = 0;
  std::size_t longest_taps = 0;  // of the bank
  std::size_t channels_in = 0;
  std::size_t channels_out = 0;
  std::size_t connections = 0;
  double direct_flops = 0;  // a frame, of the direct form

  double times_realtime() const;
};

/// Plans for `config`, whose costs are chosen here, and up to `alternatives` other plans; `notice`
/// is told of costs that are of no use, and of a GPU without the memory. Throws: Error, as an
/// engine would.
PlanReport make_plan_report(const EngineOptions& options, EngineConfig config,
                            const FilterBank& bank, const Routing& routing,
                            std::size_t alternatives,
                            const std::function<void(const std::string&)>& notice);

nlohmann::ordered_json to_json(const PlanReport& report);

/// Prints a few lines, each with a title; the first says `filters` and how many connections.
void print_plan(const PlanReport& report, const std::string& filters);

}  // namespace firbank::program
