// ThroughputRun: several rows in one run: each is proven right, then they are measured in turn,
// round by round, so that a busy moment of the machine does not fall on one of them alone.
//
// Thread:   one at a time.
// Realtime: no.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/bench/throughput/throughput_row.hpp"
#include "demos/firbank/bench/throughput/throughput_trial.hpp"
#include "engine/partition_plan.hpp"
#include "engine/plan_floor.hpp"
#include "kernels/cpu/machine_ceilings.hpp"

namespace firbank::program {

struct ThroughputEffort {
  double seconds = 1;       // of each row, all stretches together
  std::size_t repeats = 5;  // stretches
};

struct ThroughputResult {
  ThroughputRow row;
  std::string backend;
  std::string instruction_set;
  bool on_cpu = true;  // counted is processor time; else the clock
  PartitionPlan plan;
  PlanFloor floor;
  std::size_t call_frames = 0;
  std::size_t warm_up_frames = 0;
  double error = 0;                // relative L2, of the check before the first stretch
  double taps = 0;                 // of all edges together
  std::vector<Stretch> stretches;  // in the order of the rounds

  double counted_s(const Stretch& stretch) const {
    return on_cpu ? stretch.processor_s : stretch.clock_s;
  }
};

/// A row whose output is wrong.
struct WrongOutput {
  std::string row;
  std::string backend;
  double error = 0;  // relative L2
  double limit = 0;
};

struct ThroughputReport {
  ThroughputEffort effort;
  /// Of a thread while all of them are at work, a second of its processor time; nothing where a
  /// device computes.
  std::optional<MachineCeilings> ceilings;
  std::vector<ThroughputResult> results;
  std::optional<WrongOutput> wrong;  // nothing was timed
  bool interrupted = false;

  /// Whether any row was measured before it was interrupted.
  bool has_figures() const { return !results.empty() && !results.front().stretches.empty(); }
};

/// All rows compute on one backend in one precision. `stopped` ends it early; `progress` is told of
/// the share that is done, 0 to 1. Throws: Error, BackendError, std::bad_alloc, std::system_error.
ThroughputReport run_throughput(const std::vector<ThroughputRow>& rows,
                                const ThroughputEffort& effort,
                                const std::function<bool()>& stopped,
                                const std::function<void(double done)>& progress);

}  // namespace firbank::program
