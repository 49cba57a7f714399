// Oracle: a few outputs of a workload by direct convolution in double precision, over a few
// stretches of frames: the very first ones, those where the longest filter ends, and later ones.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/routing.hpp"

namespace peers {

/// Largest relative L2 error of a peer that computes in single precision.
constexpr double kLargestError = 5e-6;

struct Stretch {
  std::size_t first_frame = 0;
  std::size_t frames = 0;
};

class Oracle {
 public:
  /// `inputs` holds the noise streams 0, 1, ... from frame 0 to `input_frames`, silence after that.
  /// Frames before `last_frame` are checked.
  Oracle(const firbank::Routing& routing, const std::vector<std::vector<float>>& filters,
         std::size_t input_frames, std::size_t last_frame);

  const std::vector<std::size_t>& outputs() const { return outputs_; }
  const std::vector<Stretch>& stretches() const { return stretches_; }

  /// A measurement of one peer: hand in all that it puts out, then ask for the error.
  class Check {
   public:
    explicit Check(const Oracle& oracle) : oracle_(oracle) {}
    /// `planes` hold frames `first_frame` to `first_frame + frames` of every output.
    void add(const float* const* planes, std::size_t first_frame, std::size_t frames);
    /// Relative L2 error over all that is checked; infinite when some of it has not come.
    double error() const;

   private:
    const Oracle& oracle_;
    double difference_ = 0, power_ = 0;
    std::size_t seen_ = 0;
  };

 private:
  std::vector<std::size_t> outputs_;
  std::vector<Stretch> stretches_;
  std::vector<std::vector<double>> expected_;  // [output x stretch]
};

}  // namespace peers
