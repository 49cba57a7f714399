#include "engine/ring_drive.hpp"

#include <algorithm>

namespace firbank {

RingDrive::RingDrive(Engine& engine, std::size_t slack_frames)
    : engine_(engine),
      latency_frames_(engine.latency_frames() + slack_frames),
      samples_(engine.outputs() * engine.max_frames()),
      planes_(engine.outputs()) {
  next_frame_ = first_frame_ = engine_.position();
  engine_.start();
}

RingDrive::~RingDrive() {
  engine_.stop();
}

void RingDrive::restart() {
  engine_.stop();
  engine_.reset();
  pulled_frames_ = 0;
  next_frame_ = first_frame_ = engine_.position();
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

  const std::int64_t wanted = next_frame_ - static_cast<std::int64_t>(latency_frames_);
  const std::int64_t before =
      std::clamp<std::int64_t>(first_frame_ - wanted, 0, static_cast<std::int64_t>(frames));
  next_frame_ += static_cast<std::int64_t>(frames);
  const auto silent = static_cast<std::size_t>(before);
  for (std::size_t c = 0; c < engine_.outputs(); ++c) std::fill_n(out[c], frames, 0.0f);
  const std::size_t taken = take(wanted + before, out, silent, frames - silent);
  const std::size_t late = frames - silent - taken;
  if (late > 0) {
    late_frames_.fetch_add(static_cast<std::int64_t>(late), std::memory_order_relaxed);
  }
}

/// Frames from `wanted` on, to out[..][offset...]; returns how many are there.
std::size_t RingDrive::take(std::int64_t wanted, float* const* out, std::size_t offset,
                            std::size_t frames) {
  std::size_t done = 0;
  while (done < frames) {
    if (pulled_frames_ == 0) {
      for (std::size_t c = 0; c < planes_.size(); ++c) {
        planes_[c] = samples_.data() + c * engine_.max_frames();
      }
      Block block;
      block.planes = planes_.data();
      block.channels = planes_.size();
      block.frames = engine_.max_frames();
      pulled_frames_ = engine_.pull(block);
      pulled_first_ = block.first_frame;
      if (pulled_frames_ == 0) break;
    }
    const std::int64_t ahead = pulled_first_ - (wanted + static_cast<std::int64_t>(done));
    if (ahead > 0) {  // a gap that the engine did not fill
      done += static_cast<std::size_t>(
          std::min<std::int64_t>(ahead, static_cast<std::int64_t>(frames - done)));
      continue;
    }
    // What is too old came too late, and was silence.
    const auto old = std::min(static_cast<std::size_t>(-ahead), pulled_frames_);
    const std::size_t count = std::min(pulled_frames_ - old, frames - done);
    for (std::size_t c = 0; c < planes_.size(); ++c) {
      std::copy_n(planes_[c] + old, count, out[c] + offset + done);
      planes_[c] += old + count;
    }
    pulled_first_ += static_cast<std::int64_t>(old + count);
    pulled_frames_ -= old + count;
    done += count;
  }
  return done;
}

}  // namespace firbank
