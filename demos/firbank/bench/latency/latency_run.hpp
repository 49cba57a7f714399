// LatencyRun: a paced stream in segments, in turn with segments in which nothing is done, so that
// what the machine does by itself is measured at the same time and in the same way.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "demos/firbank/bench/latency/block_times.hpp"
#include "demos/firbank/bench/latency/paced_loop.hpp"

namespace firbank::program {

struct LatencyPlan {
  Pace pace;
  std::size_t segments = 10;           // of each kind
  std::size_t blocks_per_segment = 0;  // that are counted
  std::size_t warm_up_blocks = 16;     // at the beginning of each segment, not counted
  bool with_empty = true;
  bool unpaced = false;  // blocks follow one another, and there is no empty loop
};

struct LatencySegment {
  bool empty = false;
  std::size_t first = 0;  // of the blocks of its kind
  std::size_t blocks = 0;
};

struct LatencyRun {
  std::vector<BlockTimes> engine;
  std::vector<BlockTimes> empty;
  std::vector<LatencySegment> segments;  // in the order of time
  // What the readings of a block's counters cost by themselves; taken off every cpu_ns.
  std::uint64_t instrument_cpu_ns = 0;
  bool overloaded = false;        // the stream was not sustained
  bool empty_overloaded = false;  // nor was nothing
  bool stopped = false;
};

/// Bytes that the times of a run take.
std::size_t bytes_of(const LatencyPlan& plan);

/// `told` hears, before each segment, how many were done; `stopped` ends the run.
LatencyRun run_latency(const LatencyPlan& plan, PacedWork& work,
                       const std::function<void(std::size_t)>& told,
                       const std::function<bool()>& stopped);

}  // namespace firbank::program
