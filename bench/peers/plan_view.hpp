// What a plan says about the work that firbank must do: the levels' sizes, the floor below which no
// implementation of this plan can go, and how much memory it may take.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/peers/firbank_peer.hpp"
#include "bench/peers/machine_floor.hpp"
#include "bench/peers/peer.hpp"
#include "engine/partition_plan.hpp"
#include "engine/plan_floor.hpp"

namespace peers {

struct LevelView {
  std::size_t block_frames = 0;      // from one transform to the next
  std::size_t transform_frames = 0;  // floats of a partition's spectrum
  std::size_t partitions = 0;
  std::size_t taps = 0;  // that all partitions together cover
};

/// The transformed levels, shortest first; none when the plan is direct.
inline std::vector<LevelView> levels_of(const firbank::PartitionPlan& plan) {
  std::vector<LevelView> levels;
  for (const firbank::LevelPlan& level : plan.levels) {
    levels.push_back({level.block_frames, level.transform_frames, level.partitions,
                      level.end_tap() - level.first_tap});
  }
  return levels;
}

/// Taps that the plan covers: the filter's, to whole partitions.
inline std::size_t padded_taps(const firbank::PartitionPlan& plan, std::size_t taps) {
  std::size_t covered = 0;
  for (const LevelView& level : levels_of(plan)) covered += level.taps;
  return std::max(covered, taps);
}

/// The shares of a second of stream that the plan must take on one core of this machine.
struct Floor {
  double bytes_per_second = 0;  // firbank::PlanFloor
  double read_seconds = 0;
  double flops_per_second = 0;
  double flop_seconds = 0;
};

inline Floor floor_of(const firbank::PartitionPlan& plan, const Setting& setting,
                      double sample_rate_hz, const MachineFloor& machine) {
  const firbank::EngineConfig config;
  const firbank::FilterBank bank = bank_of(setting.filters);
  const firbank::PlanFloor of_frame = firbank::plan_floor(
      plan, firbank::PlanDemand(config, bank, setting.routing), true, sizeof(float));
  Floor floor;
  floor.bytes_per_second = of_frame.bytes_per_frame() * sample_rate_hz;
  floor.read_seconds = of_frame.read_seconds_per_frame(machine.one) * sample_rate_hz;
  floor.flops_per_second = of_frame.flops_per_frame * sample_rate_hz;
  floor.flop_seconds = of_frame.flop_seconds_per_frame(machine.one) * sample_rate_hz;
  return floor;
}

/// Bytes that an engine may take: 1.2 times the spectra of its filters and of its inputs.
inline double memory_limit(const firbank::PartitionPlan& plan, const Setting& setting) {
  double samples = static_cast<double>(setting.routing.inputs() * padded_taps(plan, setting.taps));
  for (const auto& filter : setting.filters) {
    // A filter is padded to whole partitions of the last level that it reaches.
    std::size_t left = filter.size();
    for (const LevelView& level : levels_of(plan)) {
      const std::size_t partition = level.taps / level.partitions;
      const std::size_t taps = std::min(level.taps, (left + partition - 1) / partition * partition);
      samples += static_cast<double>(taps);
      left -= std::min(left, taps);
    }
    samples += static_cast<double>(left);
  }
  return 1.2 * 8 * samples;
}

}  // namespace peers
