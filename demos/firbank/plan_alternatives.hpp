// What else could have been planned, for a comparison with the plan that is chosen.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/planner.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

/// The plan's block sizes as --partitions takes them: "64,512,4096"; "direct form" without any.
std::string block_sizes(const PartitionPlan& plan);

/// Up to `count` of the library's cheapest plans of each number of block sizes, without `chosen`,
/// the cheapest first. The one with one block size, the measure of the others, is kept before any
/// other.
std::vector<PartitionPlan> alternatives(const EngineConfig& config, const FilterBank& bank,
                                        const Routing& routing, const PlanAbilities& abilities,
                                        const PartitionPlan& chosen, std::size_t count);

}  // namespace firbank::program
