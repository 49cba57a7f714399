// LiveOutput: the last part of a live stream's way: bypass, the master gain, which begins at 0 and
// fades in, and the limiter; nothing that is not finite leaves.
//
// Thread:   process(): one real-time thread. restart(): the owner's, while nothing is processed.
//           The rest: any, without a lock.
// Realtime: everything but construction is safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/bypass_mix.hpp"
#include "engine/limiter.hpp"
#include "engine/live_session.hpp"
#include "engine/ramp.hpp"

namespace firbank {

class LiveOutput {
 public:
  /// Calls bring at most `max_frames` frames.
  LiveOutput(const LiveConfig& config, std::size_t max_frames);

  /// A plane of `out` may be one of neither.
  void process(const float* const* wet, const float* const* dry, float* const* out,
               std::size_t channels, std::size_t frames) noexcept;

  /// Silence comes first again, and then the fade-in.
  void restart() noexcept;

  /// -120 to 60; what lies outside is moved there, and NaN is 0.
  void set_gain_db(double gain_db) noexcept;
  void set_bypass(bool bypass) noexcept { bypass_.store(bypass, std::memory_order_relaxed); }
  void set_limiter(bool on) noexcept { limiter_on_.store(on, std::memory_order_relaxed); }

  /// Sets the controls, and what was limited and silenced.
  void tell(LiveStatus& status) const noexcept;

 private:
  void silence_what_is_not_finite(float* const* out, std::size_t channels,
                                  std::size_t frames) noexcept;
  void apply_gain(float* const* out, std::size_t channels, std::size_t frames) noexcept;

  std::size_t fade_in_frames_;
  std::size_t control_frames_;
  Limiter limiter_;
  BypassMix bypass_mix_;
  Ramp gain_{0};
  std::size_t fade_in_left_ = 0;
  std::vector<float> gains_;

  std::atomic<double> gain_db_;
  std::atomic<bool> bypass_;
  std::atomic<bool> limiter_on_;
  std::atomic<std::int64_t> silenced_frames_{0};
};

}  // namespace firbank
