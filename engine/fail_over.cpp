#include "engine/fail_over.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "engine/planner.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostStretch = 4'096;  // frames

}  // namespace

template <class Sample>
FailOver<Sample>::FailOver(std::shared_ptr<const Backend> backend, const PartitionPlan& plan,
                           const EngineConfig& config, const FilterBank& bank,
                           const Routing& routing, double load_beside)
    : config_(config),
      load_beside_(load_beside),
      routing_(routing),
      past_wanted_(plan.max_response - 1),
      first_(std::move(backend), plan, config, bank, routing),
      keeps_(config.fail_over && first_.backend().can_be_lost()),
      stretch_frames_(std::min(first_.max_frames(), kMostStretch)),
      calls_(config.depth_blocks + 2, Call{{}, {}, std::vector<Sample*>(routing.outputs())}),
      stretch_planes_(routing.inputs()) {
  config_.max_taps = plan.max_taps;
  config_.max_frames = first_.max_frames();
  if (!keeps_) return;
  past_.emplace(routing.inputs(), past_wanted_ + (config.depth_blocks + 1) * first_.max_frames(),
                first_.max_frames());
  first_.log_input(&*past_);
  banks_.push_back({bank, {}, 0});
}

template <class Sample>
ProcessStatus FailOver<Sample>::process(const Sample* const* in, Sample* const* out,
                                        std::size_t frames) noexcept {
  if (keeps() || lateness_) {
    submit(in, out, frames);
    last_call_ = collect();
  } else {
    active().process(in, out, frames);
    last_call_ = active().last_call();
  }
  return last_call_.status;
}

template <class Sample>
void FailOver<Sample>::submit(const Sample* const* in, Sample* const* out,
                              std::size_t frames) noexcept {
  if (keeps()) keep_call(out, frames);
  if (lateness_) return submit_in_time(in, out, frames);
  active().submit(in, out, frames);
}

/// To the CPU, which computes at once; or not, while it is too late for that.
template <class Sample>
void FailOver<Sample>::submit_in_time(const Sample* const* in, Sample* const* out,
                                      std::size_t frames) noexcept {
  const Stopwatch watch;
  if (lateness_->drops() && frames <= max_frames()) {
    has_dropped_.store(true, std::memory_order_relaxed);
    second_->skip(in, out, frames);
  } else {
    second_->submit(in, out, frames);
  }
  const double frame_ns = 1e9 / config_.sample_rate_hz;
  lateness_->add(frames, watch.ns() + load_beside_ * frame_ns * static_cast<double>(frames));
}

/// A call whose input goes to the log.
template <class Sample>
void FailOver<Sample>::keep_call(Sample* const* out, std::size_t frames) noexcept {
  Call& call = calls_.push();
  call.result = {};
  call.frames = frames;
  if (frames > max_frames()) {
    call.result.status = ProcessStatus::kTooManyFrames;
    call.frames = 0;
  }
  if (call.frames == 0) return;
  std::copy_n(out, routing_.outputs(), call.out.begin());
  under_way_ += frames;
}

template <class Sample>
CallResult FailOver<Sample>::collect() noexcept {
  if (calls_.empty()) return active().collect();
  if (answered_ == 0) answer_oldest();
  --answered_;
  return calls_.pop().result;
}

template <class Sample>
bool FailOver<Sample>::can_collect() noexcept {
  return answered_ > 0 || active().can_collect();
}

template <class Sample>
std::size_t FailOver<Sample>::calls_under_way() const noexcept {
  return answered_ + active().calls_under_way();
}

template <class Sample>
void FailOver<Sample>::answer_oldest() noexcept {
  settle(calls_.at(answered_), first_.collect());
}

/// The oldest call that is not answered has got a result from the device.
template <class Sample>
void FailOver<Sample>::settle(Call& call, const CallResult& result) noexcept {
  if (result.status == ProcessStatus::kBackendFailed && keeps() && take_over()) return;
  if (spoiled_.spoiled_frames == 0) spoiled_.first_spoiled_frame = result.first_spoiled_frame;
  spoiled_.spoiled_frames += result.spoiled_frames;
  call.result = result;
  ++answered_;
  under_way_ -= call.frames;
  past_frames_ = std::min(past_frames_ + call.frames, past_wanted_);
  answered_to_.store(answered_frames(), std::memory_order_relaxed);
}

/// Frames of input whose answers are there.
template <class Sample>
std::int64_t FailOver<Sample>::answered_frames() const noexcept {
  return first_.frames() - static_cast<std::int64_t>(under_way_);
}

/// The name, by now, of the frame that came behind so many.
template <class Sample>
std::int64_t FailOver<Sample>::name_of(std::int64_t frames) const noexcept {
  // Names may be anywhere in the range of their type.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first_.position()) +
                                   static_cast<std::uint64_t>(frames - first_.frames()));
}

/// The name of the first frame that is not answered.
template <class Sample>
std::int64_t FailOver<Sample>::first_frame_open() const noexcept {
  return name_of(answered_frames());
}

template <class Sample>
std::size_t FailOver<Sample>::flush(Sample* const* out, std::size_t frames) noexcept {
  if (!keeps()) {
    const std::size_t part = active().flush(out, frames);
    last_call_ = active().last_call();
    return part;
  }
  const std::size_t part = first_.flush(out, frames);
  if (part == 0) return 0;
  keep_call(out, part);
  settle(calls_.front(), first_.last_call());
  --answered_;
  last_call_ = calls_.pop().result;
  return part;
}

template <class Sample>
void FailOver<Sample>::reset() noexcept {
  while (answered_ < calls_.size()) answer_oldest();
  if (lateness_) lateness_->reset();
  active().reset();
  past_frames_ = 0;
}

/// The last bank whose fade was over when `frames` frames had come.
template <class Sample>
std::size_t FailOver<Sample>::heard_bank(std::int64_t frames) const noexcept {
  std::size_t heard = 0;
  for (std::size_t k = 1; k < banks_.size(); ++k) {
    const SwapOrder& order = banks_[k].order;
    const std::optional<std::int64_t> since = first_.live_since(order.ticket);
    if (!since || frames - *since < static_cast<std::int64_t>(order.crossfade_frames)) break;
    heard = k;
  }
  return heard;
}

/// A convolver on the CPU for a bank that is heard. Throws: Error, BackendError, std::bad_alloc;
/// and Error where the CPU is too slow and on_overload says that it does not go on then.
template <class Sample>
std::unique_ptr<Convolver<Sample>> FailOver<Sample>::make_second(const FilterBank& heard) {
  EngineConfig config = config_;
  config.backend = "auto";
  config.memory_limit_bytes = 0;
  std::shared_ptr<const Backend> backend = make_backend(config.backend);
  const PlanAbilities abilities = abilities_of(*backend, sizeof(Sample));
  const std::size_t threads = std::min(config.threads, backend->max_threads());
  PartitionPlan plan = choose_plan(config, heard, routing_, abilities);
  const bool is_paced =
      config.goal == PlanGoal::kLive &&
      (config.on_overload == Overload::kFail || config.on_overload == Overload::kTruncate);
  const double load =
      is_paced ? load_beside_ + load_of(config, heard, routing_, abilities, threads) : 0;
  if (load > kMostLoad && config.on_overload == Overload::kFail) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("it is estimated to need {:.2f} times the stream's own time; allowed: "
                            "up to {}",
                            load, kMostLoad));
  }
  if (load > kMostLoad) {
    truncated_taps_ =
        taps_in_time(config, heard, routing_, abilities, threads, kMostLoad - load_beside_);
    config.max_taps = truncated_taps_;
    plan = choose_plan(config, fitting(heard), routing_, abilities);
  }
  return std::make_unique<Convolver<Sample>>(std::move(backend), plan, config, fitting(heard),
                                             routing_,
                                             banks_.size() + BasicEngine<Sample>::kMaxPendingSwaps);
}

/// What the CPU hears of a bank.
template <class Sample>
FilterBank FailOver<Sample>::fitting(const FilterBank& bank) const {
  return truncated_taps_ > 0 ? bank.cut(0, truncated_taps_) : bank;
}

/// Has the CPU answer all calls under way, and all that follow. False when it cannot.
template <class Sample>
bool FailOver<Sample>::take_over() noexcept {
  const Stopwatch watch;
  const std::lock_guard lock(banks_mutex_);
  try {
    const std::size_t heard = heard_bank(answered_frames());
    std::unique_ptr<Convolver<Sample>> second = make_second(banks_[heard].bank);
    stretch_.resize(routing_.inputs() * stretch_frames_);
    for (std::size_t channel = 0; channel < stretch_planes_.size(); ++channel) {
      stretch_planes_[channel] = stretch_.data() + channel * stretch_frames_;
    }
    listen_to_past(*second);
    carried_ = first_.stats();
    carried_.fail_over_frame = first_frame_open();
    carried_.frames -= static_cast<std::int64_t>(under_way_);
    // Not what was spoiled in vain.
    carried_.spoiled_frames = spoiled_.spoiled_frames;
    carried_.first_spoiled_frame = spoiled_.first_spoiled_frame;
    for (std::size_t k = heard + 1; k < banks_.size(); ++k) {
      SwapOrder order = banks_[k].order;
      const std::optional<std::int64_t> since = first_.live_since(order.ticket);
      order.is_live = since.has_value();
      if (since) {
        order.at_frame = name_of(*since);
        --carried_.swaps;
      } else {
        // Not in calls that came before it was given.
        order.not_before = banks_[k].given - answered_frames();
      }
      second->swap(fitting(banks_[k].bank), order);
    }
    second_ = std::move(second);
    if (config_.on_overload == Overload::kDrop && config_.goal == PlanGoal::kLive) {
      lateness_.emplace(config_.sample_rate_hz, config_.ring_blocks * config_.block_frames);
    }
  } catch (const std::exception& error) {
    try {
      no_second_ = error.what();
      has_no_second_.store(true, std::memory_order_release);
    } catch (const std::exception&) {
      // The text is a courtesy.
    }
    banks_.clear();
    first_.log_input(nullptr);
    keeps_.store(false, std::memory_order_release);
    return false;
  }
  answer_all();
  second_->set_silent_frames(first_.silent_frames());
  carried_.calls -= second_->stats().calls;  // the device has counted those under way
  banks_.clear();
  stretch_ = {};
  active_.store(second_.get(), std::memory_order_release);
  keeps_.store(false, std::memory_order_release);
  if (lateness_) lateness_->add(0, watch.ns());
  return true;
}

/// A stretch of the past.
template <class Sample>
const Sample* const* FailOver<Sample>::read_past(std::int64_t clock, std::size_t frames) noexcept {
  past_->read(clock, frames, stretch_planes_.data());
  return stretch_planes_.data();
}

template <class Sample>
void FailOver<Sample>::listen_to_past(Convolver<Sample>& second) {
  second.set_position(name_of(answered_frames() - static_cast<std::int64_t>(past_frames_)));
  const std::int64_t end = past_->clock() - static_cast<std::int64_t>(under_way_);
  for (std::size_t left = past_frames_; left > 0;) {
    const std::size_t frames = std::min(left, stretch_frames_);
    second.listen(read_past(end - static_cast<std::int64_t>(left), frames), frames);
    left -= frames;
  }
}

template <class Sample>
void FailOver<Sample>::answer_all() noexcept {
  for (; answered_ < calls_.size(); ++answered_) {
    Call& call = calls_.at(answered_);
    for (std::size_t left = call.frames; left > 0;) {
      const std::size_t frames = std::min(left, stretch_frames_);
      const std::int64_t first = past_->clock() - static_cast<std::int64_t>(under_way_);
      second_->process(read_past(first, frames), call.out.data(), frames);
      call.result.spoiled_frames += second_->last_call().spoiled_frames;
      for (Sample*& plane : call.out) plane += frames;
      under_way_ -= frames;
      left -= frames;
    }
  }
}

template <class Sample>
std::uint64_t FailOver<Sample>::swap(const FilterBank& bank, std::int64_t at_frame,
                                     std::size_t crossfade_frames,
                                     const std::atomic<std::int64_t>* due) {
  SwapOrder order;
  order.at_frame = at_frame;
  order.crossfade_frames = crossfade_frames;
  order.due = due;
  {
    const std::lock_guard lock(banks_mutex_);
    active().free_old_banks();
    // What is cut fits, but is allowed only where the whole was.
    if (bank.longest() > config_.max_taps) first_.check_swap(bank, crossfade_frames);
    active().check_swap(fitting(bank), crossfade_frames);
    order.ticket = last_ticket_ + 1;
    if (!keeps()) {
      active().swap(fitting(bank), order);
      return ++last_ticket_;
    }
    const auto begin = banks_.begin();
    banks_.erase(begin, begin + static_cast<std::ptrdiff_t>(heard_bank(answered_to_.load())));
    banks_.push_back({bank, order, first_.frames()});
    ++last_ticket_;
  }
  // Without the lock, so that the CPU need not wait for a device that is lost.
  try {
    first_.swap(bank, order);
  } catch (...) {
    const std::lock_guard lock(banks_mutex_);
    // The CPU has the bank, or is about to.
    const bool is_lost = keeps() && !first_.backend().failure().empty();
    if (second_ != nullptr || is_lost) return order.ticket;
    std::erase_if(banks_, [&](const KeptBank& kept) { return kept.order.ticket == order.ticket; });
    --last_ticket_;
    throw;
  }
  return order.ticket;
}

template <class Sample>
void FailOver<Sample>::update(std::size_t filter, std::span<const double> taps) {
  // What is cut fits, but is allowed only where the whole was.
  const bool is_cut = truncated_taps_ > 0 && taps.size() <= config_.max_taps;
  active().update(filter, is_cut ? taps.first(std::min(taps.size(), truncated_taps_)) : taps);
}

template <class Sample>
std::optional<std::int64_t> FailOver<Sample>::live_frame(std::uint64_t ticket) const noexcept {
  // By the name that the frame had.
  const std::optional<std::int64_t> live = first_.live_frame(ticket);
  return live ? live : active().live_frame(ticket);
}

template <class Sample>
std::string FailOver<Sample>::failure() const {
  std::string failure = first_.backend().failure();
  if (has_no_second_.load(std::memory_order_acquire)) {
    failure += "; the CPU cannot go on: " + no_second_;
  }
  if (has_dropped_.load(std::memory_order_relaxed)) {
    failure += "; the CPU, in its place, is too slow for every block";
  }
  return failure;
}

template <class Sample>
Stats FailOver<Sample>::stats() const noexcept {
  // What a device has lost is not lost while the CPU may still answer it.
  const bool keeps = keeps_.load(std::memory_order_acquire);
  const Convolver<Sample>& now = active();
  Stats stats = now.stats();
  if (&now == &first_) {
    if (keeps) {
      stats.lost_frames = 0;
      stats.first_lost_frame = Stats::kNone;
    }
    return stats;
  }
  const auto keep_earlier = [](std::int64_t& frame, std::int64_t carried) {
    if (carried != Stats::kNone) frame = carried;
  };
  stats.frames += carried_.frames;
  stats.calls += carried_.calls;
  stats.spoiled_frames += carried_.spoiled_frames;
  keep_earlier(stats.first_spoiled_frame, carried_.first_spoiled_frame);
  stats.gaps += carried_.gaps;
  stats.gap_frames += carried_.gap_frames;
  keep_earlier(stats.first_gap_frame, carried_.first_gap_frame);
  stats.swaps += carried_.swaps;
  stats.fail_over_frame = carried_.fail_over_frame;
  if (truncated_taps_ > 0) {
    stats.truncated_taps = truncated_taps_;
    stats.truncated_frames = now.stats().frames;
  }
  return stats;
}

template class FailOver<float>;
template class FailOver<double>;

}  // namespace firbank
