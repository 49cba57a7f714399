// PartitionPlan: how the taps of a bank are cut for the transforms, and what that costs.
//
// A plan is either direct (no transform; output = sum of tap x sample) or uniform partitions of
// `block_frames` taps, each worth one real transform of twice that size. `choose` picks the
// cheapest by counting operations; nothing in a plan depends on a backend.
#pragma once

#include <cstddef>
#include <string>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank {

enum class PlanKind { kDirect, kUniform };

struct PartitionPlan {
  PlanKind kind = PlanKind::kUniform;
  std::size_t call_frames = 0;       // nominal frames a call
  std::size_t partition_frames = 0;  // taps a partition, a power of two; 0 when direct
  std::size_t partitions = 0;        // of the longest response (filter and delay); 0 when direct
  std::size_t piece_frames = 0;      // most frames that are computed at once
  std::size_t max_taps = 0;          // longest filter that fits
  std::size_t max_response = 0;      // max_taps plus the routing's longest delay
  std::size_t latency_frames = 0;    // output frame n holds input frame n - latency

  std::size_t forward_transforms = 0;  // a call: one an input and piece
  std::size_t inverse_transforms = 0;  // a call: one an output and piece
  double flops_per_frame = 0;          // estimated, all inputs, edges and outputs together
  std::size_t memory_bytes = 0;        // estimated spectra, delay lines and history, in float

  /// Throws: Error when block_frames, max_frames or max_taps is out of its range, or a filter of
  /// the bank is longer than max_taps.
  static PartitionPlan choose(const EngineConfig& config, const FilterBank& bank,
                              const Routing& routing);

  /// One line, such as "uniform: 188 partitions of 256 taps, transforms of 512".
  std::string describe() const;
};

}  // namespace firbank
