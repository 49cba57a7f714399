// BypassMix: from the filtered signal (wet) to the one beside the filters (dry) and back, in a
// crossfade.
//
// Thread:   one at a time.
// Realtime: safe, but for construction.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "engine/live_session.hpp"
#include "engine/ramp.hpp"

namespace firbank {

class BypassMix {
 public:
  BypassMix(bool bypass, BypassFade fade, std::size_t max_frames)
      : fade_(fade), wetness_(bypass ? 0 : 1), wet_weights_(max_frames), dry_weights_(max_frames) {}

  /// A change takes `fade_frames`. Outside a fade samples pass bit by bit.
  void process(bool bypass, std::size_t fade_frames, const float* const* wet,
               const float* const* dry, float* const* out, std::size_t channels,
               std::size_t frames) noexcept {
    wetness_.move_to(bypass ? 0 : 1, fade_frames);
    if (wetness_.is_resting()) {
      const float* const* from = wetness_.target() == 0 ? dry : wet;
      for (std::size_t c = 0; c < channels; ++c) std::copy_n(from[c], frames, out[c]);
      return;
    }
    weigh(frames);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t n = 0; n < frames; ++n) {
        out[c][n] = wet[c][n] * wet_weights_[n] + dry[c][n] * dry_weights_[n];
      }
    }
  }

 private:
  void weigh(std::size_t frames) noexcept {
    wetness_.fill(wet_weights_.data(), frames);
    for (std::size_t n = 0; n < frames; ++n) {
      const float wetness = wet_weights_[n];
      dry_weights_[n] = 1 - wetness;
      if (fade_ == BypassFade::kLinear) continue;
      constexpr float kQuarterTurn = std::numbers::pi_v<float> / 2;
      wet_weights_[n] = std::sin(wetness * kQuarterTurn);
      dry_weights_[n] = std::cos(wetness * kQuarterTurn);
    }
  }

  BypassFade fade_;
  Ramp wetness_;
  std::vector<float> wet_weights_;
  std::vector<float> dry_weights_;
};

}  // namespace firbank
