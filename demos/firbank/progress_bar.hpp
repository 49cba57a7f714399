// ProgressBar: one line on a terminal's stderr with the share done, the speed and the time left.
//
// Draws at most ten times a second and wipes its line when it ends. Does nothing when stderr is not
// a terminal. Thread: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace firbank::program {

class ProgressBar {
 public:
  /// `total_frames`: of the whole job, when it is known. `wanted`: false never draws.
  ProgressBar(std::optional<std::int64_t> total_frames, double sample_rate_hz, bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `frames` of the job are done.
  void update(std::int64_t frames);

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(std::int64_t frames, double elapsed_seconds) const;

  std::optional<std::int64_t> total_frames_;
  double sample_rate_hz_;
  bool drawing_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_draw_ = start_;
};

}  // namespace firbank::program
