// Every backend computes the same: its bulk operations against the formulas in double precision,
// for random shapes and orders of operations.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/backends.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/new_samples.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::EndsOfPlanes;
using test::Random;

/// One level and bank, driven beside what they should hold.
template <class Sample>
class Conformance {
 public:
  using Bank = SpectralBank<Sample>;
  using Sum = typename Bank::Sum;

  Conformance(const Backend& backend, Random& random, const LevelShape& shape)
      : random_(random),
        shape_(shape),
        has_shares_(backend.has_shares()),
        keeps_samples_(backend.keeps_samples()),
        can_be_compact_(sizeof(Sample) == sizeof(float) && backend.has_compact_spectra()),
        block_at_(shape.partition_taps == shape.block_frames && shape.block_frames <= shape.bins
                      ? shape.bins
                      : 2 * shape.bins - shape.block_frames),
        frames_(2 * shape.bins - block_at_),
        level_(backend.make_level<Sample>(shape)),
        past_(shape.inputs, std::vector<double>(block_at_)),
        windows_(shape.inputs * shape.slots, std::vector<double>(2 * shape.bins)),
        sums_(3 * shape.outputs, std::vector<double>(frames_)),
        planes_(shape.outputs, std::vector<Sample>(frames_)) {
    make_bank();
    for (std::vector<Sample>& plane : planes_) out_.push_back(plane.data());
  }

  /// Takes a whole block in random pieces, some of which are heard.
  void take_block() {
    for (auto& input : past_) {
      input.erase(input.begin(), input.end() - static_cast<std::ptrdiff_t>(block_at_));
    }
    std::size_t arrived = 0;
    while (arrived < shape_.block_frames) {
      const std::size_t frames = between(random_, 1, shape_.block_frames - arrived);
      take_piece(arrived, frames);
      arrived += frames;
    }
    newest_ = (newest_ + shape_.slots - 1) % shape_.slots;
    block_start_ += static_cast<std::int64_t>(shape_.block_frames);
  }

 private:
  static std::size_t index(Sum sum) { return static_cast<std::size_t>(sum); }
  bool has_ready() const { return carried_ == CarriedSums::kReadyAndNext; }
  bool has_halves() const { return carried_ == CarriedSums::kHalfOfNext; }
  Sum carried_sum() {
    return has_ready() && between(random_, 0, 1) == 0 ? Sum::kReady : Sum::kNext;
  }

  /// Cuts [0, count) at random.
  std::vector<IndexRange> cuts(std::size_t count) {
    std::vector<IndexRange> ranges;
    const std::size_t longest = between(random_, 1, count);
    for (std::size_t first = 0; first < count;) {
      const std::size_t last = std::min(count, first + between(random_, 1, longest));
      ranges.push_back({first, last});
      first = last;
    }
    return ranges;
  }

  /// Runs an operation on each of `count` inputs or outputs in parts: run(item, shares, thread),
  /// one item on each thread number at a time, and the threads' parts in any order.
  template <class Run>
  void in_parts(std::size_t count, std::size_t shares, const Run& run) {
    for (std::size_t first = 0; first < count; first += shape_.threads) {
      const std::size_t busy = std::min(shape_.threads, count - first);
      std::vector<std::vector<IndexRange>> parts;
      for (std::size_t thread = 0; thread < busy; ++thread) parts.push_back(cuts(shares));
      std::vector<std::size_t> next(busy);
      std::vector<std::size_t> turns;  // of threads: one for each part
      for (std::size_t thread = 0; thread < busy; ++thread) {
        turns.insert(turns.end(), parts[thread].size(), thread);
      }
      std::shuffle(turns.begin(), turns.end(), random_);
      for (const std::size_t thread : turns) {
        run(first + thread, parts[thread][next[thread]++], thread);
      }
    }
  }

  void make_bank() {
    SpectralBankShape bank;
    const std::size_t responses = between(random_, 1, 6);
    for (std::size_t r = 0; r < responses; ++r) {
      const std::size_t first = between(random_, 0, shape_.slots - 1);
      bank.partitions.push_back({first, between(random_, first + 1, shape_.slots)});
    }
    // Some outputs hear the same inputs, so that they may share the reading of them.
    std::vector<std::vector<std::size_t>> heard;
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<std::size_t>& inputs = heard.emplace_back();
      const std::size_t terms = between(random_, i, shape_.single_terms ? 1 : 5);
      for (std::size_t t = 0; t < terms; ++t) {
        inputs.push_back(between(random_, 0, shape_.inputs - 1));
      }
    }
    for (std::size_t output = 0; output < shape_.outputs; ++output) {
      std::vector<ResponseTerm>& terms = bank.terms.emplace_back();
      for (const std::size_t input : heard[between(random_, 0, 1)]) {
        terms.push_back({input, between(random_, 0, responses - 1)});
      }
    }
    carried_ = shape_.single_terms                          ? CarriedSums::kNone
               : between(random_, 0, 3) != 0                ? CarriedSums::kReadyAndNext
               : has_shares_ && between(random_, 0, 1) == 0 ? CarriedSums::kHalfOfNext
                                                            : CarriedSums::kNext;
    bank.carried = carried_;
    bank.compact = can_be_compact_ && between(random_, 0, 2) == 0;
    // 90 dB.
    error_limit_ = 3 * (bank.compact ? 3.16e-5 : test::kErrorLimit<Sample>);
    shape_of_bank_ = bank;
    bank_ = level_->make_bank(bank, nullptr);
    for (std::size_t r = 0; r < responses; ++r) {
      const IndexRange range = bank.partitions[r];
      const std::size_t room = (range.last - range.first) * shape_.partition_taps;
      std::vector<double>& taps = taps_.emplace_back(room);
      std::vector<Sample> given(between(random_, 1, room));
      for (std::size_t k = 0; k < given.size(); ++k) taps[k] = given[k] = sample();
      bank_->load(r, given);
    }
    bank_->end_load();
  }

  Sample sample() { return std::uniform_real_distribution<float>(-1, 1)(random_); }

  void take_piece(std::size_t arrived, std::size_t frames) {
    std::vector<std::vector<Sample>> halves;
    std::vector<const Sample*> older;
    std::vector<const Sample*> newer;
    for (std::size_t input = 0; input < shape_.inputs; ++input) {
      std::vector<double>& past = past_[input];
      for (std::size_t n = 0; n < frames; ++n) past.push_back(sample());
      std::vector<double>& window = windows_[input * shape_.slots + newest_];
      std::fill(std::copy(past.begin(), past.end(), window.begin()), window.end(), 0.0);
      const auto middle = window.begin() + static_cast<std::ptrdiff_t>(shape_.bins);
      halves.emplace_back(window.begin(), middle);
      halves.emplace_back(middle, window.end());
    }
    for (std::size_t input = 0; input < shape_.inputs; ++input) {
      older.push_back(halves[2 * input].data());
      newer.push_back(halves[2 * input + 1].data());
    }
    const EndsOfPlanes<Sample> samples(past_, frames);
    Window<Sample> window;
    if (keeps_samples_) {
      window.samples = &samples;
    } else {
      window.older = older.data();
      window.newer = newer.data();
    }
    window.newer_start = block_start_ + static_cast<std::int64_t>(shape_.bins - block_at_);
    window.fresh = {begun_ ? block_at_ + arrived : 0, block_at_ + arrived + frames};
    begun_ = true;
    const std::size_t shares = level_->shares().forward;
    if (has_shares_ && between(random_, 0, 1) == 0) {
      in_parts(shape_.inputs, shares, [&](std::size_t i, IndexRange part, std::size_t thread) {
        level_->forward(newest_, window, {i, i + 1}, part, thread);
      });
    } else {
      level_->forward(newest_, window, {0, shape_.inputs}, {0, shares}, 0);
    }
    samples.expect_taken(keeps_samples_ ? 1 : 0);
    const IndexRange all{0, shape_.outputs};
    if (shape_.single_terms && between(random_, 0, 3) == 0) {
      // Nobody listens; what was transformed belongs to the next piece's past.
      level_->submit();
      ASSERT_TRUE(level_->collect());
      return;
    }
    operate(all, false, 0);
    const IndexRange heard{arrived, arrived + frames};
    expected_.assign(shape_.outputs, {});
    if (has_shares_) {
      answer_in_tiles(heard);
    } else {
      sum_up(all, 0);
      bank_->inverse(out_.data(), {block_at_ + heard.first, block_at_ + heard.last}, all,
                     {0, level_->shares().inverse}, 0);
      first_frame_.assign(shape_.outputs, heard.first);
      forget(all);
      if (shape_.single_terms && between(random_, 0, 2) == 0) {
        // Again, as a second bank does.
        for (std::vector<Sample>& plane : planes_) std::fill(plane.begin(), plane.end(), Sample{0});
        sum_up(all, 0);
        bank_->inverse(out_.data(), {block_at_ + heard.first, block_at_ + heard.last}, all,
                       {0, level_->shares().inverse}, 0);
        forget(all);
      }
    }
    operate(all, !has_shares_, 0);
    level_->submit();
    ASSERT_TRUE(level_->collect());
    expect_frames(heard);
  }

  /// Puts something into sums kNow: at last in the usual way, partition 0 of the newest block onto
  /// a sum.
  void sum_up(IndexRange outputs, std::size_t thread) {
    now_is_known_ = false;
    operate(outputs, true, thread);
    const Sum ready = Sum::kReady;
    const bool from_ready = has_ready() && between(random_, 0, 1) == 0;
    if (carried_ == CarriedSums::kNone) {
      accumulate(Sum::kNow, nullptr, {0, 1}, outputs, thread);
    } else if (has_halves()) {
      sum_in_halves(outputs, thread);
    } else if (!has_ready() && between(random_, 0, 1) == 0) {
      accumulate_pair(outputs, thread);
    } else {
      accumulate(Sum::kNow, from_ready ? &ready : nullptr, {0, 1}, outputs, thread);
    }
    for (std::size_t output = outputs.first; output < outputs.last; ++output) {
      expected_[output] = sums_[output];
    }
  }

  /// The sums kNow of these are gone.
  void forget(IndexRange outputs) {
    for (std::size_t output = outputs.first; output < outputs.last; ++output) {
      std::fill(sums_[output].begin(), sums_[output].end(), 0.0);
    }
    now_is_known_ = false;
  }

  /// A few outputs at a time on each thread number: first their sums, then their frames, whole or
  /// in parts, the threads' parts in any order.
  void answer_in_tiles(IndexRange heard) {
    first_frame_.assign(shape_.outputs, heard.first);
    const std::size_t shares = level_->shares().inverse;
    const std::size_t bins = shape_.bins;
    for (std::size_t first = 0; first < shape_.outputs;) {
      std::vector<IndexRange> tiles;
      while (tiles.size() < shape_.threads && first < shape_.outputs) {
        const std::size_t most = std::min(level_->shares().outputs, shape_.outputs - first);
        tiles.push_back({first, first + between(random_, 1, most)});
        first = tiles.back().last;
        sum_up(tiles.back(), tiles.size() - 1);
      }
      if (block_at_ == bins && between(random_, 0, 1) == 0) {
        std::vector<std::vector<std::pair<std::size_t, IndexRange>>> parts(tiles.size());
        std::vector<std::size_t> turns;  // of threads: one for each part
        for (std::size_t thread = 0; thread < tiles.size(); ++thread) {
          for (std::size_t o = tiles[thread].first; o < tiles[thread].last; ++o) {
            first_frame_[o] = 0;
            for (const IndexRange part : cuts(shares)) {
              parts[thread].push_back({o, part});
              turns.push_back(thread);
            }
          }
        }
        std::shuffle(turns.begin(), turns.end(), random_);
        std::vector<std::size_t> next(tiles.size());
        for (const std::size_t thread : turns) {
          const auto& [output, part] = parts[thread][next[thread]++];
          bank_->inverse(out_.data(), {bins, 2 * bins}, {output, output + 1}, part, thread);
        }
      } else {
        for (std::size_t thread = 0; thread < tiles.size(); ++thread) {
          bank_->inverse(out_.data(), {block_at_ + heard.first, block_at_ + heard.last},
                         tiles[thread], {0, shares}, thread);
        }
      }
      for (const IndexRange tile : tiles) forget(tile);
    }
  }

  /// All partitions: one half of the shares from what kNext has of it, the other with what follows
  /// it, which takes the place of the first.
  void sum_in_halves(IndexRange outputs, std::size_t thread) {
    const std::size_t shares = level_->shares().accumulate;
    const std::array<IndexRange, 2> halves{{{0, shares / 2}, {shares / 2, shares}}};
    const std::size_t left = between(random_, 0, 1);
    const std::size_t before = (newest_ + 1) % shape_.slots;
    const Sum next = Sum::kNext;
    const auto in_cuts = [&](IndexRange half, const auto& run) {
      if (half.first == half.last) return;
      for (const IndexRange part : cuts(half.last - half.first)) {
        run(IndexRange{half.first + part.first, half.first + part.last});
      }
    };
    in_cuts(halves[left],
            [&](IndexRange part) { bank_->accumulate_pair(before, outputs, part, thread); });
    in_cuts(halves[left], [&](IndexRange part) {
      bank_->accumulate(Sum::kNow, &next, newest_, {0, 1}, outputs, part, thread);
    });
    in_cuts(halves[1 - left],
            [&](IndexRange part) { bank_->accumulate_pair(newest_, outputs, part, thread); });
    expect_sum(Sum::kNow, nullptr, newest_, {0, shape_.slots}, outputs);
  }

  /// A few sums of everything and anything that was transformed before.
  void operate(IndexRange outputs, bool with_now, std::size_t thread) {
    if (has_halves() || carried_ == CarriedSums::kNone) return;
    for (std::size_t i = between(random_, 0, 3); i > 0; --i) {
      const bool to_now = with_now && between(random_, 0, 1) == 0;
      const bool from_now = with_now && now_is_known_ && between(random_, 0, 2) == 0;
      const Sum to = to_now ? Sum::kNow : carried_sum();
      const Sum from = from_now ? Sum::kNow : carried_sum();
      const std::size_t first = between(random_, 0, shape_.slots);
      const std::size_t last = between(random_, first, shape_.slots);
      accumulate(to, between(random_, 0, 2) != 0 ? &from : nullptr, {first, last}, outputs, thread);
      if (with_now && between(random_, 0, 3) == 0) accumulate_pair(outputs, thread);
      if (has_ready() && outputs.last - outputs.first == shape_.outputs &&
          between(random_, 0, 3) == 0) {
        bank_->exchange_ready_and_next();
        for (std::size_t output = 0; output < shape_.outputs; ++output) {
          std::swap(sums_[index(Sum::kReady) * shape_.outputs + output],
                    sums_[index(Sum::kNext) * shape_.outputs + output]);
        }
      }
    }
  }

  void accumulate(Sum to, const Sum* from, IndexRange partitions, IndexRange outputs,
                  std::size_t thread) {
    const std::size_t shares = level_->shares().accumulate;
    if (has_shares_ && between(random_, 0, 1) == 0) {
      for (const IndexRange cut : cuts(outputs.last - outputs.first)) {
        const IndexRange some{outputs.first + cut.first, outputs.first + cut.last};
        for (const IndexRange part : cuts(shares)) {
          bank_->accumulate(to, from, newest_, partitions, some, part, thread);
        }
      }
    } else {
      bank_->accumulate(to, from, newest_, partitions, outputs, {0, shares}, thread);
    }
    expect_sum(to, from, newest_, partitions, outputs);
  }

  void accumulate_pair(IndexRange outputs, std::size_t thread) {
    const std::size_t shares = level_->shares().accumulate;
    if (has_shares_ && between(random_, 0, 1) == 0) {
      for (const IndexRange part : cuts(shares)) {
        bank_->accumulate_pair(newest_, outputs, part, thread);
      }
    } else {
      bank_->accumulate_pair(newest_, outputs, {0, shares}, thread);
    }
    const std::size_t slots = shape_.slots;
    expect_sum(Sum::kNow, nullptr, newest_, {0, slots}, outputs);
    expect_sum(Sum::kNext, nullptr, (newest_ + slots - 1) % slots, {1, slots}, outputs);
  }

  void expect_sum(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                  IndexRange outputs) {
    if (to == Sum::kNow) now_is_known_ = true;
    for (std::size_t output = outputs.first; output < outputs.last; ++output) {
      std::vector<double> sum(frames_);
      if (from != nullptr) sum = sums_[index(*from) * shape_.outputs + output];
      for (const ResponseTerm& term : shape_of_bank_.terms[output]) {
        const IndexRange range = shape_of_bank_.partitions[term.response];
        for (std::size_t p = std::max(partitions.first, range.first);
             p < std::min(partitions.last, range.last); ++p) {
          add_product(
              sum, windows_[term.input * shape_.slots + (newest + p) % shape_.slots],
              std::span(taps_[term.response])
                  .subspan((p - range.first) * shape_.partition_taps, shape_.partition_taps));
        }
      }
      sums_[index(to) * shape_.outputs + output] = sum;
    }
  }

  void add_product(std::vector<double>& sum, const std::vector<double>& window,
                   std::span<const double> taps) const {
    for (std::size_t j = 0; j < frames_; ++j) {
      for (std::size_t k = 0; k < taps.size(); ++k) sum[j] += taps[k] * window[block_at_ + j - k];
    }
  }

  /// The error is measured against the size of all frames that were computed: few of them are
  /// heard, and those behind have not arrived.
  void expect_frames(IndexRange heard) {
    double error = 0;
    double size = 0;
    for (std::size_t output = 0; output < shape_.outputs; ++output) {
      const std::vector<double>& expected = expected_[output];
      for (std::size_t n = heard.first; n < heard.last; ++n) {
        const double difference =
            static_cast<double>(planes_[output][n - first_frame_[output]]) - expected[n];
        error += difference * difference;
      }
      for (const double frame : expected) size += frame * frame;
    }
    size *= static_cast<double>(heard.last - heard.first) / static_cast<double>(heard.last);
    ASSERT_LE(std::sqrt(error), error_limit_ * std::sqrt(size) + 1e-30);
  }

  Random& random_;
  LevelShape shape_;
  bool has_shares_;
  bool keeps_samples_;
  bool can_be_compact_;
  std::size_t block_at_;  // where the block begins in its window
  std::size_t frames_;    // of the window, from there on
  std::unique_ptr<SpectralLevel<Sample>> level_;
  std::unique_ptr<Bank> bank_;
  SpectralBankShape shape_of_bank_;
  std::vector<std::vector<double>> taps_;  // of each response
  std::vector<std::vector<double>> past_;  // of each input: what the window has before the block,
                                           // and the block so far
  std::vector<std::vector<double>> windows_;  // [input][slot]
  std::vector<std::vector<double>> sums_;     // [sum][output]: the frames it stands for
  std::vector<std::vector<Sample>> planes_;   // [output]
  std::vector<Sample*> out_;
  std::size_t newest_ = 0;
  std::int64_t block_start_ = 0;
  bool begun_ = false;
  bool now_is_known_ = false;
  std::vector<std::vector<double>> expected_;  // of each output: the frames of its sum
  std::vector<std::size_t> first_frame_;       // of each output: where its plane begins
  CarriedSums carried_ = CarriedSums::kReadyAndNext;
  double error_limit_ = 0;
};

/// A first level of one partition and a later one, driven beside what they should hold: windows in
/// parts, sums in shares, answers in parts, and any of them added.
template <class Sample>
class LaterConformance {
 public:
  LaterConformance(const Backend& backend, Random& random)
      : random_(random),
        keeps_samples_(backend.keeps_samples()),
        bins_(std::size_t{1} << between(random, 3, 5)),
        later_bins_(bins_ << between(random, 0, 3)),
        inputs_(between(random, 1, 4)),
        outputs_(between(random, 1, 9)),
        slots_(between(random, 1, 4)),
        first_(backend.make_level<Sample>({.bins = bins_,
                                           .block_frames = bins_,
                                           .partition_taps = bins_,
                                           .slots = 1,
                                           .inputs = inputs_,
                                           .outputs = outputs_,
                                           .longest_bins = later_bins_})),
        later_(backend.make_level<Sample>({.bins = later_bins_,
                                           .block_frames = later_bins_,
                                           .partition_taps = later_bins_,
                                           .slots = slots_,
                                           .inputs = inputs_,
                                           .outputs = outputs_,
                                           .slices = later_bins_ / bins_},
                                          first_.get())),
        past_(inputs_, std::vector<Sample>(2 * later_bins_)),
        kept_(2, std::vector<std::vector<double>>(outputs_, std::vector<double>(later_bins_))) {
    make_banks();
  }

  /// Blocks of the first level until one of the later level is whole, and that one's answers.
  void take_later_block(std::size_t number) {
    for (std::size_t block = 0; block < later_bins_ / bins_; ++block) take_first_block();
    const std::size_t slot = (slots_ - number % slots_) % slots_;
    const std::size_t place = number % 2;
    run_later(slot, place, number);
    for (std::size_t output = 0; output < outputs_; ++output) {
      kept_[place][output].assign(later_bins_, 0.0);
      for (const ResponseTerm& term : shape_.terms[output]) {
        add_convolution(kept_[place][output], past_[term.input], later_taps_[term.response],
                        stream_start() - static_cast<std::int64_t>(later_bins_));
      }
    }
    // What was asked for last is heard in the same piece, and a window that comes after sums of the
    // one before leaves them alone.
    if (between(random_, 0, 1) == 0) {
      forward_later(slot, 2 * later_bins_);
      forward_later(slot, number == 0 ? later_bins_ : 0);
    }
    hear();
  }

 private:
  void forward_later(std::size_t slot, std::size_t silent) {
    Window<Sample> window = window_of(later_bins_);
    window.fresh = {later_bins_, 2 * later_bins_};
    window.silent = silent;
    later_->forward(slot, window, {0, inputs_}, {0, later_->shares().forward}, 0);
  }

  std::int64_t stream_start() const { return static_cast<std::int64_t>(past_[0].size()); }

  void make_banks() {
    const std::size_t responses = between(random_, 1, 4);
    for (std::size_t output = 0; output < outputs_; ++output) {
      std::vector<ResponseTerm>& terms = shape_.terms.emplace_back();
      for (std::size_t t = between(random_, 0, 3); t > 0; --t) {
        terms.push_back({between(random_, 0, inputs_ - 1), between(random_, 0, responses - 1)});
      }
    }
    SpectralBankShape later = shape_;
    for (std::size_t r = 0; r < responses; ++r) {
      shape_.partitions.push_back({0, 1});
      const std::size_t first = between(random_, 0, slots_ - 1);
      later.partitions.push_back({first, between(random_, first, slots_)});
    }
    shape_.carried = later.carried = CarriedSums::kNone;
    later.keeps_answers = true;
    first_bank_ = first_->make_bank(shape_, nullptr);
    later_bank_ = later_->make_bank(later, first_bank_.get());
    for (std::size_t r = 0; r < responses; ++r) {
      std::vector<Sample>& taps = first_taps_.emplace_back(noise(between(random_, 1, bins_)));
      first_bank_->load(r, taps);
      const IndexRange range = later.partitions[r];
      const std::size_t room = (range.last - range.first) * later_bins_;
      std::vector<Sample> given = noise(room == 0 ? 0 : between(random_, 1, room));
      later_bank_->load(r, given);
      given.insert(given.begin(), range.first * later_bins_, Sample{0});
      later_taps_.push_back(std::move(given));
    }
    later_bank_->end_load();
    first_bank_->end_load();
  }

  std::vector<Sample> noise(std::size_t count) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<Sample> samples(count);
    for (Sample& sample : samples) sample = uniform(random_);
    return samples;
  }

  /// to[n] += the convolution at frame `first` + n of `past`.
  static void add_convolution(std::vector<double>& to, const std::vector<Sample>& past,
                              const std::vector<Sample>& taps, std::int64_t first) {
    for (std::size_t n = 0; n < to.size(); ++n) {
      const std::size_t frame = static_cast<std::size_t>(first) + n;
      for (std::size_t k = 0; k < taps.size() && k <= frame; ++k) {
        to[n] += static_cast<double>(taps[k]) * static_cast<double>(past[frame - k]);
      }
    }
  }

  /// The windows of the last `length` frames, two halves of each input.
  Window<Sample> window_of(std::size_t bins) {
    older_.clear();
    newer_.clear();
    for (const std::vector<Sample>& past : past_) {
      newer_.push_back(past.data() + past.size() - bins);
      older_.push_back(newer_.back() - bins);
    }
    Window<Sample> window;
    if (!keeps_samples_) {
      window.older = older_.data();
      window.newer = newer_.data();
    }
    window.newer_start = stream_start() - static_cast<std::int64_t>(bins);
    return window;
  }

  void take_first_block() {
    for (std::vector<Sample>& past : past_) {
      const std::vector<Sample> block = noise(bins_);
      past.insert(past.end(), block.begin(), block.end());
    }
    Window<Sample> window = window_of(bins_);
    window.fresh = {begun_ ? bins_ : 0, 2 * bins_};
    begun_ = true;
    const EndsOfPlanes<Sample> samples(past_, bins_);
    if (keeps_samples_) window.samples = &samples;
    first_->forward(0, window, {0, inputs_}, {0, first_->shares().forward}, 0);
    samples.expect_taken(keeps_samples_ ? 1 : 0);
    hear();
  }

  /// The newest block's frames, with any of the later level's answers.
  void hear() {
    std::vector<std::vector<Sample>> planes(outputs_, std::vector<Sample>(bins_));
    std::vector<Sample*> out;
    for (std::vector<Sample>& plane : planes) out.push_back(plane.data());
    answer(out);
    const bool adds = between(random_, 0, 3) != 0;
    const std::size_t place = between(random_, 0, 1);
    const std::size_t offset = between(random_, 0, later_bins_ - bins_);
    if (adds) {
      const std::size_t first = later_bins_ + offset;
      later_bank_->add_kept(place, out.data(), {first, first + bins_}, {0, outputs_});
    }
    first_->submit();
    ASSERT_TRUE(first_->collect());
    for (std::size_t output = 0; output < outputs_; ++output) {
      std::vector<double> expected(bins_);
      for (const ResponseTerm& term : shape_.terms[output]) {
        add_convolution(expected, past_[term.input], first_taps_[term.response],
                        stream_start() - static_cast<std::int64_t>(bins_));
      }
      for (std::size_t n = 0; adds && n < bins_; ++n) {
        expected[n] += kept_[place][output][offset + n];
      }
      ASSERT_TRUE(test::follows(Signal{{planes[output].begin(), planes[output].end()}},
                                Signal{expected}, 3 * test::kErrorLimit<Sample>))
          << "output " << output;
    }
  }

  /// The first level's sums and frames, a few outputs at a time.
  void answer(const std::vector<Sample*>& out) {
    const std::size_t together = first_->shares().outputs;
    for (std::size_t first = 0; first < outputs_; first += together) {
      const IndexRange some{first, std::min(first + together, outputs_)};
      first_bank_->accumulate(SpectralBank<Sample>::Sum::kNow, nullptr, 0, {0, 1}, some,
                              {0, first_->shares().accumulate}, 0);
      first_bank_->inverse(out.data(), {bins_, 2 * bins_}, some, {0, first_->shares().inverse}, 0);
    }
  }

  /// What a later level does with a whole block, spread over some pieces.
  void run_later(std::size_t slot, std::size_t place, std::size_t number) {
    Window<Sample> window = window_of(later_bins_);
    window.fresh = {later_bins_, 2 * later_bins_};
    window.silent = number == 0 ? later_bins_ : 0;
    const auto maybe_submit = [&] {
      if (between(random_, 0, 3) != 0) return;
      first_->submit();
      ASSERT_TRUE(first_->collect());
    };
    for (std::size_t input = 0; input < inputs_;) {
      const std::size_t last = between(random_, input + 1, inputs_);
      later_->forward(slot, window, {input, last}, {0, later_->shares().forward}, 0);
      input = last;
      maybe_submit();
    }
    const Shares shares = later_->shares();
    for (std::size_t first = 0; first < outputs_; first += shares.outputs) {
      const IndexRange some{first, std::min(first + shares.outputs, outputs_)};
      for (std::size_t share = 0; share < shares.accumulate;) {
        const std::size_t last = between(random_, share + 1, shares.accumulate);
        later_bank_->accumulate(SpectralBank<Sample>::Sum::kNow, nullptr, slot, {0, slots_}, some,
                                {share, last}, 0);
        share = last;
        maybe_submit();
      }
      for (std::size_t output = some.first; output < some.last; ++output) {
        later_bank_->keep(place, {output, output + 1}, {0, shares.inverse}, 0);
        maybe_submit();
      }
    }
  }

  Random& random_;
  bool keeps_samples_;
  std::size_t bins_;
  std::size_t later_bins_;
  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t slots_;  // of the later level
  std::unique_ptr<SpectralLevel<Sample>> first_;
  std::unique_ptr<SpectralLevel<Sample>> later_;
  std::unique_ptr<SpectralBank<Sample>> first_bank_;
  std::unique_ptr<SpectralBank<Sample>> later_bank_;
  SpectralBankShape shape_;                             // of the first level's bank
  std::vector<std::vector<Sample>> first_taps_;         // of each response
  std::vector<std::vector<Sample>> later_taps_;         // likewise, delays included
  std::vector<std::vector<Sample>> past_;               // of each input: silence, and all that came
  std::vector<std::vector<std::vector<double>>> kept_;  // [place][output]
  std::vector<const Sample*> older_;
  std::vector<const Sample*> newer_;
  bool begun_ = false;
};

template <class Sample>
class BackendConformance : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(BackendConformance, SampleTypes);

TYPED_TEST(BackendConformance, HoldsForRandomOperations) {
  for (const std::string& name : test::available_backends()) {
    const auto backend = make_backend(name);
    ASSERT_NE(backend, nullptr) << name;
    for (std::uint64_t seed = 1; seed <= (test::full_sweep() ? 300 : 40); ++seed) {
      SCOPED_TRACE(testing::Message() << name << ", seed " << seed);
      Random random(seed);
      LevelShape shape;
      shape.bins = std::size_t{1} << between(random, 3, seed % 8 == 0 ? 10 : 7);
      shape.block_frames = between(random, shape.bins / 2, shape.bins);
      shape.slots = between(random, 1, shape.bins > 128 ? 2 : 6);
      if (backend->has_shares()) shape.threads = between(random, 1, 3);
      if (seed % 5 == 0) {
        shape.slots = 1;
        shape.block_frames = between(random, 1, 2 * shape.bins - 1);
        shape.single_terms = seed % 10 == 0;
      }
      shape.partition_taps = shape.block_frames;
      if (seed % 5 == 0) {
        shape.partition_taps = between(random, 1, 2 * shape.bins - shape.block_frames + 1);
      }
      shape.inputs = between(random, 1, shape.bins > 128 ? 2 : 5);
      shape.outputs = between(random, 1, shape.bins > 128 ? 2 : 20);
      Conformance<TypeParam> conformance(*backend, random, shape);
      for (std::size_t block = 0; block < shape.slots + 3; ++block) {
        conformance.take_block();
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(BackendConformance, HoldsForLaterLevels) {
  for (const std::string& name : test::available_backends()) {
    const auto backend = make_backend(name);
    ASSERT_NE(backend, nullptr) << name;
    for (std::uint64_t seed = 1; seed <= (test::full_sweep() ? 200 : 30); ++seed) {
      SCOPED_TRACE(testing::Message() << name << ", seed " << seed);
      Random random(seed);
      LaterConformance<TypeParam> conformance(*backend, random);
      for (std::size_t block = 0; block < 7; ++block) {
        conformance.take_later_block(block);
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace firbank
