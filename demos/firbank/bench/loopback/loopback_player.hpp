// LoopbackPlayer: plays a signal into the callback of a sound card and records what comes back,
// frame by frame in step: frame n of the recording came in the very call in which frame n of the
// signal went out. Frames for which the device told of lost or missing samples are noted.
//
// Everything is allocated by the constructor. The recording may be read once is_done(), or once no
// callback comes any more.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "io/portaudio_device.hpp"

namespace firbank::program {

class LoopbackPlayer final : public AudioProcessor {
 public:
  /// `fade_frames` are those in which it falls silent when it is told to stop.
  LoopbackPlayer(std::vector<float> signal, std::size_t fade_frames);

  /// Thread:   the device's own.
  /// Realtime: safe: no allocation, no lock, no system call.
  void process(const float* const* in, float* const* out, std::size_t frames,
               const AudioGlitches& glitches) noexcept override;

  /// Fades out; is_done() follows.
  /// Thread: any.  Realtime: safe, as what follows.
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }

  /// Frames played and recorded so far.
  std::size_t position() const noexcept { return position_.load(std::memory_order_acquire); }
  bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
  /// Of the longest call so far.
  std::size_t longest_call_frames() const noexcept {
    return longest_call_frames_.load(std::memory_order_relaxed);
  }

  std::span<const float> recording() const noexcept {
    return std::span<const float>(recording_).first(position());
  }
  /// The first frame of each call before which samples were lost, as far as there was room.
  std::span<const std::size_t> glitches() const noexcept {
    return std::span<const std::size_t>(glitches_).first(
        glitch_count_.load(std::memory_order_acquire));
  }

 private:
  static constexpr std::size_t kMostGlitches = 4'096;

  std::vector<float> signal_;
  std::vector<float> recording_;
  std::vector<std::size_t> glitches_;
  std::size_t fade_frames_;
  std::size_t faded_frames_ = 0;
  std::atomic<std::size_t> position_{0};
  std::atomic<std::size_t> glitch_count_{0};
  std::atomic<std::size_t> longest_call_frames_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> done_{false};
};

}  // namespace firbank::program
