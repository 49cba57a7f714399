// Driving the stages round the bank over whole signals, in calls of given sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace firbank::test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

using FloatSignal = std::vector<std::vector<float>>;

/// The planes of a signal from a frame on; the signal outlives them.
inline std::vector<const float*> from(const FloatSignal& signal, std::size_t frame) {
  std::vector<const float*> planes;
  for (const auto& plane : signal) planes.push_back(plane.data() + frame);
  return planes;
}
inline std::vector<float*> from(FloatSignal& signal, std::size_t frame) {
  std::vector<float*> planes;
  for (auto& plane : signal) planes.push_back(plane.data() + frame);
  return planes;
}

/// Calls process(in, out, frames, first_frame) of a stage that answers frame by frame.
template <class Stage>
FloatSignal run_stage(Stage& stage, const FloatSignal& in, std::size_t outputs,
                      const std::vector<std::size_t>& calls, std::int64_t first_frame = 0) {
  FloatSignal out(outputs, std::vector<float>(in[0].size()));
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    const auto planes = from(in, position);
    const auto results = from(out, position);
    stage.process(planes.data(), results.data(), frames,
                  first_frame + static_cast<std::int64_t>(position));
    position += frames;
  }
  return out;
}

}  // namespace firbank::test
