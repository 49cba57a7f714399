#include "engine/head_and_tail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/hybrid_split.hpp"
#include "engine/overload.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

/// Frames of a bank's answer behind the last input.
std::size_t tail_of(const FilterBank& bank, const Routing& routing) {
  std::size_t longest = 1;
  for (const Edge& edge : routing.edges()) {
    longest = std::max(longest, edge.delay + bank.taps(edge.filter).size());
  }
  return longest - 1;
}

/// Names of frames may be anywhere in the range of their type, up to its end.
std::int64_t frame_after(std::int64_t frame, std::int64_t frames) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  return frame > kLast - frames ? kLast : frame + frames;
}

std::int64_t frame_before(std::int64_t frame, std::size_t frames) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  const auto back = static_cast<std::int64_t>(frames);
  return frame < kFirst + back ? kFirst : frame - back;
}

}  // namespace

template <class Sample>
struct HeadAndTail<Sample>::Parts {
  Parts(std::shared_ptr<const Backend> whole_backend, const EngineConfig& whole_config,
        const FilterBank& whole, const Routing& whole_routing)
      : backend(std::move(whole_backend)),
        config(whole_config),
        routing(whole_routing),
        device(device_part(config, whole)) {
    check_gpu_mode(config, *backend);
    device_plan = plan_of(device, routing, *backend, sizeof(Sample));
    tail_frames = tail_of(whole, routing);
    max_taps = longest_taps(config, whole);
    if (!is_hybrid(config)) return;
    const EnginePart of_head = head_part(config, whole);
    std::shared_ptr<const Backend> cpu = make_backend(of_head.config.backend);
    head_plan = plan_of(of_head, routing, *cpu, sizeof(Sample));
    head_load = load_of(head_plan, config.sample_rate_hz, config.threads);
    head = std::make_unique<Convolver<Sample>>(std::move(cpu), head_plan, of_head.config,
                                               of_head.bank, routing);
  }

  std::shared_ptr<const Backend> backend;
  EngineConfig config;
  Routing routing;
  EnginePart device;
  PartitionPlan device_plan;
  PartitionPlan head_plan;
  std::unique_ptr<Convolver<Sample>> head;
  double head_load = 0;  // of the CPU
  std::size_t tail_frames = 0;
  std::size_t max_taps = 0;
};

template <class Sample>
HeadAndTail<Sample>::HeadAndTail(std::shared_ptr<const Backend> backend, const EngineConfig& config,
                                 const FilterBank& bank, const Routing& routing)
    : HeadAndTail(Parts(std::move(backend), config, bank, routing)) {}

template <class Sample>
HeadAndTail<Sample>::HeadAndTail(Parts parts)
    : block_frames_(parts.config.block_frames),
      depth_blocks_(parts.head ? 0 : parts.config.depth_blocks),
      head_taps_(head_taps(parts.config)),
      max_taps_(parts.max_taps),
      waits_(parts.config.late_tail == LateTail::kWait),
      inputs_(parts.routing.inputs()),
      outputs_(parts.routing.outputs()),
      routing_(parts.routing),
      plan_(parts.head ? parts.head_plan : parts.device_plan),
      tail_plan_(parts.device_plan),
      head_(std::move(parts.head)),
      device_(parts.backend, parts.device_plan, parts.device.config, parts.device.bank,
              parts.routing, parts.head_load),
      slots_(head_ ? parts.device.config.depth_blocks + 2 : 0),
      tail_in_(slots_ * inputs_ * block_frames_),
      tail_out_(slots_ * outputs_ * block_frames_),
      in_planes_(inputs_),
      out_planes_(outputs_),
      silent_planes_(inputs_),
      silence_(head_ ? head_->max_frames() : 0),
      block_results_(slots_),
      call_in_(inputs_),
      call_out_(outputs_),
      is_spoiled_(head_ ? block_frames_ : 0),
      results_(parts.config.depth_blocks + 2),
      tail_frames_(parts.tail_frames) {
  std::fill(silent_planes_.begin(), silent_planes_.end(), silence_.data());
}

template <class Sample>
ProcessStatus HeadAndTail<Sample>::process(const Sample* const* in, Sample* const* out,
                                           std::size_t frames) noexcept {
  if (!head_) return device_.process(in, out, frames);
  last_call_ = run(in, out, frames);
  if (frames > 0 && last_call_.status != ProcessStatus::kTooManyFrames) silent_frames_ = 0;
  return last_call_.status;
}

template <class Sample>
void HeadAndTail<Sample>::submit(const Sample* const* in, Sample* const* out,
                                 std::size_t frames) noexcept {
  if (!head_) return device_.submit(in, out, frames);
  process(in, out, frames);
  results_.push() = last_call_;
}

template <class Sample>
CallResult HeadAndTail<Sample>::collect() noexcept {
  return head_ ? results_.pop() : device_.collect();
}

template <class Sample>
std::size_t HeadAndTail<Sample>::calls_under_way() const noexcept {
  return head_ ? results_.size() : device_.calls_under_way();
}

template <class Sample>
CallResult HeadAndTail<Sample>::run(const Sample* const* in, Sample* const* out,
                                    std::size_t frames) noexcept {
  CallResult result;
  if (frames == 0) return result;
  calls_.fetch_add(1, std::memory_order_relaxed);
  if (frames > max_frames()) {
    for (std::size_t output = 0; output < outputs_; ++output) {
      std::fill_n(out[output], frames, Sample{0});
    }
    result.status = ProcessStatus::kTooManyFrames;
    return result;
  }
  for (std::size_t done = 0; done < frames;) {
    const std::size_t part = std::min(frames - done, block_frames_ - filled_);
    for (std::size_t i = 0; i < inputs_; ++i) call_in_[i] = in[i] + done;
    for (std::size_t o = 0; o < outputs_; ++o) call_out_[o] = out[o] + done;
    run_chunk(call_in_.data(), call_out_.data(), part, result);
    done += part;
  }
  return result;
}

/// Frames of one block. What the tail answers to them comes later; what it has answered before,
/// now.
template <class Sample>
void HeadAndTail<Sample>::run_chunk(const Sample* const* in, Sample* const* out, std::size_t frames,
                                    CallResult& result) noexcept {
  const std::int64_t first_frame = position();
  const std::int64_t due = heard_ - static_cast<std::int64_t>(head_taps_);
  take(in, frames);  // first: `out` may be `in`
  follow_tail();
  head_->process(in, out, frames);
  bool is_spoiled = head_->last_call().spoiled_frames > 0;
  heard_ += static_cast<std::int64_t>(frames);
  if (due >= 0) {
    const auto size = static_cast<std::int64_t>(block_frames_);
    const std::int64_t block = due / size;
    const auto slot = static_cast<std::size_t>(block) % slots_;
    if (!fetch(block)) {
      if (first_late_frame_.load(std::memory_order_relaxed) == Stats::kNone) {
        first_late_frame_.store(first_frame, std::memory_order_relaxed);
      }
      late_frames_.fetch_add(static_cast<std::int64_t>(frames), std::memory_order_relaxed);
    } else {
      const CallResult& tail = block_results_[slot];
      if (tail.status != ProcessStatus::kOk) result.status = tail.status;
      is_spoiled = is_spoiled || tail.spoiled_frames > 0;
      const auto offset = static_cast<std::size_t>(due % size);
      for (std::size_t output = 0; output < outputs_; ++output) {
        const Sample* const answer = plane(tail_out_, slot, output, outputs_) + offset;
        for (std::size_t n = 0; n < frames; ++n) out[output][n] += answer[n];
      }
    }
  }
  if (is_spoiled) {
    std::size_t first = 0;
    const std::int64_t count = spoiled_in(out, frames, first);
    if (count > 0) {
      const std::int64_t frame = first_frame + static_cast<std::int64_t>(first);
      if (result.spoiled_frames == 0) result.first_spoiled_frame = frame;
      result.spoiled_frames += count;
      spoiled_frames_.fetch_add(count, std::memory_order_relaxed);
      if (first_spoiled_frame_.load(std::memory_order_relaxed) == Stats::kNone) {
        first_spoiled_frame_.store(frame, std::memory_order_relaxed);
      }
    }
  }
  follow_swaps();
}

/// Keeps what has come for the tail, and hands it on when a block is whole.
template <class Sample>
void HeadAndTail<Sample>::take(const Sample* const* in, std::size_t frames) noexcept {
  const std::size_t slot = static_cast<std::size_t>(submitted_) % slots_;
  for (std::size_t input = 0; input < inputs_; ++input) {
    std::copy_n(in[input], frames, plane(tail_in_, slot, input, inputs_) + filled_);
  }
  filled_ += frames;
  if (filled_ < block_frames_) return;
  filled_ = 0;
  // The device is far behind: it is waited for.
  while (device_.calls_under_way() + 1 >= slots_) collect_block();
  for (std::size_t i = 0; i < inputs_; ++i) in_planes_[i] = plane(tail_in_, slot, i, inputs_);
  for (std::size_t o = 0; o < outputs_; ++o) out_planes_[o] = plane(tail_out_, slot, o, outputs_);
  device_.submit(in_planes_.data(), out_planes_.data(), block_frames_);
  ++submitted_;
}

/// Whether the tail's answers to a block are there.
template <class Sample>
bool HeadAndTail<Sample>::fetch(std::int64_t block) noexcept {
  while (collected_ <= block && (waits_ || device_.can_collect())) collect_block();
  return collected_ > block;
}

template <class Sample>
void HeadAndTail<Sample>::collect_block() noexcept {
  block_results_[static_cast<std::size_t>(collected_++) % slots_] = device_.collect();
}

template <class Sample>
std::int64_t HeadAndTail<Sample>::spoiled_in(const Sample* const* out, std::size_t frames,
                                             std::size_t& first) noexcept {
  std::fill_n(is_spoiled_.begin(), frames, std::uint8_t{0});
  for (std::size_t output = 0; output < outputs_; ++output) {
    for (std::size_t n = 0; n < frames; ++n) is_spoiled_[n] |= std::isnan(out[output][n]) ? 1 : 0;
  }
  const auto end = is_spoiled_.begin() + static_cast<std::ptrdiff_t>(frames);
  first = static_cast<std::size_t>(
      std::distance(is_spoiled_.begin(), std::find(is_spoiled_.begin(), end, std::uint8_t{1})));
  return std::count(is_spoiled_.begin(), end, std::uint8_t{1});
}

/// The tail is that of the newest bank that is heard.
template <class Sample>
void HeadAndTail<Sample>::follow_swaps() noexcept {
  while (next_ticket_ <= last_ticket_.load(std::memory_order_acquire) &&
         head_->live_frame(next_ticket_)) {
    const Told& told = told_[next_ticket_++ % kTicketsKept];
    tail_frames_.store(told.tail_frames.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

/// A head waits for the frame from which its tail is heard: the one that was asked for, or a later
/// one where the stream had gone on while the bank was made.
template <class Sample>
void HeadAndTail<Sample>::follow_tail() noexcept {
  const std::uint64_t last = last_ticket_.load(std::memory_order_acquire);
  for (; next_of_tail_ <= last; ++next_of_tail_) {
    const std::optional<std::int64_t> live = device_.live_frame(next_of_tail_);
    if (!live) return;
    told_[next_of_tail_ % kTicketsKept].heard_from.store(
        frame_after(*live, static_cast<std::int64_t>(head_taps_)), std::memory_order_relaxed);
  }
}

template <class Sample>
std::size_t HeadAndTail<Sample>::flush(Sample* const* out, std::size_t frames) noexcept {
  if (!head_) return device_.flush(out, frames);
  const std::size_t silent = silent_frames_;
  const std::size_t tail = tail_frames();
  const std::size_t part = std::min({frames, tail > silent ? tail - silent : 0, max_frames()});
  last_call_ = run(silent_planes_.data(), out, part);
  silent_frames_ = silent + part;
  return part;
}

template <class Sample>
void HeadAndTail<Sample>::reset() noexcept {
  device_.reset();
  if (!head_) return;
  while (collected_ < submitted_) collect_block();
  head_->reset();
  // The device has not seen the frames of a block that is not whole. Its fades go on as the head's.
  device_.pass_over(filled_);
  heard_ = submitted_ = collected_ = 0;
  filled_ = 0;
  silent_frames_ = SIZE_MAX / 2;
}

template <class Sample>
std::uint64_t HeadAndTail<Sample>::swap(const FilterBank& bank, std::int64_t at_frame,
                                        std::size_t crossfade_frames) {
  if (!head_) return device_.swap(bank, at_frame, crossfade_frames);
  head_->free_old_banks();
  if (bank.longest() > max_taps_) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("the longest filter of the new bank has {} taps; at most max_taps = {} "
                            "are allowed",
                            bank.longest(), max_taps_));
  }
  const FilterBank head = bank.cut(0, head_taps_);
  head_->check_swap(head, crossfade_frames);
  // The tail changes D frames before it is heard, in whole blocks that are still to come.
  const auto ahead = static_cast<std::int64_t>(head_taps_ + kLateBlocks * block_frames_);
  SwapOrder order;
  order.at_frame = std::max(at_frame, frame_after(position(), ahead));
  order.crossfade_frames = crossfade_frames;
  Told& told = told_[next_given_ % kTicketsKept];
  told.tail_due.store(SwapOrder::kNotDue, std::memory_order_relaxed);
  order.ticket = device_.swap(bank.cut(head_taps_, SIZE_MAX),
                              order.at_frame - static_cast<std::int64_t>(head_taps_),
                              crossfade_frames, &told.tail_due);
  next_given_ = order.ticket + 1;
  told.tail_frames.store(tail_of(bank, routing_), std::memory_order_relaxed);
  told.crossfade_frames.store(crossfade_frames, std::memory_order_relaxed);
  told.heard_from.store(SwapOrder::kNotDue, std::memory_order_relaxed);
  order.due = &told.heard_from;
  head_->swap(head, order);
  last_ticket_.store(order.ticket, std::memory_order_release);
  // A tail that began sooner might be heard before there is a head that could follow it.
  told.tail_due.store(SwapOrder::kAnyFrame, std::memory_order_release);
  return order.ticket;
}

template <class Sample>
void HeadAndTail<Sample>::update(std::size_t filter, std::span<const double> taps) {
  // What the tail has answered already would be heard for some blocks more.
  if (head_) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("filter {} cannot be updated where gpu_mode is hybrid; swap the bank", filter));
  }
  device_.update(filter, taps);
}

template <class Sample>
std::optional<std::int64_t> HeadAndTail<Sample>::live_frame(std::uint64_t ticket) const noexcept {
  return head_ ? head_->live_frame(ticket) : device_.live_frame(ticket);
}

template <class Sample>
void HeadAndTail<Sample>::set_position(std::int64_t frame) noexcept {
  if (!head_) return device_.set_position(frame);
  const std::int64_t now = position();
  follow_tail();  // by the names that frames have had
  head_->set_position(frame);
  // Names that go back, as where a stream begins, leave no frames out.
  const std::size_t passed = frame > now ? passed_by_tail(now, frame) : 0;
  const std::int64_t from = frame_before(frame, passed);
  device_.set_position(from);
  device_.pass_over(static_cast<std::size_t>(frame - from));
}

/// Where names jump from `now` to `frame`, a fade that is heard is held up, and a swap that is due
/// in between is heard from `frame` on. The tail is D frames ahead: of what it has begun and the
/// head has not, that is true of the frames in which it is heard. So its swaps go on by this many
/// frames of the jump.
template <class Sample>
std::size_t HeadAndTail<Sample>::passed_by_tail(std::int64_t now,
                                                std::int64_t frame) const noexcept {
  // The swaps' course behind the jump, by the frames in which they are heard.
  const Crossfade* const heard = head_->fade();
  std::int64_t free_from = heard != nullptr ? heard->end() : frame;
  std::optional<std::int64_t> begun;
  for (std::uint64_t ticket = next_ticket_; ticket < next_of_tail_; ++ticket) {
    const Told& told = told_[ticket % kTicketsKept];
    begun = std::max(told.heard_from.load(std::memory_order_relaxed), free_from);
    free_from = frame_after(
        *begun, static_cast<std::int64_t>(told.crossfade_frames.load(std::memory_order_relaxed)));
  }
  const Crossfade* const fade = device_.fade();
  // Unsigned, as names may be anywhere in the range of their type.
  const auto name = [](std::int64_t of) { return static_cast<std::uint64_t>(of); };
  if (fade == nullptr) return name(frame) + head_taps_ - name(free_from);
  if (!begun) return 0;
  const std::uint64_t held_up = name(fade->start) + head_taps_ + (name(frame) - name(now));
  return held_up - name(*begun);
}

template <class Sample>
std::int64_t HeadAndTail<Sample>::position() const noexcept {
  return head_ ? head_->position() : device_.position();
}

template <class Sample>
std::size_t HeadAndTail<Sample>::tail_frames() const noexcept {
  return head_ ? tail_frames_.load(std::memory_order_relaxed) : device_.tail_frames();
}

template <class Sample>
std::size_t HeadAndTail<Sample>::max_frames() const noexcept {
  return head_ ? head_->max_frames() : device_.max_frames();
}

template <class Sample>
std::size_t HeadAndTail<Sample>::threads() const noexcept {
  return head_ ? head_->threads() : device_.threads();
}

template <class Sample>
void HeadAndTail<Sample>::count_gap(std::int64_t first_frame, std::int64_t frames) noexcept {
  if (head_) {
    head_->count_gap(first_frame, frames);
  } else {
    device_.count_gap(first_frame, frames);
  }
}

template <class Sample>
Stats HeadAndTail<Sample>::stats() const noexcept {
  const Stats of_device = device_.stats();
  if (!head_) return of_device;
  Stats stats = head_->stats();
  stats.calls = calls_.load(std::memory_order_relaxed);
  stats.spoiled_frames = spoiled_frames_.load(std::memory_order_relaxed);
  stats.first_spoiled_frame = first_spoiled_frame_.load(std::memory_order_relaxed);
  const auto later = [this](std::int64_t frame) {
    return frame == Stats::kNone ? frame
                                 : frame_after(frame, static_cast<std::int64_t>(head_taps_));
  };
  stats.fail_over_frame = later(of_device.fail_over_frame);
  stats.lost_frames = of_device.lost_frames;
  stats.first_lost_frame = later(of_device.first_lost_frame);
  stats.truncated_frames = of_device.truncated_frames;
  if (of_device.truncated_taps > 0) stats.truncated_taps = head_taps_ + of_device.truncated_taps;
  stats.late_frames = late_frames_.load(std::memory_order_relaxed);
  stats.first_late_frame = first_late_frame_.load(std::memory_order_relaxed);
  return stats;
}

template class HeadAndTail<float>;
template class HeadAndTail<double>;

}  // namespace firbank
