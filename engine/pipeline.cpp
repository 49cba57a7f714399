#include "engine/pipeline.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/stream_reader_impl.hpp"
#include "io/frame_time.hpp"

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
                           PushIntake& intake, StartUp& start_up, std::size_t inputs,
                           std::size_t outputs)
    : convolver_(convolver),
      config_(config),
      intake_(intake),
      start_up_(start_up),
      inputs_(inputs),
      outputs_(outputs),
      input_(inputs, config.block_frames, config.ring_blocks, convolver.backend().memory()),
      output_(std::make_shared<OutputRing<Sample>>(outputs, config.block_frames, config.ring_blocks,
                                                   config.max_readers, config.sample_rate_hz,
                                                   convolver.backend().memory())),
      held_(inputs),
      fill_samples_(inputs * config.block_frames),
      fill_planes_(inputs),
      part_planes_(inputs),
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
  output_->freed.ring();
  thread_.join();
  output_->close();
}

template <class Sample>
std::optional<BasicStreamReader<Sample>> Pipeline<Sample>::open_reader(ReaderPolicy policy) {
  auto reader = output_->queue.open(policy);
  if (!reader) return std::nullopt;
  using Impl = typename BasicStreamReader<Sample>::Impl;
  return BasicStreamReader<Sample>(std::make_unique<Impl>(output_, std::move(*reader)));
}

template <class Sample>
PushResult Pipeline<Sample>::push(const PushMarks& marks, PushFill<Sample> write,
                                  void* context) noexcept {
  PushResult result;
  result.expected_frame = expected_frame_.value_or(marks.first_frame);
  if (flushed_) {
    result.status = PushStatus::kNotRunning;
    return result;
  }
  if (marks.channels != inputs_) {
    result.status = PushStatus::kWrongShape;
    return result;
  }
  if (marks.first_frame < result.expected_frame) {
    result.status = PushStatus::kBackwardJump;
    intake_.count_backward(marks.first_frame);
    return result;
  }
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto tail = static_cast<std::int64_t>(convolver_.tail_frames());
  std::int64_t gap = 0;
  if (marks.frames > static_cast<std::uint64_t>(kLast - tail) ||
      marks.first_frame > kLast - tail - static_cast<std::int64_t>(marks.frames) ||
      __builtin_sub_overflow(marks.first_frame, result.expected_frame, &gap)) {
    result.status = PushStatus::kOutOfRange;
    return result;
  }
  while (result.frames < marks.frames) {
    BasicBlock<Sample>* slot = input_.try_acquire();
    if (slot == nullptr) break;
    const std::size_t frames = std::min(marks.frames - result.frames, slot->frames);
    write(context, slot->planes, result.frames, frames);
    intake_.silence_bad_channels(slot->planes, frames);
    slot->frames = frames;
    slot->first_frame = marks.first_frame + static_cast<std::int64_t>(result.frames);
    slot->gap_before = result.frames == 0 ? gap : 0;
    slot->flags = BlockFlags::kNone;
    slot->timestamp_ns = time_after(marks.timestamp_ns, static_cast<std::int64_t>(result.frames),
                                    config_.sample_rate_hz);
    input_.publish(slot);
    result.frames += frames;
  }
  if (result.frames > 0) {
    result.expected_frame = marks.first_frame + static_cast<std::int64_t>(result.frames);
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
    if (!began_ && block->first_frame != convolver_.position()) begin_at(block->first_frame);
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
    const std::uint32_t seen = output_->freed.rings();
    if (stop_.load()) return nullptr;
    if (BasicBlock<Sample>* block = output_->queue.try_acquire()) return block;
    output_->freed.sleep(seen);
  }
}

template <class Sample>
void Pipeline<Sample>::follow_gap(const BasicBlock<Sample>& block) noexcept {
  const std::int64_t gap = block.gap_before;
  convolver_.count_gap(block.first_frame - gap, gap);
  if (config_.gap_policy == GapPolicy::kReset || gap > config_.max_fill_frames) {
    begin_at(block.first_frame);
    pending_gap_ = gap;
    pending_flags_ = BlockFlags::kReset;
    return;
  }
  fill(gap, time_after(block.timestamp_ns, -gap, config_.sample_rate_hz));
}

/// Filters `frames` made-up frames, as the gap policy says. Bad channels are silent here as well.
template <class Sample>
void Pipeline<Sample>::fill(std::int64_t frames, std::int64_t timestamp_ns) noexcept {
  const Sample missing =
      config_.gap_policy == GapPolicy::kNan ? std::numeric_limits<Sample>::quiet_NaN() : Sample{0};
  for (std::size_t input = 0; input < inputs_; ++input) {
    const Sample made_up = config_.gap_policy == GapPolicy::kHold ? held_[input] : missing;
    std::fill_n(fill_samples_.data() + input * config_.block_frames, config_.block_frames,
                intake_.is_bad(input) ? Sample{0} : made_up);
  }
  for (std::int64_t done = 0; done < frames;) {
    BasicBlock<Sample>* out = next_output();
    if (out == nullptr) return;
    out->frames = static_cast<std::size_t>(
        std::min<std::int64_t>(frames - done, static_cast<std::int64_t>(out->frames)));
    out->first_frame = convolver_.position();
    out->timestamp_ns = time_after(timestamp_ns, done, config_.sample_rate_hz);
    out->flags = BlockFlags::kFilled;
    mark_transient(*out);
    done += static_cast<std::int64_t>(out->frames);  // once it is published it is the readers'
    submit(fill_planes_.data(), out);
  }
}

/// A new stream, of which the filters have heard nothing.
template <class Sample>
void Pipeline<Sample>::begin_at(std::int64_t first_frame) noexcept {
  convolver_.reset();
  convolver_.set_position(first_frame);
  start_up_.begin();
}

/// Cuts a block where the start-up transient ends, so that a flag is true of all its frames.
template <class Sample>
void Pipeline<Sample>::mark_transient(BasicBlock<Sample>& out) noexcept {
  if (config_.start_transient == StartTransient::kKeep) return;
  const std::size_t transient = start_up_.left(convolver_.tail_frames());
  if (transient > 0) {
    out.frames = std::min(out.frames, transient);
    out.flags |= BlockFlags::kTransient;
  }
  start_up_.go_on(out.frames);
}

template <class Sample>
void Pipeline<Sample>::filter(const BasicBlock<Sample>& block) noexcept {
  std::size_t done = 0;
  while (done < block.frames) {
    BasicBlock<Sample>* out = next_output();
    if (out == nullptr) return;
    out->frames = block.frames - done;
    out->first_frame = convolver_.position();
    out->timestamp_ns =
        time_after(block.timestamp_ns, static_cast<std::int64_t>(done), config_.sample_rate_hz);
    out->gap_before = std::exchange(pending_gap_, 0);
    out->flags = std::exchange(pending_flags_, BlockFlags::kNone);
    mark_transient(*out);
    for (std::size_t input = 0; input < inputs_; ++input) {
      part_planes_[input] = block.planes[input] + done;
    }
    done += out->frames;  // once it is published it is the readers'
    submit(part_planes_.data(), out);
  }
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
  publish(out);
}

template <class Sample>
void Pipeline<Sample>::publish(BasicBlock<Sample>* out) noexcept {
  if (config_.start_transient == StartTransient::kZero && has(out->flags, BlockFlags::kTransient)) {
    for (std::size_t output = 0; output < outputs_; ++output) {
      std::fill_n(out->planes[output], out->frames, Sample{0});
    }
    out->flags = out->flags & ~BlockFlags::kSpoiled;
  }
  output_->publish(out);
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
    mark_transient(*out);  // and there may be less of the tail
    out->frames = convolver_.flush(out->planes, out->frames);
    const bool end = out->frames == 0;
    if (end) out->flags = BlockFlags::kEndOfStream;
    if (!end) out->flags |= flags_of(convolver_.last_call());
    publish(out);
    if (end) return;
  }
}

template class Pipeline<float>;
template class Pipeline<double>;

}  // namespace firbank
