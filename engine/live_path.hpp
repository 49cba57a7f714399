// LivePath: one engine as a live stream hears it: the filtered signal (wet) and, beside it, the
// input as it was (dry), delayed by as much as the filters are late.
//
// On a CPU the filters run inside process(). On a GPU the engine's own thread computes, process()
// touches its rings alone, and the time that the engine has for a call is added to the latency.
//
// A path may begin in the middle of a stream: it hears what came before by hear_past(), which
// computes at once wherever it is called, and goes on from there.
//
// Thread:   process() and what it leaves: one at a time. carry(): the same, before others may read.
//           The readings: any. The rest: the owner's, while no call of process() can come.
// Realtime: process(), carry() and the readings are safe as Engine::process() and push() are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/dry_path.hpp"
#include "engine/engine.hpp"
#include "engine/ring_drive.hpp"

namespace firbank {

struct LivePathConfig {
  EngineConfig engine;
  std::size_t gpu_slack_frames = 0;  // as LiveConfig has them
  std::size_t dry_delay_frames = 0;
};

/// What was counted, of a stream rather than of an engine.
struct LivePathCounts {
  Stats engine;
  std::int64_t late_frames = 0;     // silent, as a GPU answered too late
  std::int64_t refused_frames = 0;  // input that a GPU's full ring did not take

  /// Frames that are silent, or will be heard wrongly, as a GPU or its rings were not in time.
  std::int64_t missing_frames() const noexcept {
    return late_frames + refused_frames + engine.lost_frames;
  }
};

class LivePath {
 public:
  /// Hears frame 0 of the stream first. `tickets` of swaps were given before: their filters are
  /// what it begins with. Throws: as Engine.
  LivePath(const LivePathConfig& config, const FilterBank& bank, const Routing& routing,
           std::uint64_t tickets = 0);

  /// Hears that frame first. Before anything is heard.
  void begin_at(std::int64_t first_frame) noexcept;
  /// Takes input whose answer nobody wants, at most max_frames(). Before start().
  void hear_past(const float* const* in, std::size_t frames) noexcept;
  /// Makes it ready for process(). Throws: std::system_error.
  void start();

  /// At most max_frames(). wet() and dry() are the answer until the next call.
  void process(const float* const* in, std::size_t frames) noexcept;
  float* const* wet() noexcept { return wet_.data(); }
  const float* const* dry() const noexcept { return dry_.planes(); }
  /// Whether the next call answers for frames that it has heard, and not with the silence that
  /// stands before the first one.
  bool is_ready() const noexcept { return frames_started_ >= latency_frames_ || !rings_; }
  /// The next frame of the stream that it hears.
  std::int64_t frame() const noexcept { return frame_; }

  /// Forgets what came before frame `first_frame`, which is the next one.
  void restart(std::int64_t first_frame);

  /// As Engine::swap(), as soon as a bank can be heard without making a call dearer than the fade
  /// does.
  std::uint64_t swap(const FilterBank& bank, std::size_t crossfade_frames);
  /// In frames of the stream; for tickets that were given before, heard_from().
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  /// Takes the place of a path that counted `before`: what it has counted itself up to now counts
  /// for nothing.
  void carry(const LivePathCounts& before) noexcept;
  LivePathCounts counts() const noexcept;
  /// counts().missing_frames(), at less cost.
  std::int64_t missing_frames() const noexcept;

  /// From which it is heard, by whoever fades to it.
  void set_heard_from(std::int64_t frame) noexcept { heard_from_.store(frame); }
  std::int64_t heard_from() const noexcept { return heard_from_.load(); }

  const Engine& engine() const noexcept { return engine_; }
  double sample_rate_hz() const noexcept { return sample_rate_hz_; }
  std::size_t max_frames() const noexcept { return engine_.max_frames(); }
  std::size_t latency_frames() const noexcept { return latency_frames_; }

 private:
  LivePathCounts own_counts() const noexcept;

  double sample_rate_hz_;
  std::size_t block_frames_;
  Engine engine_;
  bool on_gpu_;
  std::size_t slack_frames_;
  std::size_t latency_frames_;
  std::uint64_t tickets_before_;
  std::unique_ptr<RingDrive> rings_;  // with a GPU, once started
  DryPath dry_;
  std::vector<float> wet_samples_;
  std::vector<float*> wet_;
  std::int64_t frame_ = 0;
  std::size_t frames_started_ = 0;       // through the rings
  std::atomic<std::int64_t> origin_{0};  // the stream's name of the engine's frame 0
  std::atomic<std::int64_t> heard_from_{0};
  LivePathCounts carried_;
};

}  // namespace firbank
