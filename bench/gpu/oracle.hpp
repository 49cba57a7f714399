// Oracle: what a few outputs of a case should be, by direct convolution in double precision.
//
// The samples are periodic, so each filter is folded to the length of a period first: then any
// block of a stream that is older than the filters costs little.
//
// Thread: any.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "bench/gpu/cases.hpp"

namespace firbank::bench {

class Oracle {
 public:
  static constexpr double kTolerance = 1e-6;           // relative, L2
  static constexpr double kCompactTolerance = 3.2e-5;  // with spectra of 16 bits

  explicit Oracle(const Case& which) : case_(which) {
    for (const std::size_t output : {std::size_t{0}, case_.outputs / 3, case_.outputs - 1}) {
      if (outputs_.empty() || outputs_.back() != output) outputs_.push_back(output);
    }
    const std::size_t period = case_.signal_period();
    const float scale = tap_scale(case_);
    for (const std::size_t output : outputs_) {
      std::vector<double>& folded = folded_.emplace_back(case_.terms() * period);
      for (std::size_t t = 0; t < case_.terms(); ++t) {
        for (std::size_t k = 0; k < case_.taps; ++k) {
          folded[t * period + k % period] += tap_of(case_.filter(output, t), k, scale);
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
    const std::size_t period = case_.signal_period();
    double wrong = 0;
    double right = 0;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      for (std::size_t n = 0; n < case_.block_frames; ++n) {
        double expected = 0;
        for (std::size_t t = 0; t < case_.terms(); ++t) {
          const std::size_t input = case_.input(outputs_[i], t);
          std::size_t frame = (first + n) % period;
          for (std::size_t k = 0; k < period; ++k) {
            expected += folded_[i][t * period + k] * sample_of(case_, input, frame);
            frame = frame == 0 ? period - 1 : frame - 1;
          }
        }
        const double difference = static_cast<double>(planes[i][n]) - expected;
        wrong += difference * difference;
        right += expected * expected;
      }
    }
    const double error = std::sqrt(wrong / right);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
  }

 private:
  Case case_;
  std::vector<std::size_t> outputs_;
  std::vector<std::vector<double>> folded_;  // of each known output: [term][frame of a period]
};

}  // namespace firbank::bench
