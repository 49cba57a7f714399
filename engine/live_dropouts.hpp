// LiveDropouts: what went wrong in a live stream, counted, listed, and laid to the stage that took
// the time.
//
// Thread:   tell() and events(): any, without a lock. note_gap(): the owner's, while no call can
//           come. The rest: one real-time thread.
// Realtime: everything but events() is safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/call_times.hpp"
#include "engine/live_events.hpp"
#include "engine/live_session.hpp"

namespace firbank {

class LiveDropouts {
 public:
  explicit LiveDropouts(double sample_rate_hz) noexcept;

  /// What the device tells at the call to come.
  void note_glitch(const DeviceGlitches& glitches) noexcept;

  /// The call that begins with `frame`, and whose frames last `lasts_ns`.
  void begin_call(std::int64_t frame, double lasts_ns) noexcept;
  /// `missing_frames`: as LivePathCounts has them, since the beginning.
  void end_call(std::int64_t missing_frames) noexcept;

  void note_gap(std::int64_t frame, double seconds) noexcept;

  /// Sets the time since construction, and xruns, drop-outs, gaps and load.
  void tell(LiveStatus& status) const noexcept;
  const LoadMeter& load() const noexcept { return load_; }
  /// The newest, oldest first. Allocates.
  std::vector<LiveEvent> events() const { return events_.newest(); }

 private:
  void settle_glitches() noexcept;
  void count(LiveStage stage) noexcept;
  void note(LiveEventKind kind, const LiveBlame& blame) noexcept;

  double sample_rate_hz_;
  std::int64_t made_ns_;
  CallTimes times_;
  DeviceGlitches glitches_;  // of the call to come
  std::int64_t begun_ns_ = 0;
  double lasts_ns_ = 0;
  std::int64_t frame_ = 0;
  std::int64_t missing_frames_ = 0;
  LoadMeter load_;
  LiveEvents events_;
  std::atomic<std::uint64_t> xruns_{0};
  std::array<std::atomic<std::uint64_t>, kLiveStages> dropouts_{};
  std::atomic<std::uint64_t> gaps_{0};
  std::atomic<double> gap_seconds_{0};
};

}  // namespace firbank
