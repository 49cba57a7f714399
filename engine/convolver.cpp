#include "engine/convolver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "engine/direct_level.hpp"
#include "engine/partitioned_level.hpp"
#include "engine/plan_memory.hpp"
#include "io/frame_time.hpp"
#include "kernels/cpu/denormals.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxCrossfadeFrames = std::size_t{1} << 40;

/// Adds without a read-modify-write: only the processing thread writes these counters.
template <class T, class U>
void count(std::atomic<T>& counter, U amount) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + static_cast<T>(amount),
                std::memory_order_relaxed);
}

/// Throws Error when a tap, times its edge's gain, is beyond the range of Sample.
template <class Sample>
void require_in_range(std::span<const double> taps, const std::string& name,
                      const Response& response) {
  bool all_finite = true;
  for (const double tap : taps) {
    all_finite &= std::isfinite(static_cast<Sample>(response.gain * tap));
  }
  if (all_finite) return;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    const double value = response.gain * taps[k];
    if (std::isfinite(static_cast<Sample>(value))) continue;
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("tap {} of filter '{}' times gain {} is {}; allowed in {}: up to {}", k, name,
                    response.gain, value, sizeof(Sample) == sizeof(float) ? "float" : "double",
                    std::numeric_limits<Sample>::max()));
  }
}

template <class Sample>
void require_in_range(const FilterBank& bank, const Response& response) {
  require_in_range<Sample>(bank.taps(response.filter), bank.name(response.filter), response);
}

template <class Sample>
std::unique_ptr<Level<Sample>> make_level(const Backend& backend, const PartitionPlan& plan,
                                          const Routing& routing, WorkerPool& pool,
                                          WorkerPool& caller, std::size_t pieces) {
  WorkerPool& computes = backend.max_threads() == 1 ? caller : pool;
  if (plan.kind == PlanKind::kDirect) {
    return std::make_unique<DirectLevel<Sample>>(backend, plan, routing, computes, pool, pieces);
  }
  return std::make_unique<PartitionedLevel<Sample>>(backend, plan, routing, computes, pool, pieces);
}

/// A device's threads copy for it; but in the hybrid mode they compute the heads, beside it.
std::size_t threads_of(const EngineConfig& config, const Backend& backend) {
  const bool copies = backend.can_be_lost() && config.gpu_mode != GpuMode::kHybrid;
  return copies ? config.threads : std::min(config.threads, backend.max_threads());
}

}  // namespace

template <class Sample>
Convolver<Sample>::Convolver(std::shared_ptr<const Backend> backend, const PartitionPlan& plan,
                             const EngineConfig& config, const FilterBank& bank,
                             const Routing& routing, std::size_t most_swaps)
    : backend_(std::move(backend)),
      plan_(plan),
      max_frames_(std::max({config.max_frames, config.block_frames, plan.call_frames})),
      routing_(routing),
      responses_(routing),
      pool_(threads_of(config, *backend_)),
      level_(make_level<Sample>(*backend_, plan, routing, pool_, caller_,
                                pieces_under_way(plan, config))),
      history_(backend_->keeps_samples() ? 0 : routing.inputs(), plan.history_frames(),
               plan.history_window()),
      guard_(routing.inputs(),
             plan.max_response + (pieces_under_way(plan, config) - 1) * plan.piece_frames,
             plan.piece_frames, plan.levels.empty() ? 0 : plan.levels.back().transform_frames),
      pieces_(pieces_under_way(plan, config),
              Piece{.out = std::vector<Sample*>(routing.outputs())}),
      calls_(config.depth_blocks + 2),
      // The bank in use, the one that fades in, and all that wait.
      handoff_(most_swaps + 2),
      spoiled_(pool_.threads() * plan.piece_frames),
      any_spoiled_(pool_.threads() * plan.piece_frames),
      silence_(max_frames_),
      silent_planes_(routing.inputs(), silence_.data()) {
  for (const Response& response : responses_.responses()) require_in_range<Sample>(bank, response);
  current_ = prepare(bank).release();
  tail_frames_ = current_->tail_frames;
}

template <class Sample>
Convolver<Sample>::~Convolver() {
  delete current_;
  delete fading_;
  delete upcoming_;
}

template <class Sample>
std::unique_ptr<typename Convolver<Sample>::Prepared> Convolver<Sample>::prepare(
    const FilterBank& bank) const {
  auto prepared = std::make_unique<Prepared>();
  prepared->spectra = level_->prepare(bank, responses_);
  prepared->filters = bank.size();
  std::size_t longest = 1;
  for (const std::vector<ResponseTerm>& terms : responses_.terms()) {
    std::vector<Reach>& reach = prepared->reach.emplace_back();
    for (const ResponseTerm& term : terms) {
      const Response& response = responses_.responses()[term.response];
      reach.push_back({term.input, response.delay, bank.heard_taps(response.filter)});
      longest = std::max(longest, reach.back().delay + reach.back().taps);
    }
  }
  prepared->tail_frames = longest - 1;
  return prepared;
}

template <class Sample>
ProcessStatus Convolver<Sample>::process(const Sample* const* in, Sample* const* out,
                                         std::size_t frames) noexcept {
  const FlushDenormals flush;
  submit_call(in, out, frames);
  last_call_ = collect_call();
  return last_call_.status;
}

template <class Sample>
void Convolver<Sample>::submit(const Sample* const* in, Sample* const* out,
                               std::size_t frames) noexcept {
  const FlushDenormals flush;
  submit_call(in, out, frames);
}

template <class Sample>
CallResult Convolver<Sample>::collect() noexcept {
  const FlushDenormals flush;
  return collect_call();
}

template <class Sample>
void Convolver<Sample>::submit_call(const Sample* const* in, Sample* const* out,
                                    std::size_t frames) noexcept {
  Call& call = calls_.push();
  call = {};
  if (frames == 0) return;
  count(call_count_, 1);
  if (frames > max_frames_) {
    for (std::size_t output = 0; output < routing_.outputs(); ++output) {
      std::fill_n(out[output], frames, Sample{0});
    }
    call.result.status = ProcessStatus::kTooManyFrames;
    return;
  }
  std::size_t done = 0;
  while (done < frames) {
    const std::size_t most = follow_swaps(std::min(frames - done, plan_.piece_frames));
    const std::size_t piece = level_->next_piece(most, fading_ != nullptr);
    level_->activate(*current_->spectra);
    if (fading_ != nullptr) level_->activate(*fading_->spectra);
    submit_piece(call, in, out, done, piece);
    done += piece;
  }
  silent_frames_ = 0;
}

template <class Sample>
bool Convolver<Sample>::can_collect() noexcept {
  return calls_.empty() || calls_.front().pieces == 0 || level_->can_collect(calls_.front().pieces);
}

template <class Sample>
void Convolver<Sample>::listen(const Sample* const* in, std::size_t frames) noexcept {
  const FlushDenormals flush;
  for (std::size_t done = 0; done < frames;) {
    const std::size_t most = std::min(frames - done, plan_.piece_frames);
    const std::size_t piece = level_->next_piece(most, false);
    const Intake<Sample> intake(history_, guard_, in, done, piece);
    level_->ingest(intake);
    level_->advance(history_, {}, piece);
    level_->collect();
    history_.advance(piece);
    count(position_, piece);
    done += piece;
  }
}

template <class Sample>
void Convolver<Sample>::skip(const Sample* const* in, Sample* const* out,
                             std::size_t frames) noexcept {
  const FlushDenormals flush;
  Call& call = calls_.push();
  call = {};
  if (frames == 0) return;
  call.result.status = ProcessStatus::kBackendFailed;
  count(call_count_, 1);
  for (std::size_t done = 0; done < frames;) {
    const std::size_t most = follow_swaps(std::min(frames - done, plan_.piece_frames));
    const std::size_t piece = level_->next_piece(most, fading_ != nullptr);
    level_->forget(banks());
    const Intake<Sample> intake(history_, guard_, in, done, piece);
    level_->ingest(intake);
    level_->advance(history_, {}, piece);
    level_->collect();
    for (std::size_t output = 0; output < routing_.outputs(); ++output) {
      std::fill_n(out[output] + done, piece, Sample{0});
    }
    count_lost(position(), piece);
    history_.advance(piece);
    count(position_, piece);
    count(frames_, piece);
    done += piece;
    if (fading_ != nullptr && position() == fade_.end()) end_swap();
  }
  silent_frames_ = 0;
}

template <class Sample>
CallResult Convolver<Sample>::collect_call() noexcept {
  const Call& call = calls_.front();
  while (call.pieces > 0) collect_piece();
  return calls_.pop().result;
}

template <class Sample>
std::size_t Convolver<Sample>::flush(Sample* const* out, std::size_t frames) noexcept {
  // A swap during the tail may lengthen it, so it is looked up anew each time.
  const FlushDenormals flush;
  if (frames > 0) follow_swaps(frames);
  const std::size_t silent = silent_frames_;
  const std::size_t tail = tail_frames();
  const std::size_t part = std::min({frames, tail > silent ? tail - silent : 0, max_frames_});
  if (part > 0) process(silent_planes_.data(), out, part);
  silent_frames_ = silent + part;
  return part;
}

/// Makes the swaps live that are due, and cuts the coming piece where a fade begins or ends. Asks
/// nothing of the level: of swaps that are due at once, without a fade, all but the last are never
/// heard, and what is asked for must be submitted before its bank may go.
template <class Sample>
std::size_t Convolver<Sample>::follow_swaps(std::size_t frames) noexcept {
  const std::int64_t now = position();
  // Distances as unsigned numbers: frames may be anywhere in the range of their type.
  const auto ahead = [now](std::int64_t frame) {
    return static_cast<std::uint64_t>(frame) - static_cast<std::uint64_t>(now);
  };
  std::uint64_t piece = frames;
  while (true) {
    if (upcoming_ == nullptr) upcoming_ = handoff_.take();
    if (fading_ != nullptr) {
      piece = std::min({piece, ahead(fade_.end()), std::uint64_t{plan_.fading_frames()}});
      break;
    }
    if (upcoming_ == nullptr) break;
    SwapOrder& order = upcoming_->order;
    if (order.due != nullptr) {
      const std::int64_t due = order.due->load(std::memory_order_acquire);
      if (due == SwapOrder::kNotDue) break;
      order.at_frame = std::max(order.at_frame, due);
    }
    if (const std::int64_t early = order.not_before - this->frames(); early > 0) {
      piece = std::min(piece, static_cast<std::uint64_t>(early));
      break;
    }
    if (order.at_frame > now) {
      piece = std::min(piece, ahead(order.at_frame));
      break;
    }
    begin_swap();
  }
  return static_cast<std::size_t>(piece);
}

template <class Sample>
void Convolver<Sample>::begin_swap() noexcept {
  collect_pieces();
  fading_ = std::exchange(upcoming_, nullptr);
  const SwapOrder& order = fading_->order;
  fade_ = {order.is_live ? order.at_frame : position(), order.crossfade_frames};
  Ticket& ticket = tickets_[order.ticket % kTicketsKept];
  ticket.since.store(frames(), std::memory_order_relaxed);
  ticket.frame.store(fade_.start, std::memory_order_release);
  count(swaps_, 1);
  pending_swaps_.fetch_sub(1, std::memory_order_release);
  tail_frames_.store(std::max(current_->tail_frames, fading_->tail_frames),
                     std::memory_order_relaxed);
  if (fade_.frames == 0) end_swap();
}

template <class Sample>
std::span<LevelBank* const> Convolver<Sample>::banks() noexcept {
  std::size_t count = 0;
  for (Prepared* bank : {current_, fading_, upcoming_}) {
    if (bank != nullptr) banks_[count++] = bank->spectra.get();
  }
  return {banks_.data(), count};
}

template <class Sample>
void Convolver<Sample>::end_swap() noexcept {
  handoff_.retire(std::exchange(current_, std::exchange(fading_, nullptr)));
  tail_frames_.store(current_->tail_frames, std::memory_order_relaxed);
}

template <class Sample>
void Convolver<Sample>::submit_piece(Call& call, const Sample* const* in, Sample* const* out,
                                     std::size_t offset, std::size_t frames) noexcept {
  if (pieces_.full()) collect_piece();
  Piece& piece = pieces_.push();
  piece.clock = history_.clock();
  piece.first_frame = position();
  piece.frames = frames;
  piece.call = &call;
  for (std::size_t output = 0; output < routing_.outputs(); ++output) {
    piece.out[output] = out[output] + offset;
  }

  const Intake<Sample> intake(history_, guard_, in, offset, frames);
  level_->ingest(intake);
  level_->render(*current_->spectra, piece.out.data(), frames);
  if (fading_ != nullptr) level_->render(*fading_->spectra, fading_->fade_planes.data(), frames);
  level_->advance(history_, banks(), frames);
  // Before any answer is stored: `out` may be `in`.
  if (log_ != nullptr) log_->append(in, offset, frames, pool_);
  history_.advance(frames);
  count(position_, frames);
  count(frames_, frames);
  ++call.pieces;
  // With room for one piece, or two banks, the answer is wanted before anything else happens.
  if (pieces_.capacity() == 1 || fading_ != nullptr) collect_pieces();
  if (fading_ != nullptr && position() == fade_.end()) end_swap();
}

template <class Sample>
void Convolver<Sample>::collect_pieces() noexcept {
  while (!pieces_.empty()) collect_piece();
}

/// Completes the outputs of the oldest piece.
template <class Sample>
void Convolver<Sample>::collect_piece() noexcept {
  const Piece& piece = pieces_.pop();
  --piece.call->pieces;
  if (!level_->collect()) {
    lose(piece);
    return;
  }
  if (fading_ != nullptr) {
    for_outputs(piece, [&](std::size_t output, std::size_t) {
      fade_.mix(piece.first_frame, piece.out[output], fading_->fade_planes[output], piece.frames);
    });
  }
  if (!guard_.is_quiet(piece.clock)) spoil(piece);
}

template <class Sample>
template <class Work>
void Convolver<Sample>::for_outputs(const Piece& piece, Work&& work) noexcept {
  pool_.run(routing_.outputs(), items_of_share(piece.frames * sizeof(Sample)),
            [&](IndexRange outputs, std::size_t thread) noexcept {
              for (std::size_t output = outputs.first; output < outputs.last; ++output) {
                work(output, thread);
              }
            });
}

/// Puts out silence and counts it.
template <class Sample>
void Convolver<Sample>::lose(const Piece& piece) noexcept {
  for_outputs(piece, [&](std::size_t output, std::size_t) {
    std::fill_n(piece.out[output], piece.frames, Sample{0});
  });
  piece.call->result.status = ProcessStatus::kBackendFailed;
  count_lost(piece.first_frame, piece.frames);
}

template <class Sample>
void Convolver<Sample>::count_lost(std::int64_t first_frame, std::size_t frames) noexcept {
  count(lost_frames_, frames);
  if (first_lost_frame_.load(std::memory_order_relaxed) == Stats::kNone) {
    first_lost_frame_.store(first_frame, std::memory_order_relaxed);
  }
}

/// Makes what is spoiled of one output NaN, and remembers the frames.
template <class Sample>
void Convolver<Sample>::spoil(const Piece& piece, std::size_t output, std::size_t thread) noexcept {
  std::uint8_t* const spoiled = spoiled_.data() + thread * plan_.piece_frames;
  std::uint8_t* const any_spoiled = any_spoiled_.data() + thread * plan_.piece_frames;
  std::fill_n(spoiled, piece.frames, std::uint8_t{0});
  guard_.mark_spoiled(current_->reach[output], piece.clock, spoiled, piece.frames);
  if (fading_ != nullptr) {
    guard_.mark_spoiled(fading_->reach[output], piece.clock, spoiled, piece.frames);
  }
  if (guard_.is_loud(piece.clock)) {
    guard_.mark_overflow(piece.out[output], spoiled, piece.frames);
  }
  for (std::size_t n = 0; n < piece.frames; ++n) {
    if (spoiled[n] == 0) continue;
    piece.out[output][n] = std::numeric_limits<Sample>::quiet_NaN();
    any_spoiled[n] = 1;
  }
}

/// Makes what is spoiled NaN and counts the frames that are in any output.
template <class Sample>
void Convolver<Sample>::spoil(const Piece& piece) noexcept {
  const auto seen_by = [&](std::size_t thread) {
    return any_spoiled_.data() + thread * plan_.piece_frames;
  };
  for (std::size_t thread = 0; thread < pool_.threads(); ++thread) {
    std::fill_n(seen_by(thread), piece.frames, std::uint8_t{0});
  }
  for_outputs(piece, [&](std::size_t output, std::size_t thread) { spoil(piece, output, thread); });
  for (std::size_t thread = 1; thread < pool_.threads(); ++thread) {
    const std::uint8_t* const seen = seen_by(thread);
    for (std::size_t n = 0; n < piece.frames; ++n) any_spoiled_[n] |= seen[n];
  }
  const auto begin = any_spoiled_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(piece.frames);
  const auto first = std::find(begin, end, 1);
  if (first == end) return;
  const std::int64_t frames = std::count(first, end, 1);
  const std::int64_t first_frame = piece.first_frame + (first - begin);
  CallResult& result = piece.call->result;
  if (result.spoiled_frames == 0) result.first_spoiled_frame = first_frame;
  result.spoiled_frames += frames;
  count(spoiled_frames_, frames);
  if (first_spoiled_frame_.load(std::memory_order_relaxed) == Stats::kNone) {
    first_spoiled_frame_.store(first_frame, std::memory_order_relaxed);
  }
}

template <class Sample>
void Convolver<Sample>::count_gap(std::int64_t first_frame, std::int64_t frames) noexcept {
  count(gaps_, 1);
  const std::int64_t before = gap_frames_.load(std::memory_order_relaxed);
  gap_frames_.store(saturating_sum(before, frames), std::memory_order_relaxed);
  if (first_gap_frame_.load(std::memory_order_relaxed) == Stats::kNone) {
    first_gap_frame_.store(first_frame, std::memory_order_relaxed);
  }
}

template <class Sample>
void Convolver<Sample>::reset() noexcept {
  collect_pieces();
  level_->reset(history_, banks());
  guard_.reset();
  silent_frames_ = std::numeric_limits<std::size_t>::max() / 2;
}

template <class Sample>
void Convolver<Sample>::check_swap(const FilterBank& bank, std::size_t crossfade_frames) const {
  for (const Response& response : responses_.responses()) {
    if (response.filter >= bank.size()) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("the routing names filter {}, but the new bank has {} filter{}",
                              response.filter, bank.size(), bank.size() == 1 ? "" : "s"));
    }
  }
  for (std::size_t filter = 0; filter < bank.size(); ++filter) {
    if (bank.taps(filter).size() > plan_.max_taps) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("filter '{}' of the new bank has {} taps; at most max_taps = {} are "
                              "allowed",
                              bank.name(filter), bank.taps(filter).size(), plan_.max_taps));
    }
  }
  if (crossfade_frames > kMaxCrossfadeFrames) {
    throw Error(ErrorKind::kConfiguration, fmt::format("crossfade_frames is {}; allowed: 0 to {}",
                                                       crossfade_frames, kMaxCrossfadeFrames));
  }
  constexpr std::size_t kMax = BasicEngine<Sample>::kMaxPendingSwaps;
  if (pending_swaps_.load(std::memory_order_acquire) >= kMax) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} swaps are pending; at most {} are allowed", kMax, kMax));
  }
  for (const Response& response : responses_.responses()) require_in_range<Sample>(bank, response);
}

template <class Sample>
void Convolver<Sample>::swap(const FilterBank& bank, const SwapOrder& order) {
  std::unique_ptr<Prepared> prepared = prepare(bank);
  prepared->order = order;
  if (order.crossfade_frames > 0) {
    const std::size_t frames = plan_.fading_frames();
    prepared->fade_samples.resize(routing_.outputs() * frames);
    for (std::size_t output = 0; output < routing_.outputs(); ++output) {
      prepared->fade_planes.push_back(prepared->fade_samples.data() + output * frames);
    }
  }
  Ticket& ticket = tickets_[order.ticket % kTicketsKept];
  ticket.frame.store(kNotLive, std::memory_order_relaxed);
  ticket.number.store(order.ticket, std::memory_order_release);
  pending_swaps_.fetch_add(1, std::memory_order_relaxed);
  handoff_.give(std::move(prepared));
}

template <class Sample>
void Convolver<Sample>::check_update(std::size_t filter, std::span<const double> taps) const {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, message);
  };
  if (fading_ != nullptr || pending_swaps_.load(std::memory_order_acquire) > 0) {
    refuse(fmt::format("filter {} cannot be updated while a swap is pending", filter));
  }
  if (filter >= current_->filters) {
    refuse(fmt::format("filter is {}; allowed with {} filter{}: 0 to {}", filter, current_->filters,
                       current_->filters == 1 ? "" : "s", current_->filters - 1));
  }
  if (taps.empty() || taps.size() > plan_.max_taps) {
    refuse(fmt::format("filter {} would have {} taps; allowed: 1 to max_taps = {}", filter,
                       taps.size(), plan_.max_taps));
  }
  for (std::size_t k = 0; k < taps.size(); ++k) {
    if (std::isfinite(taps[k])) continue;
    refuse(fmt::format("tap {} of filter {} would be {}; only finite numbers are allowed", k,
                       filter, taps[k]));
  }
  for (const Response& response : responses_.responses()) {
    if (response.filter != filter) continue;
    require_in_range<Sample>(taps, fmt::format("filter {}", filter), response);
  }
}

template <class Sample>
void Convolver<Sample>::update(std::size_t filter, std::span<const double> taps) {
  check_update(filter, taps);
  level_->replace(*current_->spectra, filter, taps, responses_);
  std::size_t longest = 1;
  for (std::size_t output = 0; output < current_->reach.size(); ++output) {
    const std::vector<ResponseTerm>& terms = responses_.terms()[output];
    for (std::size_t k = 0; k < terms.size(); ++k) {
      Reach& reach = current_->reach[output][k];
      if (responses_.responses()[terms[k].response].filter == filter) reach.taps = taps.size();
      longest = std::max(longest, reach.delay + reach.taps);
    }
  }
  current_->tail_frames = longest - 1;
  tail_frames_.store(longest - 1, std::memory_order_relaxed);
}

template <class Sample>
std::optional<std::int64_t> Convolver<Sample>::live_frame(std::uint64_t ticket) const noexcept {
  const Ticket& entry = tickets_[ticket % kTicketsKept];
  if (entry.number.load(std::memory_order_acquire) != ticket) return std::nullopt;
  const std::int64_t frame = entry.frame.load(std::memory_order_acquire);
  if (frame == kNotLive) return std::nullopt;
  return frame;
}

template <class Sample>
std::optional<std::int64_t> Convolver<Sample>::live_since(std::uint64_t ticket) const noexcept {
  if (!live_frame(ticket)) return std::nullopt;
  return tickets_[ticket % kTicketsKept].since.load(std::memory_order_relaxed);
}

template <class Sample>
void Convolver<Sample>::set_position(std::int64_t frame) noexcept {
  // Unsigned, as frames may be anywhere in the range of their type.
  const auto moved = static_cast<std::uint64_t>(frame) - static_cast<std::uint64_t>(position());
  fade_.start = static_cast<std::int64_t>(static_cast<std::uint64_t>(fade_.start) + moved);
  position_.store(frame, std::memory_order_relaxed);
}

template <class Sample>
void Convolver<Sample>::pass_over(std::size_t frames) noexcept {
  for (std::size_t left = frames; left > 0;) {
    const std::size_t part = follow_swaps(left);
    count(position_, part);
    count(frames_, part);
    left -= part;
    if (fading_ != nullptr && position() == fade_.end()) end_swap();
  }
}

template <class Sample>
Stats Convolver<Sample>::stats() const noexcept {
  Stats stats;
  stats.frames = frames_.load(std::memory_order_relaxed);
  stats.calls = call_count_.load(std::memory_order_relaxed);
  stats.spoiled_frames = spoiled_frames_.load(std::memory_order_relaxed);
  stats.first_spoiled_frame = first_spoiled_frame_.load(std::memory_order_relaxed);
  stats.gaps = gaps_.load(std::memory_order_relaxed);
  stats.gap_frames = gap_frames_.load(std::memory_order_relaxed);
  stats.first_gap_frame = first_gap_frame_.load(std::memory_order_relaxed);
  stats.swaps = swaps_.load(std::memory_order_relaxed);
  stats.lost_frames = lost_frames_.load(std::memory_order_relaxed);
  stats.first_lost_frame = first_lost_frame_.load(std::memory_order_relaxed);
  return stats;
}

template class Convolver<float>;
template class Convolver<double>;

}  // namespace firbank
