// PartitionPlan: how the taps of a bank are cut for the transforms, and what that costs.
//
// A plan is either direct (no transform; output = sum of tap x sample) or uniform partitions. A
// partition is as long as a block of the stream, and blocks are whole numbers of calls or calls
// whole numbers of blocks, so that each call costs the same at any nominal size. `choose` picks the
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
  std::size_t partition_frames = 0;  // taps a partition, frames a block; 0 when direct
  std::size_t transform_frames = 0;  // a power of two, at least two partitions; 0 when direct
  std::size_t partitions = 0;        // of the longest response (filter and delay); 0 when direct
  std::size_t piece_frames = 0;      // most frames that are computed at once
  std::size_t max_taps = 0;          // longest filter that fits
  std::size_t max_response = 0;      // max_taps plus the routing's longest delay
  std::size_t latency_frames = 0;    // output frame n holds input frame n - latency

  std::size_t forward_transforms = 0;  // a call: one an input and piece
  std::size_t inverse_transforms = 0;  // a call: one an output and piece
  double flops_per_frame = 0;          // estimated, all inputs, edges and outputs together
  std::size_t memory_samples = 0;      // estimated spectra, delay lines and history

  /// Without `direct_form` even the shortest filters are transformed.
  /// Throws: Error when block_frames, max_frames or max_taps is out of its range, or a filter of
  /// the bank is longer than max_taps.
  static PartitionPlan choose(const EngineConfig& config, const FilterBank& bank,
                              const Routing& routing, bool direct_form = true);

  /// Frames of an input that a level reads at a time, contiguous.
  std::size_t history_window() const noexcept;
  /// Frames of an input that are kept: the longest response and what is in flight.
  std::size_t history_frames() const noexcept;

  /// One line, such as "uniform: 188 partitions of 256 taps, transforms of 512".
  std::string describe() const;
};

}  // namespace firbank
