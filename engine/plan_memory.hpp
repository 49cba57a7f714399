// How much memory a plan takes: of the host where a CPU computes, of the device where one does.
//
// Thread: any; set-up only.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/config.hpp"
#include "engine/partition_plan.hpp"
#include "engine/plan_demand.hpp"

namespace firbank {

/// Of a response's size, in 16 bits a value and with its scales.
inline constexpr double kCompactShare = 0.5625;

/// Pieces that are submitted and not yet collected, at most.
std::size_t pieces_under_way(const PartitionPlan& plan, const EngineConfig& config);

/// Whether a device does all of a piece in one kernel: a single partition whose transform one
/// thread block holds, and no output with more than one edge.
bool is_fused(const PartitionPlan& plan, const PlanDemand& demand);

/// Samples of the slots through which inputs and answers pass on their way to a device and home: of
/// pinned memory, and with by_copies as many of the device's.
double staged_samples(const PartitionPlan& plan, const EngineConfig& config, double inputs,
                      double outputs);

/// Samples of a level's responses and delay lines.
double spectrum_samples(const LevelPlan& level, const PlanDemand& demand,
                        const PlanDemand::Partitions& partitions, bool compact);

/// What is read of all levels' spectra, which take `bytes`, from one reading of level k's to the
/// next: of shorter blocks all, of longer ones what their slices read meanwhile.
double bytes_between_readings(const std::vector<LevelPlan>& levels,
                              const std::vector<double>& bytes, std::size_t k);

/// Samples of all that an engine of this plan allocates where it computes: spectra, sums, tables,
/// input, and on a CPU what its threads work in. `partitions` are those of each level. On a device
/// it allocates no more, and hardly less on one of 256 multiprocessors: a smaller one is content
/// with fewer shares of sums.
double memory_samples(const PartitionPlan& plan, const PlanDemand& demand,
                      const std::vector<PlanDemand::Partitions>& partitions, bool on_device);

}  // namespace firbank
