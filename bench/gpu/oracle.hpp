// Oracle: what a few outputs of a case should be, by direct convolution in double precision.
//
// The samples are periodic, so each filter is folded to the length of a period first: then any
// frame of a stream that is older than the filters costs little.
//
// Thread: any.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "bench/gpu/cases.hpp"

namespace firbank::bench {

class Oracle {
 public:
  static constexpr double kTolerance = 1e-6;           // relative, L2
  static constexpr double kCompactTolerance = 3.2e-5;  // with spectra of 16 bits

  explicit Oracle(const Case& which) : case_(which) {
    std::size_t longest = 0;  // an output with the longest filter
    while (case_.taps_of(case_.filter(longest, 0)) != case_.taps) ++longest;
    for (const std::size_t output :
         {std::size_t{0}, case_.outputs / 3, longest, case_.outputs - 1}) {
      if (std::find(outputs_.begin(), outputs_.end(), output) == outputs_.end()) {
        outputs_.push_back(output);
      }
    }
    length_ = std::min(case_.taps, case_.signal_period());
    for (const std::size_t output : outputs_) {
      std::vector<double>& folded = folded_.emplace_back(case_.terms() * length_);
      for (std::size_t t = 0; t < case_.terms(); ++t) {
        const std::size_t filter = case_.filter(output, t);
        const float scale = tap_scale(case_, filter);
        for (std::size_t k = 0; k < case_.taps_of(filter); ++k) {
          folded[t * length_ + k % length_] += tap_of(filter, k, scale);
        }
      }
    }
  }

  /// The outputs that are known.
  const std::vector<std::size_t>& outputs() const { return outputs_; }

  /// Relative L2 error of the block that begins at stream frame `first`, at least as many frames
  /// into the stream as the filters are long. planes[i] is the block of outputs()[i]. What is not
  /// finite makes it infinite.
  double error(const std::vector<const float*>& planes, std::size_t first) const {
    return error(planes, first, {{0, case_.block_frames}});
  }

  /// The same of some of its frames: from, how many.
  double error(const std::vector<const float*>& planes, std::size_t first,
               const std::vector<std::pair<std::size_t, std::size_t>>& stretches) const {
    double wrong = 0;
    double right = 0;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      for (const auto& [from, frames] : stretches) {
        for (std::size_t n = from; n < from + frames; ++n) {
          const double expected = expect(i, first + n);
          const double difference = static_cast<double>(planes[i][n]) - expected;
          wrong += difference * difference;
          right += expected * expected;
        }
      }
    }
    const double error = std::sqrt(wrong / right);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
  }

 private:
  /// Frame `at` of the stream, of outputs()[i].
  double expect(std::size_t i, std::size_t at) const {
    const std::size_t period = case_.signal_period();
    double sum = 0;
    for (std::size_t t = 0; t < case_.terms(); ++t) {
      const std::size_t input = case_.input(outputs_[i], t);
      std::size_t frame = at % period;
      for (std::size_t k = 0; k < length_; ++k) {
        sum += folded_[i][t * length_ + k] * sample_of(case_, input, frame);
        frame = frame == 0 ? period - 1 : frame - 1;
      }
    }
    return sum;
  }

  Case case_;
  std::vector<std::size_t> outputs_;
  std::size_t length_ = 0;                   // of a folded filter
  std::vector<std::vector<double>> folded_;  // of each known output: [term][frame of a period]
};

}  // namespace firbank::bench
