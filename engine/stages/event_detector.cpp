#include "engine/stages/event_detector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "engine/stages/noise_estimate.hpp"
#include "engine/stages/stream_position.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostFrames = std::size_t{1} << 30;
constexpr std::size_t kMostNoiseSamples = 65'536;
constexpr std::size_t kPiece = 256;  // frames of all channels at a time
constexpr float kNoLevel = std::numeric_limits<float>::quiet_NaN();  // no sample reaches it

void check(const EventDetectorConfig& config) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, "events: " + message);
  };
  const auto in_range = [&](const char* field, std::size_t value, std::size_t least,
                            std::size_t most) {
    if (value >= least && value <= most) return;
    refuse(fmt::format("{} is {}; allowed: {} to {}", field, value, least, most));
  };
  in_range("channels", config.channels, 1, std::numeric_limits<std::uint32_t>::max());
  if (config.levels.size() > 1 && config.levels.size() != config.channels) {
    refuse(fmt::format("{} levels do not fit {} channels; give 1 for all, one a channel, or none",
                       config.levels.size(), config.channels));
  }
  for (std::size_t i = 0; i < config.levels.size(); ++i) {
    if (std::isfinite(config.levels[i])) continue;
    refuse(fmt::format("level {} is {}; only finite numbers are allowed", i, config.levels[i]));
  }
  if (!(config.noise_factor > 0) || !std::isfinite(config.noise_factor)) {
    refuse(
        fmt::format("noise_factor is {}; a finite number above 0 is needed", config.noise_factor));
  }
  in_range("noise_window_frames", config.noise_window_frames, 1, kMostFrames);
  in_range("noise_samples", config.noise_samples, 1, kMostNoiseSamples);
  in_range("noise_update_frames", config.noise_update_frames, 0, kMostFrames);
  in_range("refractory_frames", config.refractory_frames, 0, kMostFrames);
  in_range("peak_frames", config.peak_frames, 0, kMostFrames);
}

/// Where events go; what comes at one time is put in order there.
struct Buffer {
  Event* events;
  std::size_t room;
  EventCount count;

  void put(const Event& event) noexcept {
    if (count.events < room) {
      events[count.events++] = event;
    } else {
      ++count.lost;
    }
  }

  void sort_from(std::size_t first) noexcept {
    std::sort(events + first, events + count.events, [](const Event& a, const Event& b) {
      return std::tie(a.crossing, a.channel) < std::tie(b.crossing, b.channel);
    });
  }
};

/// Whether any sample may be at or beyond a level: without a branch, so that it runs in lanes.
bool reaches(const float* x, std::size_t frames, float rise, float fall) noexcept {
  std::uint32_t any = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    any |= static_cast<std::uint32_t>(x[n] >= rise) | static_cast<std::uint32_t>(x[n] <= fall);
  }
  return any != 0;
}

}  // namespace

class EventDetector::Impl {
 public:
  explicit Impl(const EventDetectorConfig& config)
      : crossing_(config.crossing),
        factor_(config.noise_factor),
        dead_(std::max(config.refractory_frames, config.peak_frames)),
        peak_(config.peak_frames),
        states_(config.channels) {
    if (config.levels.empty()) {
      const std::size_t window = config.noise_window_frames;
      stride_ = (window + config.noise_samples - 1) / config.noise_samples;
      update_ = config.noise_update_frames;
      if (update_ == 0) update_ = std::max<std::size_t>(1, window / 4);
      const std::size_t samples = std::max<std::size_t>(1, window / stride_);
      noise_.emplace(config.channels, samples);
      // No more than come until the first estimate.
      least_samples_ = std::min(samples / 8, update_ / stride_);
    }
    for (std::size_t c = 0; c < states_.size(); ++c) {
      State& state = states_[c];
      // Spread over the frames between two estimates, so that no call has to make all of them.
      if (noise_) state.first_update = update_ + c * update_ / states_.size();
      if (!noise_) set_levels(state, config.levels[config.levels.size() == 1 ? 0 : c]);
    }
    reset();
  }

  void process(const float* const* in, std::size_t frames, std::int64_t first_frame,
               Buffer& to) noexcept {
    if (frames > 0 && !position_.take(first_frame, frames)) break_off(to);
    for (std::size_t offset = 0; offset < frames; offset += kPiece) {
      const std::size_t count = std::min(kPiece, frames - offset);
      const std::size_t sorted = to.count.events;
      const std::int64_t frame = frame_after(first_frame, offset);
      for (std::size_t c = 0; c < states_.size(); ++c) {
        if (noise_) {
          take_with_noise(c, in[c] + offset, count, frame, to);
        } else {
          take(c, in[c] + offset, count, frame, to);
        }
      }
      to.sort_from(sorted);
      clock_ += count;
    }
    lost_ += to.count.lost;
  }

  void flush(Buffer& to) noexcept {
    break_off(to);
    position_.forget();
    lost_ += to.count.lost;
  }

  void reset() noexcept {
    for (State& state : states_) {
      forget_samples(state);
      state.is_open = false;
      if (!noise_) continue;
      state.noise = 0;
      state.rise = state.fall = kNoLevel;
      state.next_update = state.first_update;
    }
    if (noise_) noise_->reset();
    position_.forget();
    clock_ = 0;
  }

  std::size_t channels() const noexcept { return states_.size(); }
  float noise(std::size_t channel) const noexcept { return states_[channel].noise; }
  std::uint64_t gaps() const noexcept { return position_.gaps(); }
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct State {
    float rise = kNoLevel;
    float fall = kNoLevel;
    float before = kNoLevel;  // the latest finite sample
    float noise = 0;
    std::int64_t ready_from = 0;  // the first frame in which an event may begin
    std::uint64_t first_update = 0;
    std::uint64_t next_update = 0;  // of the clock
    // The event that waits for its peak.
    bool is_open = false;
    bool is_rise = false;
    Event event;
    std::int64_t due = 0;  // the last frame in which its peak may lie
  };

  void set_levels(State& state, float level) const noexcept {
    const bool either = crossing_ == Crossing::kEither;
    if (either) level = std::abs(level);
    state.rise = crossing_ == Crossing::kFall ? kNoLevel : level;
    state.fall = crossing_ == Crossing::kRise ? kNoLevel : either ? -level : level;
  }

  static void forget_samples(State& state) noexcept {
    state.before = kNoLevel;
    state.ready_from = std::numeric_limits<std::int64_t>::min();
  }

  void break_off(Buffer& to) noexcept {
    const std::size_t sorted = to.count.events;
    for (State& state : states_) {
      if (state.is_open) to.put(state.event);
      state.is_open = false;
      forget_samples(state);
    }
    to.sort_from(sorted);
  }

  /// Cut where an estimate is due: it is made of the frames before, and holds from there on.
  void take_with_noise(std::size_t channel, const float* x, std::size_t frames, std::int64_t first,
                       Buffer& to) noexcept {
    State& state = states_[channel];
    for (std::size_t n = 0; n < frames;) {
      if (state.next_update == clock_ + n) update_noise(channel);
      const std::size_t end =
          static_cast<std::size_t>(std::min<std::uint64_t>(frames, state.next_update - clock_));
      take(channel, x + n, end - n, frame_after(first, n), to);
      const std::uint64_t past = (clock_ + n) % stride_;
      for (std::size_t i = n + (past == 0 ? 0 : stride_ - past); i < end; i += stride_) {
        if (is_noise(x[i], state.noise)) noise_->add(channel, x[i]);
      }
      n = end;
    }
  }

  /// What is nothing beside the noise comes from a channel that is dead or silenced; of Gaussian
  /// noise it is one sample in 10,000.
  static bool is_noise(float x, float noise) noexcept {
    constexpr float kNothing = 1e-4F;
    return std::isfinite(x) && std::abs(x) > kNothing * noise;
  }

  void update_noise(std::size_t channel) noexcept {
    State& state = states_[channel];
    state.next_update += update_;
    // A channel that has just come to life is waited for.
    if (noise_->count(channel) < least_samples_) return;
    state.noise = noise_->estimate(channel);
    const auto size = static_cast<float>(factor_ * static_cast<double>(state.noise));
    if (size > 0 && std::isfinite(size)) {
      set_levels(state, crossing_ == Crossing::kFall ? -size : size);
    } else {
      state.rise = state.fall = kNoLevel;
    }
  }

  void take(std::size_t channel, const float* x, std::size_t frames, std::int64_t first,
            Buffer& to) noexcept {
    State& state = states_[channel];
    if (!state.is_open && !reaches(x, frames, state.rise, state.fall)) {
      for (std::size_t n = frames; n > 0; --n) {
        if (!std::isfinite(x[n - 1])) continue;
        state.before = x[n - 1];
        break;
      }
      return;
    }
    for (std::size_t n = 0; n < frames; ++n) {
      const std::int64_t frame = frame_after(first, n);
      if (std::isfinite(x[n])) look_at(state, channel, x[n], frame);
      if (state.is_open && frame >= state.due) {
        to.put(state.event);
        state.is_open = false;
      }
    }
  }

  void look_at(State& state, std::size_t channel, float x, std::int64_t frame) const noexcept {
    const float before = state.before;
    state.before = x;
    if (state.is_open) {
      if (state.is_rise ? x > state.event.value : x < state.event.value) {
        state.event.frame = frame;
        state.event.value = x;
      }
      return;
    }
    const bool rises = before < state.rise && x >= state.rise;
    const bool falls = before > state.fall && x <= state.fall;
    if ((!rises && !falls) || frame < state.ready_from) return;
    state.is_open = true;
    state.is_rise = rises;
    state.event = {frame, frame, x, static_cast<std::uint32_t>(channel)};
    state.due = frame_after(frame, peak_);
    state.ready_from = frame_after(frame, dead_ + 1);
  }

  Crossing crossing_;
  double factor_;
  std::size_t dead_;  // frames behind a crossing in which no event begins
  std::size_t peak_;
  std::vector<State> states_;

  std::optional<NoiseEstimate> noise_;
  std::size_t stride_ = 1;  // frames from one sample of the noise to the next
  std::size_t update_ = 0;
  std::size_t least_samples_ = 0;  // of an estimate

  StreamPosition position_;
  std::uint64_t clock_ = 0;  // frames that have come
  std::uint64_t lost_ = 0;
};

EventDetector::EventDetector(const EventDetectorConfig& config) {
  check(config);
  impl_ = std::make_unique<Impl>(config);
}

EventDetector::~EventDetector() = default;

EventCount EventDetector::process(const float* const* in, std::size_t frames,
                                  std::int64_t first_frame, Event* events,
                                  std::size_t room) noexcept {
  Buffer to{events, room, {}};
  impl_->process(in, frames, first_frame, to);
  return to.count;
}

EventCount EventDetector::flush(Event* events, std::size_t room) noexcept {
  Buffer to{events, room, {}};
  impl_->flush(to);
  return to.count;
}

void EventDetector::reset() noexcept {
  impl_->reset();
}
std::size_t EventDetector::channels() const noexcept {
  return impl_->channels();
}
float EventDetector::noise(std::size_t channel) const noexcept {
  return impl_->noise(channel);
}
std::uint64_t EventDetector::gaps() const noexcept {
  return impl_->gaps();
}
std::uint64_t EventDetector::lost_events() const noexcept {
  return impl_->lost();
}

}  // namespace firbank
