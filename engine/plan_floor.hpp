// PlanFloor: what a plan cannot do without, a frame: nominal operations, and bytes that are read.
//
// Operations are those of PartitionPlan::flops_per_frame: 2.5 N log2 N a real transform of N
// samples, which the transforms themselves undercut by some; 8 a product of two bins; 2 a tap of
// the direct form. Bytes are
//   the samples that come and go, once;
//   the spectra of the responses, each that edges share once, and those of the inputs that they
//   meet, once a block of their level; or once in two blocks, partition 0 apart, where two are
//   summed in one reading (engine/README.md, (7)), as all backends with shares do in later levels,
//   and in level 0 where the plan has pairs;
//   in the direct form, the taps and the samples that they reach back to, once a piece.
// Not counted are sums that are carried from call to call, what transforms do with memory on their
// way, tables, and the history: they are small beside that, or near.
//
// Where those bytes come from is another matter: most of a small plan's from the first cache. So
// each reading says how much else is gone through until the same bytes are wanted again, which a
// cache must hold to have them still (PlanReading::reach_bytes).
//
// Thread: any; set-up only.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/partition_plan.hpp"
#include "engine/plan_demand.hpp"
#include "kernels/cpu/machine_ceilings.hpp"

namespace firbank {

struct PlanReading {
  double bytes_per_frame = 0;
  double reach_bytes = 0;  // gone through from one reading to the next, itself included
};

struct PlanFloor {
  double flops_per_frame = 0;
  std::vector<PlanReading> readings;  // the samples, then each level, or the taps

  double bytes_per_frame() const;
  double flops_per_byte() const { return flops_per_frame / bytes_per_frame(); }

  /// How long the readings take a frame, each as fast as memory of its reach is read.
  double read_seconds_per_frame(const MachineCeilings& ceilings) const;
  double flop_seconds_per_frame(const MachineCeilings& ceilings) const {
    return flops_per_frame / ceilings.peak_flops_per_second;
  }
};

/// Of calls of plan.call_frames. `shares`: Backend::has_shares(); `demand` is what the plan was
/// chosen for.
PlanFloor plan_floor(const PartitionPlan& plan, const PlanDemand& demand, bool shares,
                     std::size_t sample_bytes);

}  // namespace firbank
