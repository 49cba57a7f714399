// What a call of a plan has to read on a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "engine/routing.hpp"
#include "kernels/cuda/call_bytes.hpp"

namespace firbank::test {

/// `taps` are those of each filter that the routing names.
inline cuda::CallBytes bytes_of(const PartitionPlan& plan, const Routing& routing,
                                const std::vector<std::size_t>& taps,
                                std::uint32_t multiprocessors) {
  std::vector<cuda::LevelExtent> levels;
  for (const LevelPlan& level : plan.levels) {
    levels.push_back({level.bins(), level.block_frames, level.partition_taps, level.first_tap,
                      level.partitions});
  }
  const ResponseTable responses(routing);
  cuda::BankExtent bank{.taps = {}, .terms = responses.terms(), .compact = plan.compact_spectra};
  for (const Response& response : responses.responses()) {
    bank.taps.push_back({response.delay, response.delay + taps[response.filter]});
  }
  return plan.kind == PlanKind::kDirect
             ? cuda::direct_call_bytes(plan.piece_frames, plan.call_frames, bank, multiprocessors)
             : cuda::call_bytes(levels, plan.call_frames, bank, multiprocessors);
}

}  // namespace firbank::test
