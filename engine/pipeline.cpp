#include "engine/pipeline.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace firbank {
namespace {

BlockFlags flags_of(const CallResult& result) noexcept {
  BlockFlags flags = BlockFlags::kNone;
  if (result.spoiled_frames > 0) flags |= BlockFlags::kSpoiled;
  if (result.status == ProcessStatus::kBackendFailed) flags |= BlockFlags::kLost;
  return flags;
}

}  // namespace

template <class Sample>
Pipeline<Sample>::Pipeline(HeadAndTail<Sample>& convolver, const EngineConfig& config,
                           std::size_t inputs, std::size_t outputs)
    : convolver_(convolver),
      config_(config),
      inputs_(inputs),
      input_(inputs, config.block_frames, config.ring_blocks, convolver.backend().memory()),
      output_(outputs, config.block_frames, config.ring_blocks, convolver.backend().memory()),
      held_(inputs),
      fill_samples_(inputs * config.block_frames),
      fill_planes_(inputs),
      under_way_(config.depth_blocks + 1) {
  for (std::size_t input = 0; input < inputs; ++input) {
    fill_planes_[input] = fill_samples_.data() + input * config.block_frames;
  }
  thread_ = std::thread([this] { run(); });
}

template <class Sample>
Pipeline<Sample>::~Pipeline() {
  stop_.store(true);
  filled_.ring();
  freed_.ring();
  thread_.join();
}

template <class Sample>
PushResult Pipeline<Sample>::push(const BasicBlock<const Sample>& block) noexcept {
  PushResult result;
  result.expected_frame = expected_frame_.value_or(block.first_frame);
  if (flushed_) {
    result.status = PushStatus::kNotRunning;
    return result;
  }
  if (block.channels != inputs_) {
    result.status = PushStatus::kWrongShape;
    return result;
  }
  if (block.first_frame < result.expected_frame) {
    result.status = PushStatus::kBackwardJump;
    return result;
  }
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  std::int64_t gap = 0;
  if (block.frames > static_cast<std::uint64_t>(kLast) ||
      block.first_frame > kLast - static_cast<std::int64_t>(block.frames) ||
      __builtin_sub_overflow(block.first_frame, result.expected_frame, &gap)) {
    result.status = PushStatus::kOutOfRange;
    return result;
  }
  while (result.frames < block.frames) {
    BasicBlock<Sample>* slot = input_.try_acquire();
    if (slot == nullptr) break;
    const std::size_t frames = std::min(block.frames - result.frames, slot->frames);
    for (std::size_t input = 0; input < inputs_; ++input) {
      std::copy_n(block.planes[input] + result.frames, frames, slot->planes[input]);
    }
    slot->frames = frames;
    slot->first_frame = block.first_frame + static_cast<std::int64_t>(result.frames);
    slot->gap_before = result.frames == 0 ? gap : 0;
    slot->flags = block.flags;
    slot->timestamp_ns = block.timestamp_ns;
    if (slot->timestamp_ns != 0) {
      slot->timestamp_ns += static_cast<std::int64_t>(static_cast<double>(result.frames) * 1e9 /
                                                      config_.sample_rate_hz);
    }
    input_.publish(slot);
    result.frames += frames;
  }
  if (result.frames > 0) {
    result.expected_frame = block.first_frame + static_cast<std::int64_t>(result.frames);
    expected_frame_ = result.expected_frame;
    filled_.ring();
  }
  return result;
}

template <class Sample>
bool Pipeline<Sample>::flush() noexcept {
  if (flushed_) return true;
  BasicBlock<Sample>* slot = input_.try_acquire();
  if (slot == nullptr) return false;
  slot->frames = 0;
  slot->flags = BlockFlags::kEndOfStream;
  input_.publish(slot);
  filled_.ring();
  flushed_ = true;
  return true;
}

template <class Sample>
std::size_t Pipeline<Sample>::pull(BasicBlock<Sample>& block) noexcept {
  block.gap_before = 0;
  block.flags = BlockFlags::kNone;
  std::size_t frames = 0;
  while (frames < block.frames && !ended_) {
    if (pulled_ == nullptr) {
      pulled_ = output_.try_take();
      pulled_frames_ = 0;
      if (pulled_ == nullptr) break;
    }
    if (has(pulled_->flags, BlockFlags::kEndOfStream)) {
      ended_ = true;
      output_.release(std::exchange(pulled_, nullptr));
      break;
    }
    const bool starts_anew = pulled_frames_ == 0 &&
                             (pulled_->gap_before != 0 || has(pulled_->flags, BlockFlags::kReset));
    const bool changes_origin =
        has(pulled_->flags, BlockFlags::kFilled) != has(block.flags, BlockFlags::kFilled);
    if (frames > 0 && (starts_anew || changes_origin)) break;
    if (frames == 0) {
      block.first_frame = pulled_->first_frame + static_cast<std::int64_t>(pulled_frames_);
      block.timestamp_ns = pulled_->timestamp_ns;
      if (block.timestamp_ns != 0) {
        block.timestamp_ns += static_cast<std::int64_t>(static_cast<double>(pulled_frames_) * 1e9 /
                                                        config_.sample_rate_hz);
      }
      if (pulled_frames_ == 0) block.gap_before = pulled_->gap_before;
    }
    block.flags |= pulled_->flags;
    if (pulled_frames_ > 0 && frames == 0) {
      block.flags = block.flags & ~BlockFlags::kReset;  // told with the block's first frame
    }
    const std::size_t part = std::min(block.frames - frames, pulled_->frames - pulled_frames_);
    for (std::size_t channel = 0; channel < std::min(block.channels, pulled_->channels);
         ++channel) {
      std::copy_n(pulled_->planes[channel] + pulled_frames_, part, block.planes[channel] + frames);
    }
    frames += part;
    pulled_frames_ += part;
    if (pulled_frames_ == pulled_->frames) {
      output_.release(std::exchange(pulled_, nullptr));
      freed_.ring();
    }
  }
  if (ended_ && frames == 0) block.flags = BlockFlags::kEndOfStream;
  return frames;
}

template <class Sample>
void Pipeline<Sample>::run() noexcept {
  run_blocks();
  // The convolver is whole again for whoever uses it next; the blocks are the rings' own.
  publish_all();
}

template <class Sample>
void Pipeline<Sample>::run_blocks() noexcept {
  while (BasicBlock<Sample>* block = next_input()) {
    if (has(block->flags, BlockFlags::kEndOfStream)) {
      input_.release(block);
      drain();
      continue;
    }
    if (!began_ && block->first_frame != convolver_.position()) {
      convolver_.reset();
      convolver_.set_position(block->first_frame);
    }
    began_ = true;
    if (block->gap_before > 0) follow_gap(*block);
    filter(*block);
    for (std::size_t input = 0; input < inputs_; ++input) {
      held_[input] = block->planes[input][block->frames - 1];
    }
    input_.release(block);
  }
}

/// The oldest block of the input ring, waited for; null when the thread is to end.
template <class Sample>
BasicBlock<Sample>* Pipeline<Sample>::next_input() noexcept {
  while (true) {
    const std::uint32_t seen = filled_.rings();
    if (stop_.load()) return nullptr;
    if (BasicBlock<Sample>* block = input_.try_take()) return block;
    filled_.sleep(seen);
  }
}

/// A free block of the output ring, waited for; null when the thread is to end.
template <class Sample>
BasicBlock<Sample>* Pipeline<Sample>::next_output() noexcept {
  while (true) {
    const std::uint32_t seen = freed_.rings();
    if (stop_.load()) return nullptr;
    if (BasicBlock<Sample>* block = output_.try_acquire()) return block;
    freed_.sleep(seen);
  }
}

template <class Sample>
void Pipeline<Sample>::follow_gap(const BasicBlock<Sample>& block) noexcept {
  const std::int64_t gap = block.gap_before;
  convolver_.count_gap(block.first_frame - gap, gap);
  if (config_.gap_policy == GapPolicy::kReset || gap > config_.max_fill_frames) {
    convolver_.reset();
    convolver_.set_position(block.first_frame);
    pending_gap_ = gap;
    pending_flags_ = BlockFlags::kReset;
    return;
  }
  const double gap_ns = static_cast<double>(gap) * 1e9 / config_.sample_rate_hz;
  fill(gap, block.timestamp_ns == 0 ? 0 : block.timestamp_ns - static_cast<std::int64_t>(gap_ns));
}

/// Filters `frames` made-up frames, as the gap policy says.
template <class Sample>
void Pipeline<Sample>::fill(std::int64_t frames, std::int64_t timestamp_ns) noexcept {
  for (std::size_t input = 0; input < inputs_; ++input) {
    std::fill_n(fill_samples_.data() + input * config_.block_frames, config_.block_frames,
                config_.gap_policy == GapPolicy::kHold ? held_[input] : Sample{0});
  }
  while (frames > 0) {
    BasicBlock<Sample>* out = next_output();
    if (out == nullptr) return;
    const auto part = static_cast<std::size_t>(
        std::min<std::int64_t>(frames, static_cast<std::int64_t>(out->frames)));
    out->frames = part;
    out->first_frame = convolver_.position();
    out->timestamp_ns = timestamp_ns;
    out->flags = BlockFlags::kFilled;
    submit(fill_planes_.data(), out);
    frames -= static_cast<std::int64_t>(part);
    if (timestamp_ns != 0) {
      timestamp_ns +=
          static_cast<std::int64_t>(static_cast<double>(part) * 1e9 / config_.sample_rate_hz);
    }
  }
}

template <class Sample>
void Pipeline<Sample>::filter(const BasicBlock<Sample>& block) noexcept {
  BasicBlock<Sample>* out = next_output();
  if (out == nullptr) return;
  out->frames = block.frames;
  out->first_frame = convolver_.position();
  out->timestamp_ns = block.timestamp_ns;
  out->gap_before = std::exchange(pending_gap_, 0);
  out->flags = std::exchange(pending_flags_, BlockFlags::kNone);
  submit(block.planes, out);
}

/// Hands a block on, and puts out the one that was submitted `depth_blocks` before.
template <class Sample>
void Pipeline<Sample>::submit(const Sample* const* in, BasicBlock<Sample>* out) noexcept {
  convolver_.submit(in, out->planes, out->frames);
  under_way_[submitted_++ % under_way_.size()] = out;
  if (submitted_ - published_ > config_.depth_blocks) publish_oldest();
}

template <class Sample>
void Pipeline<Sample>::publish_oldest() noexcept {
  BasicBlock<Sample>* out = under_way_[published_++ % under_way_.size()];
  out->flags |= flags_of(convolver_.collect());
  output_.publish(out);
}

template <class Sample>
void Pipeline<Sample>::publish_all() noexcept {
  while (published_ != submitted_) publish_oldest();
}

/// Puts out the tail, then the end of the stream.
template <class Sample>
void Pipeline<Sample>::drain() noexcept {
  publish_all();
  while (BasicBlock<Sample>* out = next_output()) {
    out->first_frame = convolver_.position();
    out->frames = convolver_.flush(out->planes, out->frames);
    const bool end = out->frames == 0;
    if (end) out->flags = BlockFlags::kEndOfStream;
    if (!end) out->flags |= flags_of(convolver_.last_call());
    output_.publish(out);
    if (end) return;
  }
}

template class Pipeline<float>;
template class Pipeline<double>;

}  // namespace firbank
