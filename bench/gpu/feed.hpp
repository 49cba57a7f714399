// Feed: the planes that a case's stream is read from and written to, block by block.
//
// A period of the samples is kept, and a block more, so that every block is contiguous.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "bench/gpu/cases.hpp"

namespace firbank::bench {

class Feed {
 public:
  explicit Feed(const Case& which)
      : case_(which),
        stride_(case_.signal_period() + case_.block_frames),
        samples_(case_.inputs * stride_),
        answers_(case_.outputs * case_.block_frames),
        in_(case_.inputs),
        out_(case_.outputs) {
    for (std::size_t i = 0; i < case_.inputs; ++i) {
      for (std::size_t n = 0; n < stride_; ++n) {
        samples_[i * stride_ + n] = sample_of(case_, i, n);
      }
    }
    for (std::size_t o = 0; o < case_.outputs; ++o) {
      out_[o] = answers_.data() + o * case_.block_frames;
    }
  }

  /// Makes in() the block that begins at stream frame `first`.
  void aim(std::size_t first) {
    const std::size_t frame = first % case_.signal_period();
    for (std::size_t i = 0; i < case_.inputs; ++i) {
      in_[i] = samples_.data() + i * stride_ + frame;
    }
  }

  const float* const* in() const { return in_.data(); }
  float* const* out() { return out_.data(); }

  /// Fills the outputs with NaN, so that what is not written shows.
  void poison() {
    std::fill(answers_.begin(), answers_.end(), std::numeric_limits<float>::quiet_NaN());
  }

  /// Whether every output frame has been written, with a finite number.
  bool complete() const {
    return std::all_of(answers_.begin(), answers_.end(), [](float x) { return std::isfinite(x); });
  }

  std::vector<const float*> planes(const std::vector<std::size_t>& outputs) const {
    std::vector<const float*> planes;
    for (const std::size_t output : outputs) planes.push_back(out_[output]);
    return planes;
  }

 private:
  Case case_;
  std::size_t stride_;
  std::vector<float> samples_;
  std::vector<float> answers_;
  std::vector<const float*> in_;
  std::vector<float*> out_;
};

}  // namespace firbank::bench
