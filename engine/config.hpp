// EngineConfig: everything an Engine is told at construction, besides its filters and routing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/cost_model.hpp"

namespace firbank {

/// What Engine::push does with frames that are missing before a block.
enum class GapPolicy {
  kZero,   // the missing frames are zero
  kHold,   // the missing frames repeat each channel's last sample
  kReset,  // the history is forgotten; the missing frames have no output
  kNan,    // they are NaN: every output frame that hears one is NaN, and counted as spoiled
};

/// What the plan is made for.
enum class PlanGoal {
  kLive,     // no added latency, calls of `block_frames`
  kOffline,  // fewest operations; `block_frames` is ignored and the plan proposes the call size
};

/// How the spectra of the filters are kept.
enum class Spectra {
  kFull,   // in the precision of the arithmetic
  kInt16,  // block floating point of 16 bits: 9/16 of the memory, and an error of -90 dB
};

/// What a GPU computes, and how samples come to it.
enum class GpuMode {
  kWhole,       // every filter as a whole, each block as soon as it can be
  kHybrid,      // the tail of every filter, while the CPU computes its head
  kThroughput,  // every filter as a whole, as many blocks as can be: for files
};

/// What becomes of a frame for which a GPU's tail is not there in time.
enum class LateTail {
  kLeaveOut,  // it has the head alone, and is counted: Stats::late_frames
  kWait,      // it waits: for streams that are not paced by a clock
};

/// What becomes of a paced stream when the CPU takes the place of a lost GPU and is too slow for
/// it.
enum class Overload {
  kCarryOn,   // nothing: blocks come late; for streams that are not paced by a clock
  kTruncate,  // filters are cut to the taps that the CPU is estimated to carry
  kDrop,      // blocks are left out, silent, while it is behind by more than the rings hold
  kFail,      // it does not go on: silence from there on; in the hybrid mode, the heads alone
};

/// What becomes of the first output frames of a stream, the longest response less 1, in which the
/// filters hear the silence before it.
enum class StartTransient {
  kKeep,  // nothing
  kZero,  // they are silent; those of start/push/pull are marked as well
  kMark,  // those of start/push/pull carry BlockFlags::kTransient
};

struct EngineConfig {
  /// Frames a second, above 0. What is computed does not depend on it; with `on_overload` it tells
  /// how much time there is.
  double sample_rate_hz = 48'000.0;

  /// Nominal frames a call, 1 to 65,536. The plan is made for it; any other call size is correct.
  std::size_t block_frames = 256;

  /// Most frames a call may bring; 0 means max(block_frames, the plan's proposed call).
  std::size_t max_frames = 0;

  /// Longest filter a swap may bring, in taps; 0 means the longest of the first bank. Where it is
  /// given, the plan is made for filters of this length, and the delay line and the history have
  /// room for them.
  std::size_t max_taps = 0;

  /// Threads that compute, the caller's included, 1 to 64. More than one costs a wake per block. A
  /// GPU's share among them what the host does with every sample: checks, and copies to where the
  /// device takes it and from where it puts answers. kThroughput wants several (copy_threads.hpp);
  /// with kWhole they help where blocks have more than 64 KiB, and less is left to the caller; with
  /// kHybrid they compute the heads.
  std::size_t threads = 1;

  /// Blocks that start/push/pull keep under way, 0 to 64: a block leaves when `depth_blocks` more
  /// have come, so that a device may compute while the next ones arrive. Adds as many blocks of
  /// latency; 0 adds none. submit() and collect() may do the same; process() answers at once.
  std::size_t depth_blocks = 0;

  /// kHybrid needs a GPU and PlanGoal::kLive. The CPU then computes the first (S + 1) block_frames
  /// taps of every filter, S being depth_blocks, or 2 where that is 0; the GPU has S blocks' time
  /// for the others, and partition_frames are of these. Nothing is added to the latency, answers
  /// are there at once. A swap goes live no sooner than S + 9 blocks ahead. While two banks are
  /// heard, and where the GPU is more than 8 blocks late, calls wait for it.
  ///
  /// kThroughput needs a GPU: while it computes one block, copies bring the next one and take the
  /// last one home; depth_blocks of 2 or more, or as many calls submitted ahead, keep all three
  /// busy. A block by itself takes longer than with kWhole.
  GpuMode gpu_mode = GpuMode::kWhole;
  LateTail late_tail = LateTail::kLeaveOut;

  /// "auto" (the best CPU backend here), "cuda" or "cuda:N" (GPU N), or another name that
  /// list_backends() (kernels/backends.hpp) knows, such as "cpu-avx2".
  std::string backend = "auto";

  /// Whether the CPU goes on where a device is lost in mid-stream, without a frame lost or
  /// repeated. Until then host memory holds what it would need: the filters, and a copy of the
  /// input for the length of the longest of them and of depth_blocks + 1 calls. If false, what a
  /// lost device owes is silence.
  bool fail_over = true;

  /// Of a CPU that goes on, with PlanGoal::kLive. What is cut is counted in
  /// Stats::truncated_frames, what is left out or not gone on with in Stats::lost_frames. By
  /// estimates, and by the time that calls take, against sample_rate_hz: for streams that a clock
  /// paces.
  Overload on_overload = Overload::kCarryOn;

  /// kInt16 needs a float engine and a backend that has it: all have. Filters that the plan leaves
  /// in the direct form stay exact.
  Spectra spectra = Spectra::kFull;

  PlanGoal goal = PlanGoal::kLive;

  /// Offline: input frames that are expected, so that a short signal is not given a plan which only
  /// a long one repays; 0 means very many. Any number may come.
  std::uint64_t expected_frames = 0;

  /// Most bytes that the plan may take where it computes, host or GPU: spectra, sums, input and
  /// what goes with them, of one bank; PartitionPlan::memory_samples says how many it does. A
  /// second one, while a swap waits or fades, comes on top. 0: no limit but, on a GPU, what was
  /// free when it was opened. Where no plan does with it, an Error names the least that one needs.
  /// In the hybrid mode it bounds the tails, on the GPU, and not the heads, which lie in the host's
  /// memory; a CPU that goes on in a GPU's place is not bound by it.
  std::uint64_t memory_limit_bytes = 0;

  /// What the plan is chosen by: measured on this machine, each 1e-9 to 1e18 ns; or nothing for the
  /// defaults, CostModel{} on a CPU and device_costs() on a GPU.
  std::optional<CostModel> costs = {};

  /// Block sizes of the plan's levels, instead of a choice: 1 to 5, each 1 to 32,768, multiples of
  /// the first and at least twice the one before. Those that the filters are too
  /// short for are left out. More than one costs nothing in latency.
  std::vector<std::size_t> partition_frames = {};

  GapPolicy gap_policy = GapPolicy::kZero;

  /// Longest gap that kZero and kHold fill, in frames; a longer one acts as kReset.
  std::int64_t max_fill_frames = std::int64_t{1} << 20;

  /// Blocks in each of the two rings of start/push/pull, at least 2. Each block adds
  /// `block_frames` frames of slack.
  std::size_t ring_blocks = 8;

  /// Readers of the output ring that may be open at once, 1 to 64; each costs a block of memory.
  std::size_t max_readers = 4;

  /// Of process() and of start/push/pull; not of submit() and collect().
  StartTransient start_transient = StartTransient::kKeep;
};

}  // namespace firbank
