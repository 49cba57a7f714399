// One-FFT overlap-save on FFTW over whole channels: all taps in one transform, large steps.
#pragma once

#include <cstddef>
#include <vector>

#include "bench/peers/fftw.hpp"
#include "bench/peers/planes.hpp"

namespace peers {

class FftwOffline {
 public:
  /// Plans for the fastest of a few transform sizes, found by a trial.
  explicit FftwOffline(std::size_t longest_taps);

  std::size_t transform_frames() const { return size_; }

  /// Filter c on channel c; as many frames come out as go in. Transforms the filters each time.
  void filter(const Planes& in, const std::vector<std::vector<float>>& filters, const Planes& out);

 private:
  void plan(std::size_t size, std::size_t longest_taps);

  std::size_t size_ = 0;
  std::size_t overlap_ = 0;  // a multiple of 16, so that all blocks are aligned like the plane
  std::unique_ptr<FftwPair> transforms_;
  FftwFloats time_, spectrum_, response_;
};

}  // namespace peers
