// RingDrive: an engine behind its rings, seen as a filter of fixed latency.
//
// What a callback needs that must not wait: each call pushes its input and takes the output of the
// frames that came latency_frames() before, if it is there by now. What is not there is silence,
// counted as late, and left out when it does come, so that the latency stays what it was.
//
// Thread:   restart(): the owner's, while no call is under way. The counts: any. The rest: one.
// Realtime: process() allocates nothing and takes no lock; it may wake the pipeline thread, which
//           is a system call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/engine.hpp"

namespace firbank {

class RingDrive {
 public:
  /// Starts the engine, which must outlive this. `slack_frames` are added to the engine's own
  /// latency: the time that the engine has for a call; at least the frames of a call.
  RingDrive(Engine& engine, std::size_t slack_frames);
  ~RingDrive();
  RingDrive(const RingDrive&) = delete;
  RingDrive& operator=(const RingDrive&) = delete;

  /// `frames` is at most the engine's max_frames(). `out` must not be `in`.
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept;

  /// Begins anew: what came before is forgotten.
  void restart();

  std::size_t latency_frames() const noexcept { return latency_frames_; }
  /// Output frames that were not there in time.
  std::int64_t late_frames() const noexcept { return late_frames_.load(std::memory_order_relaxed); }
  /// Input frames that the full ring did not take; to the filters they are a gap.
  std::int64_t refused_frames() const noexcept {
    return refused_frames_.load(std::memory_order_relaxed);
  }

 private:
  void drain() noexcept;
  void keep(std::int64_t first_frame, std::size_t frames) noexcept;

  Engine& engine_;
  std::size_t latency_frames_;
  std::int64_t next_frame_ = 0;   // of the input
  std::int64_t first_frame_ = 0;  // since the last restart
  // What the engine has answered, by frame modulo kept_frames_, so that its own ring is never full.
  std::size_t kept_frames_;
  std::vector<float> kept_;
  std::int64_t answered_end_ = 0;  // the frame behind the last answer
  std::vector<float> pulled_;
  std::vector<float*> pulled_planes_;
  std::atomic<std::int64_t> late_frames_{0};
  std::atomic<std::int64_t> refused_frames_{0};
};

}  // namespace firbank
