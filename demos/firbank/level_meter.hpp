// LevelMeter: the peak of a signal, and the frames in which a sample is not finite.
//
// Thread: one at a time.
#pragma once

#include <cstdint>

#include "io/block.hpp"

namespace firbank::program {

class LevelMeter {
 public:
  template <class Sample>
  void add(const BasicBlock<const Sample>& block);

  double peak() const noexcept { return peak_; }  // of the finite samples
  std::int64_t spoiled_frames() const noexcept { return spoiled_frames_; }
  std::int64_t first_spoiled_frame() const noexcept { return first_spoiled_frame_; }  // or -1

 private:
  double peak_ = 0;
  std::int64_t spoiled_frames_ = 0;
  std::int64_t first_spoiled_frame_ = -1;
};

}  // namespace firbank::program
