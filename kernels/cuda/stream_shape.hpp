// StreamShape: what the pieces of a stream bring to a device and take home.
#pragma once

#include <cstddef>

#include "kernels/worker_pool.hpp"

namespace firbank::cuda {

struct StreamShape {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t bins = 0;           // M of the first level's windows; 0 where a piece has no window
  std::size_t fresh_frames = 0;   // most fresh samples of an input
  std::size_t frames = 0;         // most frames of an output
  std::size_t pieces = 1;         // most that are submitted and not yet collected
  bool copies = false;            // as LevelShape has it
  WorkerPool* copiers = nullptr;  // likewise
};

}  // namespace firbank::cuda
