#include "demos/firbank/plan_alternatives.hpp"

#include <fmt/format.h>

namespace firbank::program {

std::string block_sizes(const PartitionPlan& plan) {
  if (plan.kind == PlanKind::kDirect) return "direct form";
  std::vector<std::size_t> sizes;
  for (const LevelPlan& level : plan.levels) sizes.push_back(level.block_frames);
  return fmt::format("{}", fmt::join(sizes, ","));
}

std::vector<PartitionPlan> alternatives(const EngineConfig& config, const FilterBank& bank,
                                        const Routing& routing, const PlanAbilities& abilities,
                                        const PartitionPlan& chosen, std::size_t count) {
  std::vector<PartitionPlan> plans = cheapest_plans(config, bank, routing, abilities);
  std::erase_if(
      plans, [&chosen](const PartitionPlan& plan) { return plan.describe() == chosen.describe(); });
  while (plans.size() > count) {
    auto last = plans.end() - 1;
    if (last->levels.size() == 1 && count > 0) --last;
    plans.erase(last);
  }
  return plans;
}

}  // namespace firbank::program
