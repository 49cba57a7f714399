#include "engine/hybrid_split.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "engine/planner.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

constexpr std::size_t kHybridDepth = 2;  // blocks of slack, unless told otherwise

}  // namespace

std::size_t slack_blocks(const EngineConfig& config) noexcept {
  return config.depth_blocks == 0 ? kHybridDepth : config.depth_blocks;
}

std::size_t head_taps(const EngineConfig& config) noexcept {
  return is_hybrid(config) ? (slack_blocks(config) + 1) * config.block_frames : 0;
}

std::size_t longest_taps(const EngineConfig& config, const FilterBank& bank) noexcept {
  return config.max_taps == 0 ? bank.longest() : config.max_taps;
}

void check_gpu_mode(const EngineConfig& config, const Backend& backend) {
  const bool hybrid = is_hybrid(config);
  const auto refuse = [hybrid](const std::string& where, const char* allowed) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("gpu_mode is {}; allowed {}: {}", hybrid ? "hybrid" : "throughput",
                            where, allowed));
  };
  if (config.gpu_mode != GpuMode::kWhole && !backend.can_be_lost()) {
    refuse(fmt::format("with backend '{}'", backend.name()), "whole");
  }
  if (hybrid && config.goal == PlanGoal::kOffline) {
    refuse("with the offline goal", "whole, throughput");
  }
}

EnginePart head_part(const EngineConfig& config, const FilterBank& bank) {
  EngineConfig head = config;
  head.backend = "auto";
  head.depth_blocks = 0;
  head.max_taps = std::min(longest_taps(config, bank), head_taps(config));
  head.partition_frames.clear();
  head.memory_limit_bytes = 0;
  return {head, bank.cut(0, head_taps(config))};
}

EnginePart device_part(const EngineConfig& config, const FilterBank& bank) {
  if (!is_hybrid(config)) return {config, bank};
  EngineConfig tail = config;
  tail.depth_blocks = slack_blocks(config) + kLateBlocks;
  tail.max_frames = config.block_frames;
  const std::size_t head = head_taps(config);
  tail.max_taps = std::max(longest_taps(config, bank), head + 1) - head;
  return {tail, bank.cut(head, SIZE_MAX)};
}

PartitionPlan plan_of(const EnginePart& part, const Routing& routing, const Backend& backend,
                      std::size_t sample_bytes) {
  PartitionPlan plan =
      choose_plan(part.config, part.bank, routing, abilities_of(backend, sample_bytes));
  if (is_hybrid(part.config)) plan.latency_frames = 0;
  return plan;
}

}  // namespace firbank
