#include "engine/partitioned_level.hpp"

#include <algorithm>
#include <utility>

namespace firbank {

template <class Sample>
PartitionedLevel<Sample>::PartitionedLevel(const Backend& backend, const PartitionPlan& plan,
                                           const Routing& routing, WorkerPool& pool,
                                           std::size_t pieces)
    : block_frames_(plan.partition_frames),
      bins_(plan.transform_frames / 2),
      inputs_(routing.inputs()),
      outputs_(routing.outputs()),
      level_(backend.make_level<Sample>({.bins = bins_,
                                         .block_frames = block_frames_,
                                         .slots = plan.partitions,
                                         .inputs = inputs_,
                                         .outputs = outputs_,
                                         .threads = pool.threads(),
                                         .pieces = pieces})),
      shares_(level_->shares()),
      delay_line_(plan.partitions),
      pool_(pool),
      older_(inputs_),
      newer_(inputs_) {}

template <class Sample>
std::unique_ptr<LevelBank> PartitionedLevel<Sample>::prepare(const FilterBank& filters,
                                                             const ResponseTable& responses) const {
  auto bank = std::make_unique<Bank>();
  SpectralBankShape shape;
  for (const Response& response : responses.responses()) {
    const std::size_t end = response.delay + filters.taps(response.filter).size();
    shape.partitions.push_back(
        {response.delay / block_frames_, (end + block_frames_ - 1) / block_frames_});
    bank->partitions = std::max(bank->partitions, shape.partitions.back().last);
  }
  shape.terms = responses.terms();
  const std::vector<IndexRange> partitions = shape.partitions;
  bank->spectra = level_->make_bank(std::move(shape));

  for (std::size_t r = 0; r < partitions.size(); ++r) {
    const Response& response = responses.responses()[r];
    const std::span<const double> taps = filters.taps(response.filter);
    // The first partition begins with what is left of the delay.
    std::vector<Sample> samples(response.delay - partitions[r].first * block_frames_);
    samples.reserve(samples.size() + taps.size());
    for (const double tap : taps) samples.push_back(static_cast<Sample>(response.gain * tap));
    bank->spectra->load(r, samples);
  }
  return bank;
}

template <class Sample>
void PartitionedLevel<Sample>::ingest(InputHistory<Sample>& history, std::size_t frames) noexcept {
  // What has not arrived cannot be heard yet, but leftovers far louder than the present would leave
  // their rounding errors in it.
  if (arrived_ == 0) history.clear(static_cast<std::int64_t>(frames), bins_ - frames);
  const std::int64_t block_start = history.clock() - static_cast<std::int64_t>(arrived_);
  for (std::size_t input = 0; input < inputs_; ++input) {
    newer_[input] = history.at(input, block_start);
    older_[input] = history.at(input, block_start - static_cast<std::int64_t>(bins_));
  }
  Window<Sample> window;
  window.older = older_.data();
  window.newer = newer_.data();
  window.newer_start = block_start;
  window.fresh = {begins_ ? 0 : bins_ + arrived_, bins_ + arrived_ + frames};
  begins_ = false;
  pool_.run(inputs_, [&](IndexRange range, std::size_t thread) noexcept {
    level_->forward(delay_line_.newest(), window, range, {0, shares_.forward}, thread);
  });
}

template <class Sample>
void PartitionedLevel<Sample>::activate(LevelBank& level_bank) noexcept {
  Bank& bank = static_cast<Bank&>(level_bank);
  if (bank.step == Step::kInStep) return;
  if (bank.step == Step::kIdle) {
    bank.has_next = false;
    bank.next_done = 2;
  }
  bank.step = Step::kInStep;
  const IndexRange partitions{1, std::min(bank.partitions, delay_line_.filled() + 1)};
  bank.has_ready = partitions.first < partitions.last;
  if (!bank.has_ready) return;
  pool_.run(outputs_, [&](IndexRange range, std::size_t) noexcept {
    bank.spectra->accumulate(Sum::kReady, nullptr, delay_line_.newest(), partitions, range,
                             {0, shares_.accumulate});
  });
}

template <class Sample>
void PartitionedLevel<Sample>::render(LevelBank& level_bank, Sample* const* out,
                                      std::size_t frames) noexcept {
  Bank& bank = static_cast<Bank&>(level_bank);
  const Sum ready = Sum::kReady;
  pool_.run(outputs_, [&](IndexRange range, std::size_t thread) noexcept {
    bank.spectra->accumulate(Sum::kNow, bank.has_ready ? &ready : nullptr, delay_line_.newest(),
                             {0, 1}, range, {0, shares_.accumulate});
    bank.spectra->inverse(out, {bins_ + arrived_, bins_ + arrived_ + frames}, range,
                          {0, shares_.inverse}, thread);
  });
}

template <class Sample>
void PartitionedLevel<Sample>::add_to_next(Bank& bank, IndexRange partitions) noexcept {
  if (partitions.first >= partitions.last) return;
  const Sum next = Sum::kNext;
  pool_.run(outputs_, [&](IndexRange range, std::size_t) noexcept {
    bank.spectra->accumulate(Sum::kNext, bank.has_next ? &next : nullptr,
                             delay_line_.after_newest(), partitions, range,
                             {0, shares_.accumulate});
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
void PartitionedLevel<Sample>::advance(std::span<LevelBank* const> banks,
                                       std::size_t frames) noexcept {
  const bool begins = arrived_ == 0;
  arrived_ += frames;
  const bool complete = arrived_ == block_frames_;
  for (LevelBank* level_bank : banks) {
    Bank& bank = static_cast<Bank&>(*level_bank);
    if (bank.step == Step::kIdle && begins) bank.step = Step::kJoining;
    if (bank.step != Step::kIdle) prepare_next(bank, complete);
  }
  if (complete) {
    delay_line_.advance();
    arrived_ = 0;
  }
  level_->submit();
}

template <class Sample>
void PartitionedLevel<Sample>::reset(InputHistory<Sample>& history,
                                     std::span<LevelBank* const> banks) noexcept {
  delay_line_.reset();
  arrived_ = 0;
  begins_ = true;
  history.clear(-static_cast<std::int64_t>(bins_), bins_);
  for (LevelBank* bank : banks) {
    static_cast<Bank&>(*bank).step = Step::kIdle;
    activate(*bank);  // without any past this is no work
  }
}

template class PartitionedLevel<float>;
template class PartitionedLevel<double>;

}  // namespace firbank
