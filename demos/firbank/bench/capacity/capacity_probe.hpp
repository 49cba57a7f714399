// CapacityProbe: how large a stream can be before its blocks come too late.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

/// A stream of one size, and what was measured of its blocks.
struct CapacityStep {
  std::size_t value = 0;  // of what is varied
  std::size_t blocks = 0;
  // Work of a block: the processor's time on one thread of a CPU, so that what other programs take
  // is left out; by the clock with more threads, and with a GPU.
  double mean_us = 0;
  double p99_us = 0;
  double clock_p99_us = 0;  // in any case
  double deadline_us = 0;
  double limit_share = 1;  // of the deadline, that p99 may take
  bool in_time = false;    // it does
  double spread =
      0;  // of p99 where it was measured three times: the largest over the least, less 1
};

struct CapacityLimit {
  double seconds = 1;  // of blocks a step; at least kLeastBlocks, at most kMostBlocks of them
  double deadline_share = 1;                        // that p99 may take, above 0
  static constexpr std::size_t kLeastBlocks = 334;  // three times as many near the limit
  static constexpr std::size_t kMostBlocks = 2'000;
};

/// One step, after as many blocks as fill the filters. Where the processor's time counts, blocks
/// follow one another; else they come at the pace of the stream, which is given up when it is a
/// second behind. `stopped` ends it before its time.
/// Throws: Error, std::bad_alloc.
CapacityStep measure_step(const EngineConfig& config, const FilterBank& bank,
                          const Routing& routing, const CapacityLimit& limit,
                          const std::function<bool()>& stopped);

struct CapacitySearch {
  std::size_t least = 1;  // value that is tried first
  std::size_t most = 4'096;
  std::function<CapacityStep(std::size_t value)> measure;
  std::function<void(const CapacityStep&)> told;
  std::function<bool()> stopped;
};

/// The steps of the search in turn: twice the value until a step is late, then between the two,
/// until they are within a 32nd. A step that is not far from the limit is measured three times, and
/// its middle p99 counts.
std::vector<CapacityStep> find_capacity(const CapacitySearch& search);

/// The largest value of a step that was in time, below all that were late; 0 when none was.
std::size_t capacity_of(const std::vector<CapacityStep>& steps);

}  // namespace firbank::program
