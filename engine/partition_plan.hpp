// PartitionPlan: how the taps of a bank are cut for the transforms, and what that costs.
//
// A plan is either direct (no transform; output = sum of tap x sample) or a list of levels. Level 0
// answers in the call in which its input arrives; each later one has longer partitions, begins
// where the one before ends, and is computed in slices between the arrival of a block and the frame
// at which its answer is due. Nothing in a plan depends on how a backend computes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace firbank {

enum class PlanKind { kDirect, kPartitioned };

/// Partitions of one size. Blocks of level 0 are whole numbers of calls, or calls whole numbers of
/// its blocks, so that each call costs the same at any nominal size; blocks of the others are whole
/// numbers of level 0's.
struct LevelPlan {
  std::size_t block_frames = 0;      // S: frames from one answer to the next
  std::size_t transform_frames = 0;  // 2 M, a power of two
  std::size_t partition_taps = 0;    // S times partition_blocks; a single one: up to 2 M - S + 1
  std::size_t partition_blocks = 1;  // from one partition to the next; later levels: 1
  std::size_t partitions = 0;        // of the longest response
  std::size_t first_tap = 0;         // D: a block's answer is due D frames after the block's start
  double forward_ns = 0;             // estimated: of one input and block
  double product_ns = 0;             // of one bin of one partition
  double pair_ns = 0;                // the same for two successive blocks at once
  bool pairs = false;                // level 0: whether two blocks are summed at once
  double inverse_ns = 0;             // of one output and block
  double forward_share = 0;          // of a later level's work: what its forward transforms are

  std::size_t bins() const noexcept { return transform_frames / 2; }
  std::size_t end_tap() const noexcept { return first_tap + partitions * partition_taps; }
  /// Blocks whose spectra the partitions meet at a time.
  std::size_t blocks_met() const noexcept { return (partitions - 1) * partition_blocks + 1; }
  /// Frames of a window before the block: M, and zeros behind it; or all but the block, where a
  /// partition is not as long as a block.
  std::size_t lead_frames() const noexcept {
    return partition_taps == block_frames ? bins() : transform_frames - block_frames;
  }
};

struct PartitionPlan {
  PlanKind kind = PlanKind::kPartitioned;
  std::size_t call_frames = 0;     // nominal frames a call
  std::vector<LevelPlan> levels;   // none when direct
  std::size_t piece_frames = 0;    // most frames that are computed at once
  std::size_t max_taps = 0;        // longest filter that fits
  std::size_t max_response = 0;    // max_taps plus the routing's longest delay
  std::size_t latency_frames = 0;  // output frame n holds input frame n - latency

  bool compact_spectra = false;  // of responses: EngineConfig::spectra
  bool by_copies = false;        // samples come to a device and go: GpuMode::kThroughput

  // Estimates, of all inputs, edges and outputs together.
  // With construction and tail, where EngineConfig::expected_frames is known.
  double ns_per_frame = 0;
  double flops_per_frame = 0;
  double worst_over_mean = 1;      // of calls of the nominal size
  std::size_t memory_samples = 0;  // spectra, sums, tables, history, and what threads work in

  /// Frames of an input that a level reads at a time, contiguous.
  std::size_t history_window() const noexcept;
  /// Frames of an input that are kept: what the levels still read.
  std::size_t history_frames() const noexcept;

  /// Most frames at a time while two banks are heard: the outputs of the second one are kept beside
  /// those of the first.
  std::size_t fading_frames() const noexcept;

  /// Frames ahead of its first frame from which on a bank has to be known for its part to be
  /// computed in fair shares. Until it is heard, and while it fades in, calls cost up to as much as
  /// both banks' work: two to three times the usual.
  std::size_t swap_lead_frames() const noexcept;

  /// Frames, a whole number of nominal calls, after which calls cost the same again: two of the
  /// longest blocks, of which one may be summed with the other.
  std::size_t cycle_frames() const noexcept;

  /// One line, such as "uniform: 188 partitions of 256 taps, transforms of 512" or "non-uniform:
  /// 15 partitions of 64 taps, 14 of 512, 14 of 4096, 13 of 32768".
  std::string describe() const;
};

}  // namespace firbank
