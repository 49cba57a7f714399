#include "engine/path_switch.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using Clock = std::chrono::steady_clock;

// What a path may take of the stream's own time, where it computes the past as fast as it can.
constexpr double kMostLoad = 0.9;
// A shorter time tells little of a machine that has other work as well.
constexpr double kLeastMeasuredSeconds = 0.5;

/// Planes of `frames` frames.
std::vector<float*> planes_of(std::vector<float>& samples, std::size_t channels,
                              std::size_t frames) {
  samples.resize(channels * frames);
  std::vector<float*> planes(channels);
  for (std::size_t c = 0; c < channels; ++c) planes[c] = samples.data() + c * frames;
  return planes;
}

}  // namespace

PathSwitch::PathSwitch(std::unique_ptr<LivePath> first, std::size_t past_frames)
    : max_frames_(first->max_frames()),
      inputs_(first->engine().inputs()),
      outputs_(first->engine().outputs()),
      history_(inputs_, std::max<std::size_t>(past_frames, 1)),
      keeps_past_(past_frames > 0) {
  if (keeps_past_) {
    past_ = planes_of(past_samples_, inputs_, max_frames_);
    dry_mix_ = planes_of(dry_samples_, outputs_, max_frames_);
  }
  frame_ = first->frame();
  first->start();
  heard_ = first.release();
}

PathSwitch::~PathSwitch() {
  // What is on its way between the threads the queues free.
  const std::unique_ptr<LivePath> heard(heard_.load());
  const std::unique_ptr<LivePath> next(next_);
  const std::unique_ptr<LivePath> old(old_);
}

void PathSwitch::process(const float* const* in, std::size_t frames) noexcept {
  retire_old();
  // Taken before the part is kept: the past that a path was given ends at this part at the latest.
  if (next_ == nullptr && keeps_past_) next_ = given_.take();
  if (keeps_past_) history_.write(in, frames);
  LivePath& now = heard();
  now.process(in, frames);
  wet_ = now.wet();
  dry_ = now.dry();
  if (next_ != nullptr) {
    const bool is_ready = next_->is_ready();
    if (follow(in, frames) && is_ready) mix(frames);
  }
  frame_ += static_cast<std::int64_t>(frames);
}

/// Has the next path hear this part, and before it, a block at a time, what it has missed. False
/// while it has missed more.
bool PathSwitch::follow(const float* const* in, std::size_t frames) noexcept {
  if (next_->frame() < frame_) {
    const std::size_t missed =
        std::min(static_cast<std::size_t>(frame_ - next_->frame()), max_frames_);
    // Never written over: more is kept than a path may miss.
    history_.read(next_->frame(), missed, past_.data());
    next_->process(past_.data(), missed);
  }
  if (next_->frame() < frame_) return false;
  next_->process(in, frames);
  return true;
}

void PathSwitch::mix(std::size_t frames) noexcept {
  if (!fading_) {
    fade_ = {frame_, crossfade_frames_};
    next_->set_heard_from(frame_);
    fading_ = true;
  }
  const auto left = static_cast<std::size_t>(fade_.end() - frame_);
  const std::size_t mixed = std::min(left, frames);
  for (std::size_t c = 0; c < outputs_; ++c) {
    float* const wet = wet_[c];
    fade_.mix(frame_, wet, next_->wet()[c], mixed);
    std::copy_n(next_->wet()[c] + mixed, frames - mixed, wet + mixed);
    float* const dry = dry_mix_[c];
    std::copy_n(dry_[c], mixed, dry);
    fade_.mix(frame_, dry, next_->dry()[c], mixed);
    std::copy_n(next_->dry()[c] + mixed, frames - mixed, dry + mixed);
  }
  dry_ = dry_mix_.data();
  if (left <= frames) take_over();
}

void PathSwitch::take_over() noexcept {
  old_ = heard_.load();
  next_->carry(old_->counts());
  heard_ = next_;
  next_ = nullptr;
  fading_ = false;
  changes_.store(changes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  changing_.store(false, std::memory_order_release);
}

void PathSwitch::retire_old() noexcept {
  if (old_ == nullptr) return;
  leaving_.retire(old_);
  old_ = nullptr;
}

std::int64_t PathSwitch::missing_frames() const noexcept {
  return heard().missing_frames();
}

void PathSwitch::change_to(std::unique_ptr<LivePath> next, std::size_t past_frames,
                           std::size_t crossfade_frames) {
  next->begin_at(
      std::max(history_.first(), history_.end() - static_cast<std::int64_t>(past_frames)));
  hear_past(*next);
  next->start();
  crossfade_frames_ = crossfade_frames;
  coming_ = next.get();
  changing_.store(true, std::memory_order_release);
  given_.give(std::move(next));
}

void PathSwitch::hear_past(LivePath& path) {
  std::vector<float> samples;
  const std::vector<float*> planes = planes_of(samples, inputs_, max_frames_);
  const Clock::time_point begin = Clock::now();
  const std::int64_t first = path.frame();
  for (;;) {
    const std::int64_t end = history_.end();
    if (path.frame() >= end) return;
    const std::size_t frames = std::min(static_cast<std::size_t>(end - path.frame()), max_frames_);
    const bool is_kept = history_.read(path.frame(), frames, planes.data());
    if (is_kept) path.hear_past(planes.data(), frames);
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    const double load = took * path.sample_rate_hz() / static_cast<double>(path.frame() - first);
    if (!is_kept || (took > kLeastMeasuredSeconds && load > kMostLoad)) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("backend '{}' is too slow here: these filters take {:.2f} times as "
                              "long as the sound lasts; allowed: up to {}",
                              path.engine().backend(), load, kMostLoad));
    }
  }
}

void PathSwitch::restart() {
  retire_old();
  if (next_ == nullptr) next_ = given_.take();
  if (next_ != nullptr) {
    next_->set_heard_from(frame_);
    take_over();
    retire_old();
  }
  history_.forget();
  heard().restart(frame_);
}

void PathSwitch::wait_for_readers() const noexcept {
  while (readers_.load() != 0) std::this_thread::yield();
}

}  // namespace firbank
