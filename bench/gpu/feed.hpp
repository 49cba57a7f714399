// Feed: the planes that a case's stream is read from and written to, block by block.
//
// A period of the samples is kept, and a block more, so that every block is contiguous. Blocks that
// are under way at the same time have outputs of their own.
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
  explicit Feed(const Case& which, std::size_t under_way = 1)
      : case_(which),
        stride_(case_.signal_period() + case_.block_frames),
        samples_(case_.inputs * stride_),
        answers_(under_way * case_.outputs * case_.block_frames),
        in_(case_.inputs),
        out_(under_way * case_.outputs) {
    for (std::size_t i = 0; i < case_.inputs; ++i) {
      for (std::size_t n = 0; n < stride_; ++n) {
        samples_[i * stride_ + n] = sample_of(case_, i, n);
      }
    }
    for (std::size_t o = 0; o < out_.size(); ++o) {
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
  float* const* out(std::size_t which = 0) { return out_.data() + which * case_.outputs; }

  /// Fills the outputs of a block with NaN, so that what is not written shows.
  void poison(std::size_t which = 0) {
    std::fill_n(out(which)[0], block_samples(), std::numeric_limits<float>::quiet_NaN());
  }

  /// Whether every output frame of a block has been written, with a finite number.
  bool complete(std::size_t which = 0) {
    const float* const first = out(which)[0];
    return std::all_of(first, first + block_samples(), [](float x) { return std::isfinite(x); });
  }

  std::vector<const float*> planes(const std::vector<std::size_t>& outputs,
                                   std::size_t which = 0) const {
    std::vector<const float*> planes;
    for (const std::size_t output : outputs) planes.push_back(out_[which * case_.outputs + output]);
    return planes;
  }

 private:
  std::size_t block_samples() const { return case_.outputs * case_.block_frames; }

  Case case_;
  std::size_t stride_;
  std::vector<float> samples_;
  std::vector<float> answers_;
  std::vector<const float*> in_;
  std::vector<float*> out_;
};

}  // namespace firbank::bench
