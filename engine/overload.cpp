#include "engine/overload.hpp"

#include <algorithm>

namespace firbank {

double load_of(const PartitionPlan& plan, double sample_rate_hz, std::size_t threads) {
  return plan.ns_per_frame * sample_rate_hz / 1e9 / static_cast<double>(threads);
}

double load_of(const EngineConfig& config, const FilterBank& bank, const Routing& routing,
               const PlanAbilities& abilities, std::size_t threads) {
  EngineConfig without_room = config;
  without_room.max_taps = 0;
  return load_of(choose_plan(without_room, bank, routing, abilities), config.sample_rate_hz,
                 threads);
}

std::size_t taps_in_time(const EngineConfig& config, const FilterBank& bank, const Routing& routing,
                         const PlanAbilities& abilities, std::size_t threads, double most_load) {
  std::size_t fits = 1;
  std::size_t too_long = bank.longest() + 1;
  // An eighth more or less is nothing that an estimate could tell, and each step copies the taps.
  while (too_long - fits > 1 && too_long - fits > fits / 8) {
    const std::size_t taps = fits + (too_long - fits) / 2;
    const double load = load_of(config, bank.cut(0, taps), routing, abilities, threads);
    (load <= most_load ? fits : too_long) = taps;
  }
  return fits;
}

}  // namespace firbank
