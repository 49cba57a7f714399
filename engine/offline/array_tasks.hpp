// ArrayTasks: the pieces that a job's work is cut into, found by their number: there may be more of
// them than it would be wise to keep.
//
// Thread:   any; immutable after construction.
// Realtime: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/offline/array_job.hpp"
#include "engine/offline/array_plan.hpp"

namespace firbank {

/// Some units, some outputs of each, and the frames of a full convolution that lie in
/// [frames.first, frames.end()).
struct ArrayTask {
  std::size_t first_unit = 0;
  std::size_t last_unit = 0;
  std::size_t batch = 0;  // of outputs
  std::size_t first_output = 0;
  std::size_t last_output = 0;
  ArrayWindow frames;
};

class ArrayTasks {
 public:
  ArrayTasks(const ArrayJob& job, const ArrayPlan& plan);

  std::uint64_t size() const noexcept { return size_; }
  /// Frames of all outputs together.
  std::uint64_t frames() const noexcept { return frames_; }

  /// In an order in which what is made of kernels serves as many tasks in turn as can be.
  ArrayTask at(std::uint64_t index) const noexcept;

 private:
  struct Batch {
    std::size_t first_output = 0;
    std::size_t last_output = 0;
    ArrayWindow window;           // of all its outputs
    std::uint64_t taps = 0;       // of all its outputs
    std::uint64_t stretches = 0;  // of the window
  };

  std::vector<Batch> batches_;
  bool own_kernels_;
  std::size_t units_;
  std::size_t units_at_once_;
  std::uint64_t frames_at_once_;
  std::uint64_t groups_;             // of units
  std::uint64_t stretches_all_ = 0;  // of all batches
  std::uint64_t size_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace firbank
