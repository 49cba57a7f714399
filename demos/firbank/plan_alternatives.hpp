// What else could have been planned, and what it would cost: the cheapest plan of each number of
// block sizes, for a comparison with the one that is chosen.
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

/// Up to `count` plans beside `chosen`, the cheapest first, each with another number of block
/// sizes, none in direct form; the one of one size is always among them. With
/// config.partition_frames the plan that would have been chosen without is one of them. Plans that
/// cost less than that one are not: their dearest calls are too dear. With very many connections
/// only the likelier sizes are tried.
std::vector<PartitionPlan> alternatives(const EngineConfig& config, const FilterBank& bank,
                                        const Routing& routing, const PlanAbilities& abilities,
                                        const PartitionPlan& chosen, std::size_t count);

}  // namespace firbank::program
