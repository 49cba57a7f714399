// Crossfade: the linear change from one bank's output to another's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firbank {

/// Frame k of F weighs the new signal by (k + 1) / (F + 1): strictly between 0 and 1, so that both
/// banks are heard in every frame of the fade and each alone outside it.
struct Crossfade {
  std::int64_t start = 0;  // first frame
  std::size_t frames = 0;  // F

  /// Distances are unsigned: the first frame may be anywhere in the range of its type, even in a
  /// stream that was moved to the range's beginning during the fade.
  std::int64_t end() const noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + frames);
  }

  /// old[n] becomes the mix for frame first_frame + n; all `count` frames lie inside the fade.
  template <class Sample>
  void mix(std::int64_t first_frame, Sample* old, const Sample* fresh,
           std::size_t count) const noexcept {
    const double step = 1.0 / (static_cast<double>(frames) + 1.0);
    const std::uint64_t done =
        static_cast<std::uint64_t>(first_frame) - static_cast<std::uint64_t>(start);
    for (std::size_t n = 0; n < count; ++n) {
      const double k = static_cast<double>(done) + static_cast<double>(n) + 1.0;
      const auto weight = static_cast<Sample>(k * step);
      old[n] += weight * (fresh[n] - old[n]);
    }
  }
};

}  // namespace firbank
