#include "engine/deferred_level.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/level_spectra.hpp"

namespace firbank {
namespace {

/// Shares of `unit_ns` that bring `done_ns` as near to `due_ns` as they can, at most `left`.
std::size_t shares_until(double done_ns, double due_ns, double unit_ns, std::size_t left) {
  const double count = (due_ns - done_ns) / unit_ns + 0.5;
  if (count < 1) return 0;
  return count >= static_cast<double>(left) ? left : static_cast<std::size_t>(count);
}

}  // namespace

template <class Sample>
DeferredLevel<Sample>::DeferredLevel(const Backend& backend, SpectralLevel<Sample>& first,
                                     const LevelPlan& plan, std::size_t slice_frames,
                                     std::size_t inputs, std::size_t outputs, std::size_t lanes,
                                     bool compact)
    : plan_(plan),
      compact_(compact),
      has_shares_(backend.has_shares()),
      inputs_(inputs),
      outputs_(outputs),
      lanes_(lanes),
      slices_(static_cast<double>(plan.block_frames) / static_cast<double>(slice_frames)),
      level_(backend.make_level<Sample>({.bins = plan.bins(),
                                         .block_frames = plan.block_frames,
                                         .partition_taps = plan.partition_taps,
                                         .slots = plan.partitions + 1,
                                         .inputs = inputs,
                                         .outputs = outputs,
                                         .threads = lanes,
                                         .slices = plan.block_frames / slice_frames},
                                        &first)),
      shares_(level_->shares()),
      delay_line_(plan.partitions + 1),
      transformed_(lanes),
      older_(inputs),
      newer_(inputs) {}

template <class Sample>
std::unique_ptr<typename DeferredLevel<Sample>::Bank> DeferredLevel<Sample>::prepare(
    const FilterBank& filters, const ResponseTable& responses, SpectralBank<Sample>& first) const {
  auto bank = std::make_unique<Bank>();
  LevelSpectra<Sample> spectra =
      load_spectra(*level_, plan_, filters, responses,
                   {.carried = has_shares_ ? CarriedSums::kHalfOfNext : CarriedSums::kNone,
                    .compact = compact_,
                    .keeps_answers = true},
                   &first);
  spectra.bank->end_load();
  bank->partitions_ = spectra.longest;
  bank->ranges_ = std::move(spectra.partitions);
  bank->spectra_ = std::move(spectra.bank);
  share_work(*bank, responses);
  return bank;
}

template <class Sample>
void DeferredLevel<Sample>::replace(Bank& bank, std::size_t filter, std::span<const double> taps,
                                    const ResponseTable& responses) const {
  if (!replace_spectra(*bank.spectra_, plan_, filter, taps, responses, bank.ranges_)) return;
  bank.partitions_ = longest_of(bank.ranges_);
  share_work(bank, responses);
}

/// Says which outputs have an answer, and which lane makes it.
template <class Sample>
void DeferredLevel<Sample>::share_work(Bank& bank, const ResponseTable& responses) const {
  bank.outputs_.clear();
  bank.lanes_.clear();
  for (std::size_t output = 0; output < outputs_; ++output) {
    Tile& tile = bank.outputs_.emplace_back();
    tile.outputs = {output, output + 1};
    tile.terms = responses.terms()[output].size();
    for (const ResponseTerm& term : responses.terms()[output]) {
      const IndexRange& range = bank.ranges_[term.response];
      tile.partitions += range.last - range.first;
    }
  }
  for (std::size_t lane = 0; lane < lanes_; ++lane) {
    bank.lanes_.emplace_back().tiles = make_tiles(bank.outputs_, lane_range(outputs_, lane));
  }
}

/// Neighbours are summed together, as many as the backend likes and as long as a share of their
/// products is small beside a slice of all lanes. Without a backend that has shares: all of them.
template <class Sample>
std::vector<typename DeferredLevel<Sample>::Tile> DeferredLevel<Sample>::make_tiles(
    const std::vector<Tile>& outputs, IndexRange range) const {
  double work_ns = 0;
  for (std::size_t output = range.first; output < range.last; ++output) {
    work_ns += product_ns(outputs[output], Sweep::kPair) + plan_.inverse_ns;
  }
  const std::size_t half = shares_.accumulate / 2;
  const double most_ns =
      work_ns / slices_ / 4 * static_cast<double>(half) * static_cast<double>(lanes_);
  std::vector<Tile> tiles;
  for (std::size_t output = range.first; output < range.last; ++output) {
    const Tile& next = outputs[output];
    if (has_shares_ && next.partitions == 0) continue;
    const bool joins =
        !tiles.empty() && tiles.back().outputs.last == output &&
        output - tiles.back().outputs.first < shares_.outputs &&
        (!has_shares_ ||
         product_ns(tiles.back(), Sweep::kPair) + product_ns(next, Sweep::kPair) <= most_ns);
    if (!joins) {
      tiles.push_back(next);
      continue;
    }
    tiles.back().outputs.last = next.outputs.last;
    tiles.back().terms += next.terms;
    tiles.back().partitions += next.partitions;
  }
  if (!tiles.empty() && tiles.back().partitions == 0) tiles.clear();
  return tiles;
}

template <class Sample>
std::int64_t DeferredLevel<Sample>::heard_block() const noexcept {
  const std::int64_t since = arrived_ - static_cast<std::int64_t>(plan_.first_tap);
  return since < 0 ? kNone : since / static_cast<std::int64_t>(plan_.block_frames);
}

template <class Sample>
void DeferredLevel<Sample>::add(const Bank& bank, Sample* const* out, std::size_t frames,
                                IndexRange outputs) const noexcept {
  const std::int64_t heard = heard_block();
  if (heard == kNone) return;
  const auto since = static_cast<std::size_t>(arrived_) - plan_.first_tap;
  const std::size_t first = 2 * plan_.bins() - plan_.block_frames + since % plan_.block_frames;
  bank.spectra_->add_kept(static_cast<std::size_t>(heard) % 2, out, {first, first + frames},
                          outputs);
}

template <class Sample>
bool DeferredLevel<Sample>::is_ready(const Bank& bank) const noexcept {
  const std::int64_t heard = heard_block();
  return heard == kNone || bank.complete_[static_cast<std::size_t>(heard) % 2] == heard;
}

template <class Sample>
void DeferredLevel<Sample>::catch_up(Bank& bank, std::size_t lane) noexcept {
  const std::int64_t heard = heard_block();
  // The sums of the block under way, if any, are given up for those of the one that is heard.
  bank.lanes_[lane].progress = {};
  const std::size_t newest =
      heard == block_ ? delay_line_.newest() : (delay_line_.newest() + 1) % delay_line_.slots();
  run_until(bank, lane, {Sweep::kWhole, Sweep::kWhole}, std::numeric_limits<double>::infinity(),
            heard, newest);
}

template <class Sample>
void DeferredLevel<Sample>::end_catch_up(Bank& bank) noexcept {
  const std::int64_t heard = heard_block();
  bank.complete_[static_cast<std::size_t>(heard) % 2] = heard;
  bank.block_ = heard == block_ ? heard : kNone;
  bank.has_next_ = false;
}

template <class Sample>
void DeferredLevel<Sample>::begin(const InputHistory<Sample>& history,
                                  std::size_t frames) noexcept {
  const auto size = static_cast<std::int64_t>(plan_.block_frames);
  const std::int64_t now = arrived_ + static_cast<std::int64_t>(frames);
  const std::int64_t since = now - static_cast<std::int64_t>(plan_.first_tap);
  // The block whose answer is due next: in `left` frames.
  const std::int64_t block = since > -size ? (since + size - 1) / size : kNone;
  const std::int64_t end = (block + 1) * size;
  outputs_due_ = 0;
  if (block == kNone || now < end) return;
  if (block != block_) {
    if (block > 0) delay_line_.advance();
    block_ = block;
    forward_done_ = outputs_done_ = 0;
    std::fill(transformed_.begin(), transformed_.end(), std::size_t{0});
    const auto bins = static_cast<std::int64_t>(plan_.bins());
    const std::int64_t newer = history.clock() + (end - bins) - arrived_;
    window_start_ = newer;
    window_silent_ = static_cast<std::size_t>(std::max<std::int64_t>(0, 2 * bins - end));
    // Of no input where the backend keeps samples.
    for (std::size_t input = 0; input < history.channels(); ++input) {
      newer_[input] = history.at(input, newer);
      older_[input] = history.at(input, newer - bins);
    }
  }
  const double left = static_cast<double>(block * size - since);
  const double share = 1 - left / static_cast<double>(size);
  forward_due_ = std::max(forward_done_, std::min(1.0, share / plan_.forward_share));
  if (left == 0) {
    outputs_due_ = 1;
  } else if (share > plan_.forward_share) {
    outputs_due_ = (share - plan_.forward_share) / (1 - plan_.forward_share);
  }
}

template <class Sample>
void DeferredLevel<Sample>::run_forward(std::size_t lane) noexcept {
  const IndexRange inputs = lane_range(inputs_, lane);
  const std::size_t whole = (inputs.last - inputs.first) * shares_.forward;
  const auto due = static_cast<std::size_t>(
      std::lround(std::min(forward_due_, 1.0) * static_cast<double>(whole)));
  std::size_t& done = transformed_[lane];
  const Window<Sample> window{.older = older_.data(),
                              .newer = newer_.data(),
                              .newer_start = window_start_,
                              .fresh = {2 * plan_.bins() - plan_.block_frames, 2 * plan_.bins()},
                              .silent = window_silent_};
  if (shares_.forward == 1 && done < due) {
    level_->forward(delay_line_.newest(), window, {inputs.first + done, inputs.first + due}, {0, 1},
                    lane);
    done = due;
  }
  while (done < due) {
    const std::size_t input = inputs.first + done / shares_.forward;
    const std::size_t first = done % shares_.forward;
    const std::size_t last = std::min(shares_.forward, first + due - done);
    level_->forward(delay_line_.newest(), window, {input, input + 1}, {first, last}, lane);
    done += last - first;
  }
}

template <class Sample>
void DeferredLevel<Sample>::join(Bank& bank, bool is_heard) noexcept {
  if (bank.block_ == block_ || (!is_heard && outputs_done_ > 0.5)) return;
  for (Lane& lane : bank.lanes_) lane.progress = {};
  const bool continues = bank.has_next_ && bank.block_ == block_ - 1;
  // Until the level has met all partitions there is nothing to be gained.
  const bool pairs = has_shares_ && shares_.accumulate > 1 &&
                     block_ + 1 >= static_cast<std::int64_t>(bank.partitions_);
  const std::size_t paired = static_cast<std::size_t>(block_) % 2;
  bank.sweeps_ = {Sweep::kWhole, Sweep::kWhole};
  if (pairs) bank.sweeps_[paired] = Sweep::kPair;
  if (continues) bank.sweeps_[1 - paired] = Sweep::kRest;
  bank.has_next_ = pairs;
  bank.block_ = block_;
  bank.complete_[static_cast<std::size_t>(block_) % 2] = kNone;
  bank.joined_at_ = outputs_done_;
}

template <class Sample>
void DeferredLevel<Sample>::run_outputs(Bank& bank, std::size_t lane) noexcept {
  if (bank.block_ != block_) return;
  const double share = outputs_due_ >= 1 ? std::numeric_limits<double>::infinity()
                                         : (outputs_due_ - bank.joined_at_) / (1 - bank.joined_at_);
  run_until(bank, lane, bank.sweeps_, share, block_, delay_line_.newest());
}

/// Of one half of the bins.
template <class Sample>
double DeferredLevel<Sample>::product_ns(const Tile& tile, Sweep sweep) const noexcept {
  const double bins = static_cast<double>(plan_.bins()) / 2;
  switch (sweep) {
    case Sweep::kPair:
      return bins * static_cast<double>(tile.partitions) * plan_.pair_ns;
    case Sweep::kRest:
      return bins * static_cast<double>(tile.terms) * plan_.product_ns;
    default:
      return bins * static_cast<double>(tile.partitions) * plan_.product_ns;
  }
}

template <class Sample>
double DeferredLevel<Sample>::lane_ns(const Lane& lane, const Sweeps& sweeps) const noexcept {
  double ns = 0;
  for (const Tile& tile : lane.tiles) {
    ns += product_ns(tile, sweeps[0]) + product_ns(tile, sweeps[1]) +
          static_cast<double>(tile.outputs.last - tile.outputs.first) * plan_.inverse_ns;
  }
  return ns;
}

/// Goes on with the outputs of `block` until `share` of the lane's work is done.
template <class Sample>
void DeferredLevel<Sample>::run_until(Bank& bank, std::size_t lane, const Sweeps& sweeps,
                                      double share, std::int64_t block,
                                      std::size_t newest) noexcept {
  Lane& work = bank.lanes_[lane];
  Progress& done = work.progress;
  // All that is left, whatever it is estimated to cost.
  const double due_ns = std::isinf(share) ? share : share * lane_ns(work, sweeps);
  const std::size_t place = static_cast<std::size_t>(block) % 2;
  while (done.tile < work.tiles.size()) {
    if (!run_products(bank, lane, sweeps, due_ns, block, newest)) return;
    const Tile& tile = work.tiles[done.tile];
    const std::size_t outputs = tile.outputs.last - tile.outputs.first;
    const double unit = plan_.inverse_ns / static_cast<double>(shares_.inverse);
    while (done.output < outputs) {
      // Parts of one output, or as many outputs as are due at once.
      const bool is_cut = shares_.inverse > 1;
      const std::size_t left = is_cut ? shares_.inverse - done.inverse : outputs - done.output;
      const std::size_t count = shares_until(done.ns, due_ns, unit, left);
      if (count == 0) return;
      const std::size_t first = tile.outputs.first + done.output;
      const IndexRange range{first, first + (is_cut ? 1 : count)};
      const IndexRange parts{done.inverse, done.inverse + (is_cut ? count : 1)};
      bank.spectra_->keep(place, range, parts, lane);
      done.ns += unit * static_cast<double>(count);
      if (is_cut && parts.last < shares_.inverse) {
        done.inverse = parts.last;
        return;
      }
      done.inverse = 0;
      done.output += range.last - range.first;
    }
    done.products = done.output = 0;
    ++done.tile;
  }
}

/// The products of the tile in hand; true when they are complete.
template <class Sample>
bool DeferredLevel<Sample>::run_products(Bank& bank, std::size_t lane, const Sweeps& sweeps,
                                         double due_ns, std::int64_t block,
                                         std::size_t newest) noexcept {
  using Sum = typename SpectralBank<Sample>::Sum;
  const Sum next = Sum::kNext;
  // The block has met no more partitions than blocks have been.
  const auto met = static_cast<std::size_t>(
      std::min<std::int64_t>(block + 1, static_cast<std::int64_t>(bank.partitions_)));
  Progress& done = bank.lanes_[lane].progress;
  const Tile& tile = bank.lanes_[lane].tiles[done.tile];
  const std::size_t middle = shares_.accumulate / 2;
  const std::array<IndexRange, 2> halves{{{0, middle}, {middle, shares_.accumulate}}};
  // What was left of a sum makes room for what the other half leaves.
  const std::size_t first = sweeps[1] == Sweep::kRest ? 1 : 0;
  std::size_t passed = 0;
  for (const std::size_t half : {first, 1 - first}) {
    const std::size_t length = halves[half].last - halves[half].first;
    const std::size_t begin = passed;
    passed += length;
    if (done.products >= passed) continue;
    const double unit = product_ns(tile, sweeps[half]) / static_cast<double>(length);
    const std::size_t count = shares_until(done.ns, due_ns, unit, passed - done.products);
    if (count == 0) return false;
    const std::size_t share = halves[half].first + done.products - begin;
    const IndexRange shares{share, share + count};
    switch (sweeps[half]) {
      case Sweep::kPair:
        bank.spectra_->accumulate_pair(newest, tile.outputs, shares, lane);
        break;
      case Sweep::kRest:
        bank.spectra_->accumulate(Sum::kNow, &next, newest, {0, 1}, tile.outputs, shares, lane);
        break;
      case Sweep::kWhole:
        bank.spectra_->accumulate(Sum::kNow, nullptr, newest, {0, met}, tile.outputs, shares, lane);
        break;
    }
    done.products += count;
    done.ns += unit * static_cast<double>(count);
    if (done.products < passed) return false;
  }
  return true;
}

template <class Sample>
void DeferredLevel<Sample>::end(Bank& bank) noexcept {
  if (bank.block_ != block_ || outputs_due_ < 1) return;
  bank.complete_[static_cast<std::size_t>(block_) % 2] = block_;
}

template <class Sample>
void DeferredLevel<Sample>::end(std::size_t frames) noexcept {
  forward_done_ = forward_due_;
  outputs_done_ = std::max(outputs_done_, outputs_due_);
  arrived_ += static_cast<std::int64_t>(frames);
}

template <class Sample>
void DeferredLevel<Sample>::reset() noexcept {
  arrived_ = 0;
  block_ = kNone;
  forward_done_ = forward_due_ = 1;
  outputs_done_ = outputs_due_ = 0;
}

template <class Sample>
void DeferredLevel<Sample>::reset_bank(Bank& bank) const noexcept {
  bank.block_ = kNone;
  bank.has_next_ = false;
  bank.complete_ = {kNone, kNone};
}

template class DeferredLevel<float>;
template class DeferredLevel<double>;

}  // namespace firbank
