#include "io/stream_recorder.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "io/error.hpp"

namespace firbank {
namespace {

// Long enough that the writer has few wakes, short enough that little is lost at a time.
constexpr std::size_t kBlockFrames = 1'024;

std::size_t blocks_for(double sample_rate_hz, double seconds) {
  return 2 + static_cast<std::size_t>(std::ceil(sample_rate_hz * seconds / kBlockFrames));
}

}  // namespace

StreamRecorder::StreamRecorder(std::unique_ptr<Sink> sink, std::size_t channels,
                               double sample_rate_hz, double seconds)
    : sink_(std::move(sink)),
      queue_(channels, kBlockFrames, blocks_for(sample_rate_hz, seconds)),
      silence_(kBlockFrames),
      planes_(channels) {
  thread_ = std::thread([this] { run(); });
}

StreamRecorder::~StreamRecorder() {
  end_thread();
}

bool StreamRecorder::open_a_block() noexcept {
  if (open_block_ != nullptr) return true;
  open_block_ = queue_.try_acquire();
  if (open_block_ == nullptr) return false;
  open_block_->gap_before = std::exchange(gap_, 0);
  open_frames_ = 0;
  return true;
}

void StreamRecorder::publish_open_block() noexcept {
  if (open_block_ == nullptr) return;
  open_block_->frames = open_frames_;
  queue_.publish(std::exchange(open_block_, nullptr));
}

void StreamRecorder::drop(std::size_t frames) noexcept {
  const auto dropped = static_cast<std::int64_t>(frames);
  if (dropped_frames_.load() == 0) first_dropped_frame_ = offered_;
  dropped_frames_.store(dropped_frames_.load() + dropped);
  gap_ += dropped;
  offered_ += dropped;
}

void StreamRecorder::offer(const float* const* first, std::size_t first_channels,
                           const float* const* second, std::size_t second_channels,
                           std::size_t frames) noexcept {
  for (std::size_t done = 0; done < frames;) {
    if (!open_a_block()) return drop(frames - done);
    const std::size_t part = std::min(frames - done, kBlockFrames - open_frames_);
    for (std::size_t c = 0; c < first_channels; ++c) {
      std::copy_n(first[c] + done, part, open_block_->planes[c] + open_frames_);
    }
    for (std::size_t c = 0; c < second_channels; ++c) {
      std::copy_n(second[c] + done, part, open_block_->planes[first_channels + c] + open_frames_);
    }
    open_frames_ += part;
    done += part;
    offered_ += static_cast<std::int64_t>(part);
    if (open_frames_ == kBlockFrames) publish_open_block();
  }
}

void StreamRecorder::write(const float* const* planes, std::size_t frames,
                           std::chrono::milliseconds patience) {
  std::vector<const float*> rest(planes, planes + queue_.channels());
  while (frames > 0) {
    if (!await_block(patience)) return drop(frames);
    const std::size_t part = std::min(frames, kBlockFrames - open_frames_);
    offer(rest.data(), rest.size(), nullptr, 0, part);
    for (const float*& plane : rest) plane += part;
    frames -= part;
  }
}

/// False when there is none, as nothing was written for too long. Then nobody waits again before
/// something is.
bool StreamRecorder::await_block(std::chrono::milliseconds patience) {
  std::int64_t written = written_frames_;
  if (given_up_at_ != written) given_up_at_ = -1;
  auto last_change = std::chrono::steady_clock::now();
  while (!open_a_block()) {
    if (failed_ || given_up_at_ >= 0) return false;
    const auto now = std::chrono::steady_clock::now();
    if (written_frames_ != written) {
      written = written_frames_;
      last_change = now;
    } else if (now - last_change > patience) {
      given_up_at_ = written;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void StreamRecorder::skip(std::int64_t frames) noexcept {
  if (frames <= 0) return;
  offered_ += frames;
  if (open_block_ != nullptr) {
    // Many short gaps would fill the ring with blocks that are all but empty.
    const auto room = static_cast<std::int64_t>(kBlockFrames - open_frames_);
    if (frames < room) {
      for (std::size_t c = 0; c < queue_.channels(); ++c) {
        std::fill_n(open_block_->planes[c] + open_frames_, frames, 0.0F);
      }
      open_frames_ += static_cast<std::size_t>(frames);
      return;
    }
    publish_open_block();
  }
  gap_ += frames;
}

void StreamRecorder::finish() {
  publish_open_block();
  end_thread();
  if (failure_) {
    try {
      sink_->finish();
    } catch (const Error&) {
      // Then nothing could be kept; the failure that came first is the one to tell.
    }
    std::rethrow_exception(failure_);
  }
  put_silence(std::exchange(gap_, 0));
  sink_->finish();
}

void StreamRecorder::end_thread() noexcept {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void StreamRecorder::run() {
  for (;;) {
    // Read before the queue: what was published before the end is written.
    const bool last_round = stop_;
    while (Block* block = queue_.try_take()) {
      // Blocks are not given back any more once a write has failed, so that all is dropped.
      if (failed_) continue;
      try {
        put(*block);
        queue_.release(block);
      } catch (...) {
        failure_ = std::current_exception();
        failed_ = true;
      }
    }
    if (last_round) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void StreamRecorder::put(const Block& block) {
  put_silence(block.gap_before);
  BasicBlock<const float> view;
  std::copy_n(block.planes, planes_.size(), planes_.begin());
  view.planes = planes_.data();
  view.channels = planes_.size();
  view.frames = block.frames;
  sink_->write(view);
  written_frames_ += static_cast<std::int64_t>(view.frames);
}

void StreamRecorder::put_silence(std::int64_t frames) {
  while (frames > 0) {
    BasicBlock<const float> view;
    std::fill(planes_.begin(), planes_.end(), silence_.data());
    view.planes = planes_.data();
    view.channels = planes_.size();
    view.frames = std::min(static_cast<std::size_t>(frames), silence_.size());
    sink_->write(view);
    written_frames_ += static_cast<std::int64_t>(view.frames);
    frames -= static_cast<std::int64_t>(view.frames);
  }
}

}  // namespace firbank
