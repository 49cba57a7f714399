// What of an engine's configuration and filters the CPU gets and what a device does: in the hybrid
// mode every filter is cut behind its first D taps, D being whole blocks; in other modes one of
// them has all. HeadAndTail runs what is told here, and a plan can be asked for without it.
//
// Thread: any.
#pragma once

#include <cstddef>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/routing.hpp"
#include "kernels/backend.hpp"

namespace firbank {

/// Blocks that a tail may be late before the device is waited for.
inline constexpr std::size_t kLateBlocks = 8;

struct EnginePart {
  EngineConfig config;
  FilterBank bank;
};

inline bool is_hybrid(const EngineConfig& config) noexcept {
  return config.gpu_mode == GpuMode::kHybrid;
}

/// Blocks between the last frame of a block and the first that is to hear the tail's answer to it.
std::size_t slack_blocks(const EngineConfig& config) noexcept;

/// D: a block arrives whole, and is answered `slack_blocks` later. 0 but in the hybrid mode.
std::size_t head_taps(const EngineConfig& config) noexcept;

/// Taps of the longest filter that there may be.
std::size_t longest_taps(const EngineConfig& config, const FilterBank& bank) noexcept;

/// Throws: Error (kConfiguration) where `backend` does not have the mode that `config` wants.
void check_gpu_mode(const EngineConfig& config, const Backend& backend);

/// Of the CPU, in the hybrid mode.
EnginePart head_part(const EngineConfig& config, const FilterBank& bank);

/// Of the device, in the hybrid mode; in others all, whatever computes it.
EnginePart device_part(const EngineConfig& config, const FilterBank& bank);

/// The plan of a part; neither adds latency in the hybrid mode. Throws: as choose_plan().
PartitionPlan plan_of(const EnginePart& part, const Routing& routing, const Backend& backend,
                      std::size_t sample_bytes);

}  // namespace firbank
