// DryPath: the input as it was, one plane an output, delayed by a fixed number of frames.
//
// Output o hears input o; where there are fewer inputs than outputs they are used again in turn, so
// that one microphone is heard on both loudspeakers.
//
// Thread:   one at a time.
// Realtime: safe, but for construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace firbank {

class DryPath {
 public:
  /// Calls bring at most `max_frames` frames.
  DryPath(std::size_t inputs, std::size_t outputs, std::size_t delay_frames, std::size_t max_frames)
      : inputs_(inputs),
        delay_(delay_frames),
        line_(delay_frames + max_frames),
        samples_(outputs * line_),
        planes_(outputs) {}

  /// Takes `frames` frames, and lets planes() be as many delayed ones.
  void process(const float* const* in, std::size_t frames) noexcept {
    for (std::size_t c = 0; c < planes_.size(); ++c) {
      float* const line = samples_.data() + c * line_;
      // The newest `delay_` frames of the call before come first.
      if (last_frames_ > 0) std::copy_n(line + last_frames_, delay_, line);
      std::copy_n(in[c % inputs_], frames, line + delay_);
      planes_[c] = line;
    }
    last_frames_ = frames;
  }

  const float* const* planes() const noexcept { return planes_.data(); }

  void reset() noexcept { std::fill(samples_.begin(), samples_.end(), 0.0f); }

 private:
  std::size_t inputs_;
  std::size_t delay_;
  std::size_t line_;
  std::size_t last_frames_ = 0;
  std::vector<float> samples_;
  std::vector<const float*> planes_;
};

}  // namespace firbank
