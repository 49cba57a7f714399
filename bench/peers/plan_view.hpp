// What a plan says about the work that firbank must do: the levels' sizes, the cycle after which
// calls cost the same again, and the floor below which no implementation of this plan can go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include "bench/peers/machine_floor.hpp"
#include "bench/peers/peer.hpp"
#include "engine/partition_plan.hpp"

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

/// Calls of `block_frames` after which the plan's work repeats. Twice the longest partition, as a
/// level may take two partitions in one sweep.
inline std::size_t cycle_calls(const firbank::PartitionPlan& plan, std::size_t block_frames) {
  std::size_t cycle = block_frames;
  for (const LevelView& level : levels_of(plan)) {
    cycle = std::lcm(cycle, 2 * level.block_frames);
  }
  return cycle / block_frames;
}

/// Taps that the plan covers: the filter's, to whole partitions.
inline std::size_t padded_taps(const firbank::PartitionPlan& plan, std::size_t taps) {
  std::size_t covered = 0;
  for (const LevelView& level : levels_of(plan)) covered += level.taps;
  return std::max(covered, taps);
}

/// The shares of a second of stream that the plan must take on this machine.
struct Floor {
  double bytes_per_second = 0;  // read: spectra of filters and inputs once a partition; the blocks
  double read_seconds = 0;      // those, each level at the bandwidth of what it goes through
  double flops_per_second = 0;
  double flop_seconds = 0;
};

inline Floor floor_of(const firbank::PartitionPlan& plan, const Setting& setting,
                      double sample_rate_hz, std::size_t call_frames, const MachineFloor& machine) {
  const auto inputs = static_cast<double>(setting.routing.inputs());
  const auto outputs = static_cast<double>(setting.routing.outputs());
  const auto filters = static_cast<double>(setting.filters.size());
  Floor floor;
  double reach = 0;  // bytes gone through between two readings of a level: it and all before it
  const auto add = [&](double bytes, double every_frames) {
    reach += bytes;
    const double rate = bytes * sample_rate_hz / every_frames;
    floor.bytes_per_second += rate;
    floor.read_seconds += rate / machine.read_bytes_per_second(reach);
  };
  const auto call = static_cast<double>(call_frames);
  add((inputs + outputs) * call * sizeof(float), call);
  const std::vector<LevelView> levels = levels_of(plan);
  for (const LevelView& level : levels) {
    add((filters + inputs) *
            static_cast<double>(level.partitions * level.transform_frames * sizeof(float)),
        static_cast<double>(level.block_frames));
  }
  if (levels.empty()) {
    double taps = 0;
    for (const auto& filter : setting.filters) taps += static_cast<double>(filter.size());
    add((taps + inputs * static_cast<double>(setting.taps)) * sizeof(float), call);
  }
  floor.flops_per_second = plan.flops_per_frame * sample_rate_hz;
  floor.flop_seconds = floor.flops_per_second / machine.peak_flops;
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
