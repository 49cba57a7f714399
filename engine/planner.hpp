// The choice of a PartitionPlan: the cheapest by a cost model, among those whose calls cost about
// the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_sizes.hpp"
#include "engine/partition_plan.hpp"
#include "engine/routing.hpp"
#include "kernels/backend.hpp"

namespace firbank {

/// What a backend can do with a plan.
struct PlanAbilities {
  bool shares = true;              // Backend::has_shares()
  CostModel costs = {};            // where EngineConfig has none
  std::uint64_t memory_bytes = 0;  // Backend::free_memory_bytes()
  std::size_t sample_bytes = sizeof(float);
};

/// With samples of `sample_bytes`.
PlanAbilities abilities_of(const Backend& backend, std::size_t sample_bytes = sizeof(float));

/// Throws: Error when block_frames, max_frames, max_taps, depth_blocks or partition_frames is out
/// of its range, a filter of the bank is longer than max_taps, or no plan does with
/// memory_limit_bytes.
PartitionPlan choose_plan(const EngineConfig& config, const FilterSizes& filters,
                          const Routing& routing, const PlanAbilities& abilities = {});

/// Of each number of levels the cheapest plan whose calls cost about the same (a call that costs
/// much more than the mean counts as the price), and the direct form where it is an option: of up
/// to 1,024 taps; on a device only where no answer waits longer for it, or none is waited for. Of
/// plans whose costs an estimate cannot tell apart, the one with the least memory. The one that is
/// chosen comes first, then the cheapest. `partition_frames` is not looked at, nor refused. Throws:
/// as choose_plan() but for that.
std::vector<PartitionPlan> cheapest_plans(const EngineConfig& config, const FilterSizes& filters,
                                          const Routing& routing,
                                          const PlanAbilities& abilities = {});

}  // namespace firbank
