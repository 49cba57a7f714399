#include "engine/stream_reader.hpp"

#include <algorithm>
#include <utility>

#include "engine/stream_reader_impl.hpp"
#include "io/frame_time.hpp"

namespace firbank {
namespace {

constexpr std::chrono::hours kLongest{24 * 365};  // wait: more would not fit into a time
constexpr BlockFlags kOfFirstFrame = BlockFlags::kReset | BlockFlags::kMissed;

}  // namespace

template <class Sample>
BasicStreamReader<Sample>::BasicStreamReader(std::unique_ptr<Impl> impl) noexcept
    : impl_(std::move(impl)) {}
template <class Sample>
BasicStreamReader<Sample>::BasicStreamReader(BasicStreamReader&&) noexcept = default;
template <class Sample>
BasicStreamReader<Sample>& BasicStreamReader<Sample>::operator=(BasicStreamReader&&) noexcept =
    default;
template <class Sample>
BasicStreamReader<Sample>::~BasicStreamReader() = default;

template <class Sample>
std::size_t BasicStreamReader<Sample>::pull(BasicBlock<Sample>& block) noexcept {
  const BasicBlock<const Sample> marks =
      read(block.frames, [&block](const BasicBlock<const Sample>& next, std::size_t offset) {
        for (std::size_t c = 0; c < std::min(block.channels, next.channels); ++c) {
          std::copy_n(next.planes[c], next.frames, block.planes[c] + offset);
        }
      });
  block.gap_before = marks.gap_before;
  block.flags = marks.flags;
  if (marks.frames == 0) return 0;
  block.first_frame = marks.first_frame;
  block.timestamp_ns = marks.timestamp_ns;
  return marks.frames;
}
template <class Sample>
BasicBlock<const Sample> BasicStreamReader<Sample>::peek(std::size_t most_frames) noexcept {
  return impl_->peek(most_frames);
}
template <class Sample>
void BasicStreamReader<Sample>::advance(std::size_t frames) noexcept {
  impl_->advance(frames);
}
template <class Sample>
bool BasicStreamReader<Sample>::wait(std::chrono::nanoseconds timeout) noexcept {
  return impl_->wait(timeout);
}
template <class Sample>
std::int64_t BasicStreamReader<Sample>::missed_frames() const noexcept {
  return impl_->missed_frames();
}

/// Whether there is a block to read.
template <class Sample>
bool BasicStreamReader<Sample>::Impl::take() noexcept {
  if (ended_) return false;
  if (block_ != nullptr) return true;
  const bool closed = ring_->closed.load();  // before looking: what came before it is there
  std::uint64_t passed = 0;
  block_ = reader_->try_take(passed);
  if (block_ == nullptr) {
    if (closed) {
      ended_ = true;
      first_flags_ = BlockFlags::kNone;
      gap_before_ = 0;
    }
    return false;
  }
  offset_ = 0;
  const OutputTotals totals = ring_->totals[ring_->queue.slot_of(block_)];
  const std::int64_t missed = std::max<std::int64_t>(totals.frames - expected_total_, 0);
  // One that was missed counts as well.
  const bool has_reset =
      expected_frame_ ? totals.resets != resets_ : has(block_->flags, BlockFlags::kReset);
  first_flags_ = has_reset ? BlockFlags::kReset : BlockFlags::kNone;
  gap_before_ = block_->gap_before;
  if (missed > 0) {
    missed_frames_.fetch_add(missed, std::memory_order_relaxed);
    first_flags_ |= BlockFlags::kMissed;
    gap_before_ = expected_frame_ ? block_->first_frame - *expected_frame_ : missed;
  }
  resets_ = totals.resets;
  expected_total_ = totals.frames + static_cast<std::int64_t>(block_->frames);
  ended_ = has(block_->flags, BlockFlags::kEndOfStream);
  if (ended_) release();
  return !ended_;
}

template <class Sample>
void BasicStreamReader<Sample>::Impl::release() noexcept {
  expected_frame_ = block_->first_frame + static_cast<std::int64_t>(block_->frames);
  block_ = nullptr;
  reader_->release();
  ring_->freed.ring();
}

template <class Sample>
BasicBlock<const Sample> BasicStreamReader<Sample>::Impl::peek(std::size_t most_frames) noexcept {
  BasicBlock<const Sample> view;
  view.channels = planes_.size();
  view.planes = planes_.data();
  if (!take()) {
    if (!ended_) return view;
    view.flags = BlockFlags::kEndOfStream | first_flags_;
    view.gap_before = gap_before_;
    return view;
  }
  for (std::size_t channel = 0; channel < planes_.size(); ++channel) {
    planes_[channel] = block_->planes[channel] + offset_;
  }
  view.frames = std::min(most_frames, block_->frames - offset_);
  view.first_frame = block_->first_frame + static_cast<std::int64_t>(offset_);
  view.timestamp_ns =
      time_after(block_->timestamp_ns, static_cast<std::int64_t>(offset_), ring_->sample_rate_hz);
  view.flags = block_->flags & ~kOfFirstFrame;
  if (offset_ == 0) {
    view.flags |= first_flags_;
    view.gap_before = gap_before_;
  }
  return view;
}

template <class Sample>
void BasicStreamReader<Sample>::Impl::advance(std::size_t frames) noexcept {
  if (block_ == nullptr) return;
  offset_ += frames;
  if (offset_ >= block_->frames) release();
}

template <class Sample>
bool BasicStreamReader<Sample>::Impl::wait(std::chrono::nanoseconds timeout) noexcept {
  const auto is_ready = [this] { return take() || ended_; };
  if (is_ready()) return true;
  const auto deadline =
      std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(timeout, kLongest);
  return ring_->arrivals[reader_->index()].sleep_until(deadline, is_ready);
}

template class BasicStreamReader<float>;
template class BasicStreamReader<double>;

}  // namespace firbank
