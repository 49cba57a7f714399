// CapacityProbe: how many filters one stream can have before its blocks come too late.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace firbank::program {

struct CapacityConfig {
  std::string backend;
  std::size_t block_frames = 64;
  std::size_t taps = 9'600;  // of each filter
  std::size_t threads = 1;
  std::size_t most_filters = 4'096;
  double sample_rate_hz = 48'000;
  double seconds = 0.5;  // of blocks a step
};

/// One number of filters, each of noise on the one input, with an output of its own.
struct CapacityStep {
  std::size_t filters = 0;
  std::size_t blocks = 0;
  // Computing time of a block: the processor's on one thread of a CPU, so that what other programs
  // take is left out; by the clock with more threads, and with a GPU.
  double mean_us = 0;
  double p99_us = 0;
  double clock_p99_us = 0;  // in any case
  double deadline_us = 0;
  bool in_time = false;  // p99 within the deadline
};

/// Computes blocks one after the other, after as many as fill the filters. Throws: Error,
/// std::bad_alloc.
CapacityStep measure_step(const CapacityConfig& config, std::size_t filters);

/// The steps of the search in turn: twice as many filters until a step is late, then between the
/// two, until they are within a sixteenth. `told` hears of each; `stopped` ends the search.
std::vector<CapacityStep> find_capacity(const CapacityConfig& config,
                                        const std::function<void(const CapacityStep&)>& told,
                                        const std::function<bool()>& stopped);

/// The most filters of a step that was in time; 0 when none was.
std::size_t capacity_of(const std::vector<CapacityStep>& steps);

}  // namespace firbank::program
