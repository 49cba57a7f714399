// The oracle of changing banks: direct convolutions with each bank, mixed by the fade's formula.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/reference.hpp"

namespace firbank::test {

struct Change {
  Signal wet;  // what the new bank alone gives
  std::int64_t live_frame = 0;
  std::size_t crossfade_frames = 0;
};

/// Fade frame k (0-based) of F weighs the new bank by (k + 1) / (F + 1); a bank of weight 0 is not
/// heard at all, not even its NaNs.
inline Signal with_changes(Signal heard, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    for (std::size_t channel = 0; channel < heard.size(); ++channel) {
      const auto fade = static_cast<std::int64_t>(change.crossfade_frames);
      for (std::size_t n = 0; n < heard[channel].size(); ++n) {
        const std::int64_t k = static_cast<std::int64_t>(n) - change.live_frame;
        if (k < 0) continue;
        const double weight = static_cast<double>(k + 1) / static_cast<double>(fade + 1);
        const double wet = change.wet[channel][n];
        double& sample = heard[channel][n];
        sample = k < fade ? (1 - weight) * sample + weight * wet : wet;
      }
    }
  }
  return heard;
}

}  // namespace firbank::test
