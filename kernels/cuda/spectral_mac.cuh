// Spectral products and their sums: for each output, the terms' partitions met by the delay line.
//
// Every sum is taken in one fixed order, so that the same parameters give the same bits. No running
// sum takes more than kProductRun products before it is added to the next one, which keeps the
// error of long sums near that of short ones. A response that does not have a partition is not
// read, nor is anything added for it; a spectrum of the delay line that no output of a tile wants
// is not read.
#pragma once

#include <cstdint>

#include "kernels/cuda/compact.cuh"
#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/real_fft.cuh"

namespace firbank::cuda {

inline constexpr std::uint32_t kProductRun = 64;

/// Neighbouring bins that a thread moves at once.
template <class Real>
struct alignas(16) Bins {
  static constexpr unsigned kCount = 16 / sizeof(Complex<Real>);
  static_assert(kChunkBins % kCount == 0);
  Complex<Real> bin[kCount];
};

template <class Real>
FIRBANK_HD void add_product(Complex<Real>& sum, Complex<Real> x, Complex<Real> h) {
  sum.re += x.re * h.re;
  sum.re -= x.im * h.im;
  sum.im += x.re * h.im;
  sum.im += x.im * h.re;
}

template <class Real>
FIRBANK_HD void add(Bins<Real>& sum, const Bins<Real>& value) {
  FIRBANK_UNROLL
  for (unsigned i = 0; i < Bins<Real>::kCount; ++i) sum.bin[i] = sum.bin[i] + value.bin[i];
}

template <class Real>
FIRBANK_HD const Bins<Real>* as_bins(const Complex<Real>* values) {
  return reinterpret_cast<const Bins<Real>*>(values);
}
template <class Real>
FIRBANK_HD Bins<Real>* as_bins(Complex<Real>* values) {
  return reinterpret_cast<Bins<Real>*>(values);
}

/// Two multiples.
struct alignas(8) MultiplePair {
  Multiple bin[2];
};
static_assert(kGroupBins % 2 == 0);

/// The bins of a response from `at` on, counted in bins from the bank's first.
template <bool kCompact, class Real, class Ctx>
FIRBANK_HD Bins<Real> response_bins(Ctx& ctx, const Bank<Real>& bank, std::uint64_t at) {
  if constexpr (kCompact) {
    const MultiplePair pair = ctx.load(reinterpret_cast<const MultiplePair*>(bank.multiples + at));
    const float scale = scale_value(ctx.load(bank.scales + at / kGroupBins));
    return {{value_of(pair.bin[0], scale), value_of(pair.bin[1], scale)}};
  } else {
    return ctx.load(as_bins(bank.responses + at));
  }
}

/// One of them.
template <bool kCompact, class Real, class Ctx>
FIRBANK_HD Complex<Real> response_bin(Ctx& ctx, const Bank<Real>& bank, std::uint64_t at) {
  if constexpr (kCompact) {
    return value_of(ctx.load(bank.multiples + at),
                    scale_value(ctx.load(bank.scales + at / kGroupBins)));
  } else {
    return ctx.load(bank.responses + at);
  }
}

/// Spectrum `which` of an output's three.
template <class Real>
FIRBANK_HD Complex<Real>* sum_of(const Bank<Real>& bank, std::uint32_t which,
                                 std::uint32_t output) {
  return bank.sums + (static_cast<std::uint64_t>(which) * bank.outputs + output) * bank.bins;
}

template <class Real>
FIRBANK_HD const Complex<Real>* delayed(const Bank<Real>& bank, std::uint32_t input,
                                        std::uint32_t slot) {
  return bank.delay_lines + (static_cast<std::uint64_t>(input) * bank.slots + slot) * bank.bins;
}

/// The part of a tile's (term, partition) sequence that a thread sums: term after term, and of each
/// term the partitions of the command's ranges.
struct Share {
  Range ranges[kMaxRanges];
  std::uint32_t width;   // partitions of a term
  std::uint32_t term;    // where it begins
  std::uint32_t offset;  // and at which of the term's partitions
  std::uint32_t left;
};
static_assert(kMaxRanges == 2, "next_piece() knows two ranges");

template <class Ctx>
FIRBANK_HD Share share_of(Ctx& ctx, const LevelCommand* command, std::uint32_t terms,
                          std::uint32_t split, std::uint32_t splits) {
  Share share;
  const bool two = ctx.load(&command->ranges) == 2;
  share.ranges[0] = ctx.load(&command->partitions[0]);
  share.ranges[1] = two ? ctx.load(&command->partitions[1]) : Range{0, 0};
  share.width =
      share.ranges[0].last - share.ranges[0].first + share.ranges[1].last - share.ranges[1].first;
  const std::uint64_t all = static_cast<std::uint64_t>(terms) * share.width;
  const auto first = static_cast<std::uint32_t>(all * split / splits);
  share.left = static_cast<std::uint32_t>(all * (split + 1) / splits) - first;
  share.term = share.width == 0 ? 0 : first / share.width;
  share.offset = first - share.term * share.width;
  return share;
}

/// Takes the next partitions of one term that follow one another out of the share.
FIRBANK_HD Range next_piece(Share& share) {
  const std::uint32_t width = share.ranges[0].last - share.ranges[0].first;
  const bool second = share.offset >= width;
  Range piece;
  piece.first = second ? share.ranges[1].first + (share.offset - width)
                       : share.ranges[0].first + share.offset;
  std::uint32_t count = (second ? share.width : width) - share.offset;
  if (count > share.left) count = share.left;
  piece.last = piece.first + count;
  share.left -= count;
  share.offset += count;
  if (share.offset == share.width) {
    share.offset = 0;
    ++share.term;
  }
  return piece;
}

/// A thread's own corner of shared memory: kOutputs values that would cost registers.
template <unsigned kOutputs, class Real>
class Totals {
 public:
  template <class Ctx>
  FIRBANK_HD explicit Totals(Ctx& ctx)
      : first_(ctx.template shared<Bins<Real>>() + ctx.thread()), stride_(ctx.threads()) {
    FIRBANK_UNROLL
    for (unsigned k = 0; k < kOutputs; ++k) (*this)[k] = Bins<Real>{};
  }
  FIRBANK_HD Bins<Real>& operator[](unsigned k) { return first_[k * stride_]; }

 private:
  Bins<Real>* first_;
  unsigned stride_;
};

/// The sums of a share for up to kOutputs outputs of a tile, at 16 bytes of bins. Spectra of kAhead
/// partitions are asked for before the first of them is needed.
template <unsigned kOutputs, unsigned kAhead, bool kCompact, class Real, class Ctx>
FIRBANK_HD void sum_share(Ctx& ctx, const Bank<Real>& bank, const Tile& tile, Share share,
                          std::uint32_t newest, std::uint32_t bin, Totals<kOutputs, Real>& total) {
  Bins<Real> sum[kOutputs] = {};
  std::uint32_t room = kProductRun;
  while (share.left > 0) {
    const Term* terms = bank.terms + tile.first_term + share.term * tile.outputs;
    const Range piece = next_piece(share);

    std::uint64_t response[kOutputs];  // where its first partition's bins are
    std::uint32_t has_first[kOutputs];
    std::uint32_t has[kOutputs];  // partitions
    std::uint32_t input = 0;
    std::uint32_t first = kNone;  // of the partitions that any of them has
    std::uint32_t last = 0;
    FIRBANK_UNROLL
    for (unsigned k = 0; k < kOutputs; ++k) {
      response[k] = 0;
      has_first[k] = 0;
      has[k] = 0;
      if (k >= tile.outputs) continue;
      const Term term = ctx.load(terms + k);
      input = term.input;
      response[k] = term.spectra * bank.bins + bin;
      has_first[k] = term.partitions_first;
      has[k] = term.partitions_last - term.partitions_first;
      if (has[k] == 0) continue;
      if (term.partitions_first < first) first = term.partitions_first;
      if (term.partitions_last > last) last = term.partitions_last;
    }
    if (first < piece.first) first = piece.first;
    if (last > piece.last) last = piece.last;
    if (first >= last) continue;

    const Complex<Real>* line = delayed(bank, input, 0) + bin;
    std::uint32_t slot = (newest + first) % bank.slots;
    for (std::uint32_t at = first; at < last; at += kAhead) {
      Bins<Real> x[kAhead];
      Bins<Real> h[kAhead][kOutputs];
      bool wanted[kAhead][kOutputs];
      FIRBANK_UNROLL
      for (unsigned a = 0; a < kAhead; ++a) {
        const std::uint32_t p = at + a;
        bool any = false;
        FIRBANK_UNROLL
        for (unsigned k = 0; k < kOutputs; ++k) {
          wanted[a][k] = p < last && p - has_first[k] < has[k];
          any = any || wanted[a][k];
        }
        x[a] = any ? ctx.load(as_bins(line + static_cast<std::uint64_t>(slot) * bank.bins))
                   : Bins<Real>{};
        slot = slot + 1 == bank.slots ? 0 : slot + 1;
        FIRBANK_UNROLL
        for (unsigned k = 0; k < kOutputs; ++k) {
          h[a][k] = Bins<Real>{};
          if (wanted[a][k]) {
            h[a][k] = response_bins<kCompact>(
                ctx, bank, response[k] + static_cast<std::uint64_t>(p - has_first[k]) * bank.bins);
          }
        }
      }
      FIRBANK_UNROLL
      for (unsigned a = 0; a < kAhead; ++a) {
        FIRBANK_UNROLL
        for (unsigned k = 0; k < kOutputs; ++k) {
          if (!wanted[a][k]) continue;
          FIRBANK_UNROLL
          for (unsigned i = 0; i < Bins<Real>::kCount; ++i) {
            add_product(sum[k].bin[i], x[a].bin[i], h[a][k].bin[i]);
          }
        }
      }
      room -= kAhead;
      if (room == 0) {
        room = kProductRun;
        FIRBANK_UNROLL
        for (unsigned k = 0; k < kOutputs; ++k) {
          add(total[k], sum[k]);
          sum[k] = Bins<Real>{};
        }
      }
    }
  }
  FIRBANK_UNROLL
  for (unsigned k = 0; k < kOutputs; ++k) add(total[k], sum[k]);
}

/// Sums one tile's share and stores it: as the outputs' sums when it is the only one, or to be
/// added up by reduce_body().
template <unsigned kOutputs, unsigned kAhead, bool kCompact, class Real, class Ctx>
FIRBANK_HD void accumulate_tile(Ctx& ctx, const AccumulateParams<Real>& params, const Tile& tile,
                                std::uint32_t bin) {
  static_assert(kProductRun % kAhead == 0);
  const Bank<Real>& bank = params.bank;
  const std::uint32_t split = ctx.block_y();
  Totals<kOutputs, Real> total(ctx);
  sum_share<kOutputs, kAhead, kCompact>(
      ctx, bank, tile, share_of(ctx, params.current, tile.terms, split, params.splits),
      ctx.load(&params.current->newest), bin, total);

  const std::uint32_t from = ctx.load(&params.current->from);
  const std::uint32_t to = ctx.load(&params.current->to);
  FIRBANK_UNROLL
  for (unsigned k = 0; k < kOutputs; ++k) {
    if (k >= tile.outputs) continue;
    const std::uint32_t output = ctx.load(bank.tile_outputs + tile.first_output + k);
    if (params.splits > 1) {
      const std::uint64_t spectrum = static_cast<std::uint64_t>(split) * bank.outputs + output;
      ctx.store(as_bins(params.shares + spectrum * bank.bins + bin), total[k]);
      continue;
    }
    Bins<Real> sum = total[k];
    if (from != kNone) add(sum, ctx.load_coherent(as_bins(sum_of(bank, from, output) + bin)));
    ctx.store(as_bins(sum_of(bank, to, output) + bin), sum);
  }
}

/// Threads go over the bins of tile after tile; block_y is the share. There are fewer than 2^32 of
/// them, or the sums alone would not fit into any device.
template <bool kCompact, class Real, class Ctx>
FIRBANK_HD void accumulate_tiles(Ctx& ctx, const AccumulateParams<Real>& params) {
  const Range bins = ctx.load(&params.current->bins);
  const std::uint32_t chunks = (bins.last - bins.first) / Bins<Real>::kCount;
  const std::uint32_t items = params.bank.tiles * chunks;
  for (std::uint32_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const Tile tile = ctx.load(params.bank.tile + item / chunks);
    const std::uint32_t bin = bins.first + item % chunks * Bins<Real>::kCount;
    if (tile.outputs == 1) {
      accumulate_tile<1, 4, kCompact>(ctx, params, tile, bin);
    } else {
      accumulate_tile<kTileOutputs, 1, kCompact>(ctx, params, tile, bin);
    }
  }
}

template <class Real, class Ctx>
FIRBANK_HD void accumulate_body(Ctx& ctx, const AccumulateParams<Real>& params) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (params.bank.multiples != nullptr) return accumulate_tiles<true>(ctx, params);
  }
  accumulate_tiles<false>(ctx, params);
}

/// Adds up the shares of every output, in their order, each thread at 16 bytes of bins.
template <class Real, class Ctx>
FIRBANK_HD void reduce_body(Ctx& ctx, const AccumulateParams<Real>& params) {
  const Bank<Real>& bank = params.bank;
  const Range bins = ctx.load(&params.current->bins);
  const std::uint32_t chunks = (bins.last - bins.first) / Bins<Real>::kCount;
  const std::uint32_t items = bank.outputs * chunks;
  const std::uint32_t from = ctx.load(&params.current->from);
  for (std::uint32_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const std::uint32_t output = item / chunks;
    const std::uint32_t bin = bins.first + item % chunks * Bins<Real>::kCount;
    Bins<Real> total{};
    for (std::uint32_t split = 0; split < params.splits; ++split) {
      const std::uint64_t spectrum = static_cast<std::uint64_t>(split) * bank.outputs + output;
      add(total, ctx.load(as_bins(params.shares + spectrum * bank.bins + bin)));
    }
    if (from != kNone) add(total, ctx.load_coherent(as_bins(sum_of(bank, from, output) + bin)));
    ctx.store(as_bins(sum_of(bank, ctx.load(&params.current->to), output) + bin), total);
  }
}

/// One of `ways` shares of an output's last sum before its inverse, at bins first + r stride. The
/// first share takes up the sum prepared beforehand.
template <bool kCompact, class Real, class Ctx>
FIRBANK_HD void last_sum(Ctx& ctx, const RenderParams<Real>& params, std::uint32_t output,
                         std::uint32_t way, std::uint32_t first, std::uint32_t stride,
                         Complex<Real> (&total)[8]) {
  const Bank<Real>& bank = params.bank;
  const LevelCommand* command = params.current;
  const Range partitions = ctx.load(&command->render_partitions);
  const std::uint32_t newest = ctx.load(&command->render_newest);
  const Tile tile = ctx.load(bank.tile + ctx.load(bank.output_tile + output));
  const Term* terms = bank.terms + tile.first_term + ctx.load(bank.output_position + output);

  Complex<Real> sum[8] = {};
  std::uint32_t room = kProductRun;
  for (std::uint32_t t = way; t < tile.terms; t += params.ways) {
    const Term term = ctx.load(terms + t * tile.outputs);
    std::uint32_t p = term.partitions_first;
    if (p < partitions.first) p = partitions.first;
    std::uint32_t last = term.partitions_last;
    if (last > partitions.last) last = partitions.last;
    if (p >= last) continue;
    std::uint64_t h = (term.spectra + (p - term.partitions_first)) * bank.bins + first;
    std::uint32_t slot = (newest + p) % bank.slots;
    for (; p < last; ++p) {
      const Complex<Real>* x = delayed(bank, term.input, slot) + first;
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) {
        add_product(sum[r], ctx.load(x + r * stride),
                    response_bin<kCompact>(ctx, bank, h + r * stride));
      }
      h += bank.bins;
      slot = slot + 1 == bank.slots ? 0 : slot + 1;
      if (--room > 0) continue;
      room = kProductRun;
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) {
        total[r] = total[r] + sum[r];
        sum[r] = {};
      }
    }
  }
  const std::uint32_t from = way == 0 ? ctx.load(&command->render_from) : kNone;
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    total[r] = total[r] + sum[r];
    if (from != kNone) {
      total[r] = ctx.load(sum_of(bank, from, output) + first + r * stride) + total[r];
    }
  }
}

}  // namespace firbank::cuda
