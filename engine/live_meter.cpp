#include "engine/live_meter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace firbank {
namespace {

struct Measured {
  float peak = 0;
  double square_sum = 0;
  std::int64_t clips = 0;
};

/// Many lanes, so that the compiler may use vectors.
Measured measure(const float* samples, std::size_t count, float clips_from) noexcept {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> peak{};
  std::array<float, kLanes> squares{};
  std::array<std::int32_t, kLanes> clips{};
  const auto add = [&](std::size_t lane, float sample) {
    const float magnitude = std::abs(sample);
    // False for NaN, and for an infinity as well.
    const float finite = magnitude <= std::numeric_limits<float>::max() ? magnitude : 0.0f;
    peak[lane] = finite > peak[lane] ? finite : peak[lane];
    squares[lane] += finite * finite;
    clips[lane] += finite >= clips_from ? 1 : 0;
  };
  std::size_t n = 0;
  for (; n + kLanes <= count; n += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, samples[n + lane]);
  }
  for (; n < count; ++n) add(0, samples[n]);
  Measured result;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    result.peak = std::max(result.peak, peak[lane]);
    result.square_sum += static_cast<double>(squares[lane]);
    result.clips += clips[lane];
  }
  return result;
}

}  // namespace

void LiveMeter::add(const float* samples, std::size_t frames) noexcept {
  if (frames == 0) return;
  const Measured block = measure(samples, frames, clips_from_);
  const double seconds = static_cast<double>(frames) / sample_rate_hz_;
  const auto fallen = static_cast<float>(std::pow(10.0, -seconds));  // 20 dB a second
  peak_.store(std::max(block.peak, peak_.load(std::memory_order_relaxed) * fallen),
              std::memory_order_relaxed);
  constexpr double kWindowSeconds = 0.3;
  const double mean_square = block.square_sum / static_cast<double>(frames);
  // Squares of huge samples overflow; the meter must come back from there.
  const double bounded = std::min(mean_square, 1e30);
  mean_square_ += (bounded - mean_square_) * -std::expm1(-seconds / kWindowSeconds);
  rms_.store(static_cast<float>(std::sqrt(mean_square_)), std::memory_order_relaxed);
  if (block.peak > highest_.load(std::memory_order_relaxed)) {
    highest_.store(block.peak, std::memory_order_relaxed);
  }
  if (block.clips > 0) {
    clips_.store(clips_.load(std::memory_order_relaxed) + block.clips, std::memory_order_relaxed);
  }
}

LevelReading LiveMeter::reading() const noexcept {
  return {peak_.load(std::memory_order_relaxed), rms_.load(std::memory_order_relaxed),
          highest_.load(std::memory_order_relaxed), clips_.load(std::memory_order_relaxed)};
}

}  // namespace firbank
