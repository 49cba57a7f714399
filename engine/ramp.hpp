// Ramp: a control value that reaches each new target in a straight line, so that nothing clicks.
//
// Thread:   one at a time.
// Realtime: safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace firbank {

class Ramp {
 public:
  explicit Ramp(double value) noexcept : start_(value), target_(value) {}

  /// The value of the next frame but for rounding; exactly the target once it is reached.
  double value() const noexcept {
    if (left_ == 0) return target_;
    const double done = static_cast<double>(frames_ - left_) / static_cast<double>(frames_);
    return start_ + (target_ - start_) * done;
  }
  double target() const noexcept { return target_; }
  bool is_resting() const noexcept { return left_ == 0; }

  /// Jumps.
  void set(double value) noexcept {
    start_ = target_ = value;
    left_ = 0;
  }

  /// From the present value to `target` within `frames` frames; no effect while it is the target.
  void move_to(double target, std::size_t frames) noexcept {
    if (target == target_) return;
    start_ = value();
    target_ = target;
    frames_ = left_ = frames;
  }

  /// The values of the next `count` frames.
  void fill(float* values, std::size_t count) noexcept {
    const std::size_t moving = std::min(count, left_);
    for (std::size_t n = 0; n < moving; ++n) {
      --left_;
      values[n] = static_cast<float>(value());
    }
    std::fill(values + moving, values + count, static_cast<float>(target_));
  }

 private:
  double start_;
  double target_;
  std::size_t frames_ = 0;  // of the whole way
  std::size_t left_ = 0;    // of it
};

}  // namespace firbank
