// ProgressBar: one line on a terminal's stderr with the share done, the time left, and the speed of
// a stream or what else is being done.
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
  /// Of a job without a speed: `total_steps` steps of `what`.
  ProgressBar(std::int64_t total_steps, std::string what, bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` frames, or steps, of the job are done.
  void update(std::int64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  ProgressBar(std::optional<std::int64_t> total, double sample_rate_hz, std::string what,
              bool wanted);
  std::string line(std::int64_t done, double elapsed_seconds) const;

  std::optional<std::int64_t> total_;
  double sample_rate_hz_;  // 0 where there is `what_` instead
  std::string what_;
  bool drawing_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_draw_ = start_;
};

}  // namespace firbank::program
