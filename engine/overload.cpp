#include "engine/overload.hpp"

#include <algorithm>

namespace firbank {

double load_of(const PartitionPlan& plan, double sample_rate_hz, std::size_t threads) {
  return plan.ns_per_frame * sample_rate_hz / 1e9 / static_cast<double>(threads);
}

std::size_t taps_in_time(const EngineConfig& config, const FilterBank& bank, const Routing& routing,
                         const PlanAbilities& abilities, std::size_t threads) {
  const std::size_t longest = std::max<std::size_t>(config.max_taps, bank.longest());
  std::size_t fits = 1;
  std::size_t too_long = longest + 1;
  // A sixteenth more or less is nothing that an estimate could tell.
  while (too_long - fits > 1 && too_long - fits > fits / 16) {
    const std::size_t taps = fits + (too_long - fits) / 2;
    EngineConfig shorter = config;
    shorter.max_taps = taps;
    const PartitionPlan plan = choose_plan(shorter, bank.cut(0, taps), routing, abilities);
    (load_of(plan, config.sample_rate_hz, threads) <= kMostLoad ? fits : too_long) = taps;
  }
  return fits;
}

}  // namespace firbank
