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

void StreamRecorder::offer(const float* const* first, std::size_t first_channels,
                           const float* const* second, std::size_t second_channels,
                           std::size_t frames) noexcept {
  for (std::size_t done = 0; done < frames;) {
    if (open_block_ == nullptr) {
      open_block_ = queue_.try_acquire();
      if (open_block_ == nullptr) {
        const auto dropped = static_cast<std::int64_t>(frames - done);
        if (dropped_frames_.load() == 0) first_dropped_frame_ = offered_;
        dropped_frames_.store(dropped_frames_.load() + dropped);
        gap_ += dropped;
        offered_ += dropped;
        return;
      }
      open_block_->gap_before = std::exchange(gap_, 0);
      open_frames_ = 0;
    }
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
    if (open_frames_ == kBlockFrames) queue_.publish(std::exchange(open_block_, nullptr));
  }
}

void StreamRecorder::finish() {
  if (open_block_ != nullptr) {
    open_block_->frames = open_frames_;
    queue_.publish(std::exchange(open_block_, nullptr));
  }
  end_thread();
  if (failure_) {
    try {
      sink_->finish();
    } catch (const Error&) {
      // Then nothing could be kept; the failure that came first is the one to tell.
    }
    std::rethrow_exception(failure_);
  }
  write_silence(std::exchange(gap_, 0));
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
        write(*block);
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

void StreamRecorder::write(const Block& block) {
  write_silence(block.gap_before);
  BasicBlock<const float> view;
  std::copy_n(block.planes, planes_.size(), planes_.begin());
  view.planes = planes_.data();
  view.channels = planes_.size();
  view.frames = block.frames;
  sink_->write(view);
}

void StreamRecorder::write_silence(std::int64_t frames) {
  while (frames > 0) {
    BasicBlock<const float> view;
    std::fill(planes_.begin(), planes_.end(), silence_.data());
    view.planes = planes_.data();
    view.channels = planes_.size();
    view.frames = std::min(static_cast<std::size_t>(frames), silence_.size());
    sink_->write(view);
    frames -= static_cast<std::int64_t>(view.frames);
  }
}

}  // namespace firbank
