#include "engine/partitioned_level.hpp"

#include <algorithm>
#include <utility>

#include "engine/level_spectra.hpp"
#include "kernels/fetch.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostBytesFirst = std::size_t{256} << 10;  // of samples

}  // namespace

template <class Sample>
PartitionedLevel<Sample>::PartitionedLevel(const Backend& backend, const PartitionPlan& plan,
                                           const Routing& routing, WorkerPool& pool,
                                           WorkerPool& copiers, std::size_t pieces)
    : plan_(plan.levels.front()),
      block_frames_(plan_.block_frames),
      bins_(plan_.bins()),
      compact_(plan.compact_spectra),
      lead_frames_(plan_.lead_frames()),
      inputs_(routing.inputs()),
      outputs_(routing.outputs()),
      level_(backend.make_level<Sample>({.bins = bins_,
                                         .block_frames = block_frames_,
                                         .partition_taps = plan_.partition_taps,
                                         .slots = plan_.blocks_met(),
                                         .inputs = inputs_,
                                         .outputs = outputs_,
                                         .threads = pool.threads(),
                                         .pieces = pieces,
                                         .longest_bins = plan.levels.back().bins(),
                                         .single_terms = plan.levels.size() == 1 &&
                                                         plan_.blocks_met() == 1 &&
                                                         routing.has_single_edges(),
                                         .copies = plan.by_copies,
                                         .copiers = &copiers})),
      shares_(level_->shares()),
      keeps_samples_(backend.keeps_samples()),
      in_rows_(backend.has_shares() && inputs_ > 1 && routing.is_in_rows()),
      tile_outputs_(shares_.outputs),
      grain_(outputs_ >= tile_outputs_ * pool.threads() ? tile_outputs_ : 1),
      sums_ahead_(!backend.has_shares() || plan.call_frames < block_frames_),
      delay_line_(plan_.blocks_met()),
      pool_(pool),
      older_(inputs_),
      newer_(inputs_),
      answers_(outputs_) {
  for (std::size_t k = 1; k < plan.levels.size(); ++k) {
    deferred_.push_back(std::make_unique<DeferredLevel<Sample>>(
        backend, *level_, plan.levels[k], std::min(plan.call_frames, block_frames_), inputs_,
        outputs_, pool.threads(), plan.compact_spectra));
  }
}

template <class Sample>
std::unique_ptr<LevelBank> PartitionedLevel<Sample>::prepare(const FilterBank& filters,
                                                             const ResponseTable& responses) const {
  auto bank = std::make_unique<Bank>();
  const CarriedSums carried = plan_.partitions == 1 ? CarriedSums::kNone
                              : sums_ahead_         ? CarriedSums::kReadyAndNext
                                                    : CarriedSums::kNext;
  LevelSpectra<Sample> spectra =
      load_spectra(*level_, plan_, filters, responses, {.carried = carried, .compact = compact_});
  bank->spectra = std::move(spectra.bank);
  bank->ranges = std::move(spectra.partitions);
  bank->partitions = spectra.longest;
  for (const auto& level : deferred_) {
    bank->deferred.push_back(level->prepare(filters, responses, *bank->spectra));
  }
  bank->spectra->end_load();
  return bank;
}

/// A bank that has heard the past and summed nothing is what a bank is that comes by a swap: the
/// next activate() makes what is missing.
template <class Sample>
void PartitionedLevel<Sample>::replace(LevelBank& level_bank, std::size_t filter,
                                       std::span<const double> taps,
                                       const ResponseTable& responses) const {
  Bank& bank = static_cast<Bank&>(level_bank);
  if (replace_spectra(*bank.spectra, plan_, filter, taps, responses, bank.ranges)) {
    bank.partitions = longest_of(bank.ranges);
  }
  for (std::size_t k = 0; k < deferred_.size(); ++k) {
    deferred_[k]->replace(*bank.deferred[k], filter, taps, responses);
  }
  forget(bank);
}

template <class Sample>
std::size_t PartitionedLevel<Sample>::next_piece(std::size_t frames,
                                                 bool two_banks) const noexcept {
  // A second bank would find only the last blocks in the delay line.
  if (arrived_ == 0 && frames > block_frames_ && in_rows_ && !two_banks) {
    return frames / block_frames_ * block_frames_;
  }
  return std::min(frames, block_frames_ - arrived_);
}

template <class Sample>
void PartitionedLevel<Sample>::ingest(const Intake<Sample>& intake) noexcept {
  if (in_rows_) {
    rows_ = &intake;
  } else if (keeps_samples_) {
    hand_over(intake);
  } else {
    take_block(intake, 0);
  }
}

/// The piece to a backend that keeps samples.
template <class Sample>
void PartitionedLevel<Sample>::hand_over(const Intake<Sample>& intake) noexcept {
  const IntakeSamples<Sample> samples(intake);
  const std::size_t known = lead_frames_ + arrived_;  // of the window
  const std::int64_t start = intake.history().clock() - static_cast<std::int64_t>(known);
  const Window<Sample> window{.samples = &samples,
                              .newer_start = start + static_cast<std::int64_t>(bins_),
                              .fresh = {begins_ ? 0 : known, known + intake.frames()}};
  level_->forward(delay_line_.newest(), window, {0, inputs_}, {0, shares_.forward}, 0);
}

/// Writes and transforms one block of the piece.
template <class Sample>
void PartitionedLevel<Sample>::take_block(const Intake<Sample>& intake,
                                          std::size_t block) noexcept {
  pool_.run(inputs_, [&](IndexRange range, std::size_t thread) noexcept {
    write(intake, block, range);
    transform(intake, block, range, thread);
  });
}

/// Writes what one block of the piece brings to a few inputs.
template <class Sample>
void PartitionedLevel<Sample>::write(const Intake<Sample>& intake, std::size_t block,
                                     IndexRange inputs) noexcept {
  InputHistory<Sample>& history = intake.history();
  const std::size_t first = block * block_frames_;  // of the piece
  const std::size_t frames = std::min(intake.frames() - first, block_frames_);
  const std::int64_t end = history.clock() + static_cast<std::int64_t>(first + frames);
  for (std::size_t input = inputs.first; input < inputs.last; ++input) {
    intake.write(input, first, frames);
    // What has not arrived cannot be heard yet, but leftovers far louder than the present would
    // leave their rounding errors in it.
    if (arrived_ == 0) history.clear(input, end, 2 * bins_ - lead_frames_ - frames);
  }
}

/// Transforms what write() wrote.
template <class Sample>
void PartitionedLevel<Sample>::transform(const Intake<Sample>& intake, std::size_t block,
                                         IndexRange inputs, std::size_t thread) noexcept {
  const InputHistory<Sample>& history = intake.history();
  const std::size_t first = block * block_frames_;  // of the piece
  const std::size_t frames = std::min(intake.frames() - first, block_frames_);
  const std::size_t known = lead_frames_ + arrived_;  // of the window
  const std::int64_t start =
      history.clock() + static_cast<std::int64_t>(first) - static_cast<std::int64_t>(known);
  const bool begins = begins_ && block == 0;
  const Window<Sample> window = {.older = older_.data(),
                                 .newer = newer_.data(),
                                 .newer_start = start + static_cast<std::int64_t>(bins_),
                                 .fresh = {begins ? 0 : known, known + frames}};
  for (std::size_t input = inputs.first; input < inputs.last; ++input) {
    older_[input] = history.at(input, start);
    newer_[input] = history.at(input, window.newer_start);
  }
  level_->forward(delay_line_.after(block).newest(), window, inputs, {0, shares_.forward}, thread);
}

template <class Sample>
void PartitionedLevel<Sample>::activate(LevelBank& level_bank) noexcept {
  Bank& bank = static_cast<Bank&>(level_bank);
  bank.is_heard = true;
  activate_first(bank);
  for (std::size_t k = 0; k < deferred_.size(); ++k) {
    DeferredLevel<Sample>& level = *deferred_[k];
    if (level.is_ready(*bank.deferred[k])) continue;
    pool_.run(pool_.threads(), [&](IndexRange lanes, std::size_t) noexcept {
      for (std::size_t lane = lanes.first; lane < lanes.last; ++lane) {
        level.catch_up(*bank.deferred[k], lane);
      }
    });
    level.end_catch_up(*bank.deferred[k]);
  }
}

template <class Sample>
void PartitionedLevel<Sample>::activate_first(Bank& bank) noexcept {
  if (!sums_ahead_ || bank.step == Step::kInStep) return;
  if (bank.step == Step::kIdle) {
    bank.has_next = false;
    bank.next_done = 2;
  }
  bank.step = Step::kInStep;
  sum_ready(bank, Sum::kReady);
}

/// K_ready of the current block, in one go.
template <class Sample>
void PartitionedLevel<Sample>::sum_ready(Bank& bank, Sum to) noexcept {
  const IndexRange partitions{1, known_partitions(bank, delay_line_)};
  bank.has_ready = partitions.first < partitions.last;
  if (!bank.has_ready) return;
  pool_.run(outputs_, grain_, [&](IndexRange range, std::size_t thread) noexcept {
    add_partitions(bank, to, nullptr, delay_line_, partitions, range, thread);
  });
}

template <class Sample>
void PartitionedLevel<Sample>::render(LevelBank& level_bank, Sample* const* out,
                                      std::size_t frames) noexcept {
  Bank& bank = static_cast<Bank&>(level_bank);
  const bool whole = !sums_ahead_ && frames >= block_frames_;
  if (!sums_ahead_ && !whole && bank.ready_block != block_) {
    sum_ready(bank, Sum::kNext);
    bank.ready_block = block_;
  }
  // Most calls have one block, and few outputs: they are spared divisions.
  const std::size_t blocks = frames <= block_frames_ ? 1 : frames / block_frames_;
  // A few rows with all that becomes of them, while they are in the cache; or all rows block by
  // block.
  const Intake<Sample>* const waiting = std::exchange(rows_, nullptr);
  const Intake<Sample>* const rows =
      waiting != nullptr && waiting->outlasts(out) ? waiting : nullptr;
  for (std::size_t first = 0; first < blocks;) {
    const std::size_t last = rows != nullptr ? blocks : first + 1;
    if (waiting != nullptr && rows == nullptr) take_block(*waiting, first);
    pool_.run(outputs_, grain_, [&](IndexRange range, std::size_t thread) noexcept {
      // Loads that follow soon upon their stores wait for them: what the cache holds anyway is
      // written before any of it is transformed.
      const std::size_t bytes = (range.last - range.first) * frames * sizeof(Sample);
      const bool writes_first = rows != nullptr && blocks == 1 && bytes <= kMostBytesFirst;
      if (writes_first) write(*rows, 0, range);
      std::size_t tile_number = range.first == 0 ? 0 : range.first / tile_outputs_;
      for (std::size_t output = range.first; output < range.last; ++tile_number) {
        const IndexRange tile{output, std::min((tile_number + 1) * tile_outputs_, range.last)};
        // Of several blocks, the next one's inputs and this one's answers come into the cache while
        // this one is computed, row by row.
        const bool fetches = rows != nullptr && blocks > 1;
        const std::size_t step = fetches ? 1 : tile.last - tile.first;
        for (std::size_t block = first; block < last; ++block) {
          const std::size_t next = (block + 1) * block_frames_;
          const std::size_t middle = next + block_frames_ / 2;
          for (std::size_t k = tile.first; k < tile.last; ++k) {
            answers_[k] = out[k] + block * block_frames_;
          }
          if (rows != nullptr) {
            if (!writes_first) write(*rows, block, tile);
            for (std::size_t k = tile.first; k < tile.last; k += step) {
              if (fetches) fetch_to_write(answers_[k], block_frames_);
              if (fetches) rows->fetch(k, next, middle);
              transform(*rows, block, {k, k + step}, thread);
            }
          }
          sum(bank, block, whole, tile, tile_number, thread);
          const std::size_t known = lead_frames_ + arrived_;
          for (std::size_t k = tile.first; k < tile.last; k += step) {
            if (fetches) rows->fetch(k, middle, next + block_frames_);
            bank.spectra->inverse(answers_.data(), {known, known + std::min(frames, block_frames_)},
                                  {k, k + step}, {0, shares_.inverse}, thread);
          }
        }
        output = tile.last;
      }
      for (std::size_t k = 0; k < deferred_.size(); ++k) {
        deferred_[k]->add(*bank.deferred[k], out, frames, range);
      }
    });
    first = last;
  }
  if (whole && has_pairs(bank, blocks - 1)) {
    bank.next_block = block_ + static_cast<std::int64_t>(blocks);
  }
}

/// Whether half of the outputs are summed for two blocks: with all partitions met there is as much
/// to be summed for the next block as for this one.
template <class Sample>
bool PartitionedLevel<Sample>::has_pairs(const Bank& bank, std::size_t block) const noexcept {
  return plan_.pairs && delay_line_.after(block).filled() + 1 >= bank.partitions;
}

/// Partitions of a bank that have a block to meet.
template <class Sample>
std::size_t PartitionedLevel<Sample>::known_partitions(
    const Bank& bank, const FrequencyDelayLine& line) const noexcept {
  return std::min(bank.partitions, line.filled() / plan_.partition_blocks + 1);
}

/// Sums kNow of a tile for one block of the piece.
template <class Sample>
void PartitionedLevel<Sample>::sum(Bank& bank, std::size_t block, bool whole, IndexRange tile,
                                   std::size_t tile_number, std::size_t thread) noexcept {
  const FrequencyDelayLine line = delay_line_.after(block);
  // Tiles take turns.
  const bool is_paired = (static_cast<std::size_t>(block_) + block + tile_number) % 2 == 0;
  const bool continues = block == 0 ? bank.next_block == block_ : has_pairs(bank, block - 1);
  if (!whole) {
    const Sum ready = sums_ahead_ ? Sum::kReady : Sum::kNext;
    sum_now(bank, line, bank.has_ready ? ready : Sum::kNow, {0, 1}, tile, thread);
  } else if (is_paired && has_pairs(bank, block)) {
    bank.spectra->accumulate_pair(line.newest(), tile, {0, shares_.accumulate}, thread);
  } else if (!is_paired && continues) {
    sum_now(bank, line, Sum::kNext, {0, 1}, tile, thread);
  } else {
    sum_now(bank, line, Sum::kNow, {0, known_partitions(bank, line)}, tile, thread);
  }
}

/// Sums kNow of a few outputs: onto another sum, or from zero where that is kNow itself.
template <class Sample>
void PartitionedLevel<Sample>::sum_now(Bank& bank, const FrequencyDelayLine& line, Sum from,
                                       IndexRange partitions, IndexRange outputs,
                                       std::size_t thread) noexcept {
  add_partitions(bank, Sum::kNow, from == Sum::kNow ? nullptr : &from, line, partitions, outputs,
                 thread);
}

/// to = (from or zero) + partitions, of a few outputs.
template <class Sample>
void PartitionedLevel<Sample>::add_partitions(Bank& bank, Sum to, const Sum* from,
                                              const FrequencyDelayLine& line, IndexRange partitions,
                                              IndexRange outputs, std::size_t thread) noexcept {
  const IndexRange shares{0, shares_.accumulate};
  if (plan_.partition_blocks == 1) {
    bank.spectra->accumulate(to, from, line.newest(), partitions, outputs, shares, thread);
    return;
  }
  // A backend has partition p meet the block p before the one that it is told of.
  std::size_t p = partitions.first;
  do {
    const std::size_t between = p * (plan_.partition_blocks - 1);
    bank.spectra->accumulate(to, from, line.before_newest(between),
                             {p, std::min(p + 1, partitions.last)}, outputs, shares, thread);
    from = &to;
  } while (++p < partitions.last);
}

template <class Sample>
void PartitionedLevel<Sample>::add_to_next(Bank& bank, IndexRange partitions) noexcept {
  if (partitions.first >= partitions.last) return;
  const Sum next = Sum::kNext;
  pool_.run(outputs_, grain_, [&](IndexRange range, std::size_t thread) noexcept {
    bank.spectra->accumulate(Sum::kNext, bank.has_next ? &next : nullptr,
                             delay_line_.after_newest(), partitions, range, {0, shares_.accumulate},
                             thread);
  });
  bank.has_next = true;
}

/// Takes the sum for the next block as far as the current one has arrived.
template <class Sample>
void PartitionedLevel<Sample>::prepare_next(Bank& bank, bool complete) noexcept {
  // Partition p of the next block meets the block p - 1 before the current one.
  const std::size_t last = std::min(bank.partitions, delay_line_.filled() + 2);
  if (!complete) {
    const std::size_t share = last > 2 ? 2 + (last - 2) * arrived_ / block_frames_ : 2;
    add_to_next(bank, {bank.next_done, share});
    bank.next_done = std::max(bank.next_done, share);
    return;
  }
  if (bank.next_done == 2) {
    add_to_next(bank, {1, last});
  } else {
    add_to_next(bank, {bank.next_done, last});
    add_to_next(bank, {1, std::min<std::size_t>(2, last)});
  }
  bank.spectra->exchange_ready_and_next();
  bank.has_ready = bank.has_next;
  bank.has_next = false;
  bank.next_done = 2;
  bank.step = Step::kInStep;
}

template <class Sample>
void PartitionedLevel<Sample>::advance_deferred(const InputHistory<Sample>& history,
                                                std::span<LevelBank* const> banks,
                                                std::size_t frames) noexcept {
  bool any_forward = false;
  bool any_outputs = false;
  for (const auto& level : deferred_) {
    level->begin(history, frames);
    any_forward = any_forward || level->has_forward();
    any_outputs = any_outputs || level->has_outputs();
  }
  if (any_forward) {
    pool_.run(pool_.threads(), [&](IndexRange lanes, std::size_t) noexcept {
      for (std::size_t lane = lanes.first; lane < lanes.last; ++lane) {
        for (const auto& level : deferred_) {
          if (level->has_forward()) level->run_forward(lane);
        }
      }
    });
  }
  if (any_outputs) {
    const auto for_each = [&](auto&& work) noexcept {
      for (std::size_t k = 0; k < deferred_.size(); ++k) {
        if (!deferred_[k]->has_outputs()) continue;
        for (LevelBank* level_bank : banks) {
          Bank& bank = static_cast<Bank&>(*level_bank);
          work(*deferred_[k], *bank.deferred[k], bank.is_heard);
        }
      }
    };
    for_each([](auto& level, auto& bank, bool is_heard) { level.join(bank, is_heard); });
    pool_.run(pool_.threads(), [&](IndexRange lanes, std::size_t) noexcept {
      for (std::size_t lane = lanes.first; lane < lanes.last; ++lane) {
        for_each([lane](auto& level, auto& bank, bool) { level.run_outputs(bank, lane); });
      }
    });
    for_each([](auto& level, auto& bank, bool) { level.end(bank); });
  }
  for (const auto& level : deferred_) level->end(frames);
}

template <class Sample>
void PartitionedLevel<Sample>::advance(const InputHistory<Sample>& history,
                                       std::span<LevelBank* const> banks,
                                       std::size_t frames) noexcept {
  // What nobody has heard is taken now.
  if (const Intake<Sample>* const rows = std::exchange(rows_, nullptr)) {
    for (std::size_t first = 0; first < frames; first += block_frames_) {
      take_block(*rows, first / block_frames_);
    }
  }
  if (!deferred_.empty()) advance_deferred(history, banks, frames);
  begins_ = false;
  const bool begins = arrived_ == 0;
  arrived_ += frames;
  const bool complete = arrived_ >= block_frames_;
  for (LevelBank* level_bank : banks) {
    if (!sums_ahead_) break;
    Bank& bank = static_cast<Bank&>(*level_bank);
    if (bank.step == Step::kIdle && begins) bank.step = Step::kJoining;
    if (bank.step != Step::kIdle) prepare_next(bank, complete);
  }
  if (complete) {
    const std::size_t blocks = arrived_ == block_frames_ ? 1 : arrived_ / block_frames_;
    delay_line_ = delay_line_.after(blocks);
    block_ += static_cast<std::int64_t>(blocks);
    arrived_ = 0;
  }
  level_->submit();
}

template <class Sample>
void PartitionedLevel<Sample>::forget(std::span<LevelBank* const> banks) noexcept {
  for (LevelBank* bank : banks) forget(static_cast<Bank&>(*bank));
}

template <class Sample>
void PartitionedLevel<Sample>::forget(Bank& bank) const noexcept {
  bank.step = Step::kIdle;
  bank.has_next = false;
  bank.next_done = 2;
  bank.ready_block = bank.next_block = -1;
  for (std::size_t k = 0; k < deferred_.size(); ++k) deferred_[k]->reset_bank(*bank.deferred[k]);
}

template <class Sample>
void PartitionedLevel<Sample>::reset(InputHistory<Sample>& history,
                                     std::span<LevelBank* const> banks) noexcept {
  delay_line_.reset();
  arrived_ = 0;
  begins_ = true;
  std::size_t before_stream = lead_frames_;
  for (const auto& level : deferred_) {
    level->reset();
    before_stream = std::max(before_stream, level->frames_before_stream());
  }
  history.clear_past(before_stream);
  forget(banks);
  for (LevelBank* bank : banks) {
    activate_first(static_cast<Bank&>(*bank));  // without any past this is no work
  }
}

template class PartitionedLevel<float>;
template class PartitionedLevel<double>;

}  // namespace firbank
