#include "engine/ring_drive.hpp"

#include <algorithm>

namespace firbank {

RingDrive::RingDrive(Engine& engine, std::size_t slack_frames)
    : engine_(engine),
      latency_frames_(engine.latency_frames() + slack_frames),
      // From the oldest frame that a call may still want to the newest that may be answered.
      kept_frames_(latency_frames_ + engine.max_frames()),
      kept_(engine.outputs() * kept_frames_),
      pulled_(engine.outputs() * engine.max_frames()),
      pulled_planes_(engine.outputs()) {
  for (std::size_t c = 0; c < pulled_planes_.size(); ++c) {
    pulled_planes_[c] = pulled_.data() + c * engine.max_frames();
  }
  next_frame_ = first_frame_ = answered_end_ = engine_.position();
  engine_.start();
}

RingDrive::~RingDrive() {
  engine_.stop();
}

void RingDrive::restart() {
  engine_.stop();
  engine_.reset();
  next_frame_ = first_frame_ = answered_end_ = engine_.position();
  engine_.start();
}

void RingDrive::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  BasicBlock<const float> block;
  block.planes = in;
  block.channels = engine_.inputs();
  block.frames = frames;
  block.first_frame = next_frame_;
  const PushResult pushed = engine_.push(block);
  if (pushed.frames < frames) {
    refused_frames_.fetch_add(static_cast<std::int64_t>(frames - pushed.frames),
                              std::memory_order_relaxed);
  }
  drain();

  const auto count = static_cast<std::int64_t>(frames);
  const std::int64_t wanted = next_frame_ - static_cast<std::int64_t>(latency_frames_);
  next_frame_ += count;
  const std::int64_t first = std::clamp(first_frame_, wanted, wanted + count);
  const std::int64_t last = std::clamp(answered_end_, first, wanted + count);
  late_frames_.fetch_add(wanted + count - last, std::memory_order_relaxed);
  for (std::size_t c = 0; c < engine_.outputs(); ++c) {
    const float* const plane = kept_.data() + c * kept_frames_;
    std::fill_n(out[c], frames, 0.0f);
    for (std::int64_t frame = first; frame < last;) {
      const std::size_t place = static_cast<std::size_t>(frame) % kept_frames_;
      const auto part = std::min(static_cast<std::size_t>(last - frame), kept_frames_ - place);
      std::copy_n(plane + place, part, out[c] + (frame - wanted));
      frame += static_cast<std::int64_t>(part);
    }
  }
}

/// Takes all answers that are there.
void RingDrive::drain() noexcept {
  for (;;) {
    Block block;
    block.planes = pulled_planes_.data();
    block.channels = pulled_planes_.size();
    block.frames = engine_.max_frames();
    const std::size_t frames = engine_.pull(block);
    if (frames == 0) return;
    keep(block.first_frame, frames);
  }
}

/// Keeps what was pulled; before it, silence in place of a gap that the engine did not fill.
void RingDrive::keep(std::int64_t first_frame, std::size_t frames) noexcept {
  const std::int64_t end = first_frame + static_cast<std::int64_t>(frames);
  const std::int64_t oldest = end - static_cast<std::int64_t>(kept_frames_);
  const std::int64_t gap_first =
      std::clamp(answered_end_, std::min(oldest, first_frame), first_frame);
  for (std::size_t c = 0; c < pulled_planes_.size(); ++c) {
    float* const plane = kept_.data() + c * kept_frames_;
    for (std::int64_t frame = gap_first; frame < first_frame; ++frame) {
      plane[static_cast<std::size_t>(frame) % kept_frames_] = 0;
    }
    for (std::size_t n = 0; n < frames; ++n) {
      plane[(static_cast<std::size_t>(first_frame) + n) % kept_frames_] = pulled_planes_[c][n];
    }
  }
  answered_end_ = end;
}

}  // namespace firbank
