// The direct form on the device: the rings that samples lie in, and sums of their products with
// taps.
//
// A thread block sums a stretch of frames of one tile of outputs, one step of taps after another.
// It brings a step's taps and the samples that they meet into shared memory, each from global
// memory once and in chunks of 16 bytes. kTapLanes threads share the taps, kFrameLanes the frames:
// a thread keeps the samples that kTapChunks of taps meet in registers, and adds the products of
// each output up by themselves before they join what earlier steps have summed. Their shares are
// added up in shared memory, lane by lane, so that the order of a sum is always the same. Of one
// output a thread block may sum several stretches, which spares it the reading of the taps.
//
// Taps lie in chunks by the frames that they meet, delays included: chunk c meets those that came
// c chunks before, and is zero where its response has no tap. So the samples are aligned to the
// chunks of all responses alike, by where the piece begins in its ring; where it begins within a
// chunk, samples are shifted on their way into shared memory.
#pragma once

#include <cstdint>

#include "kernels/cuda/command.cuh"
#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/real_fft.cuh"

namespace firbank::cuda {

/// Neighbouring taps or samples that are moved at once.
template <class Real>
struct alignas(16) Chunk {
  static constexpr std::uint32_t kCount = kChunkBytes / sizeof(Real);
  Real value[kCount];
};

template <class Real>
inline constexpr std::uint32_t kTileFrames = kChunkBytes / sizeof(Real) * kTileChunks;
template <class Real>
inline constexpr std::uint32_t kLaneFrames = kChunkBytes / sizeof(Real) * kFrameChunks;

// ---- Samples

/// The fresh samples of every input into its ring, behind zeros where the stream begins.
template <class Real, class Ctx>
FIRBANK_HD void take_samples_body(Ctx& ctx, const SampleParams<Real>& params) {
  const Range inputs = ctx.load(&params.current->inputs);
  const Range fresh = ctx.load(&params.current->fresh);
  const std::uint32_t silent = ctx.load(&params.current->silent);
  const std::uint32_t position = ctx.load(&params.current->window);
  const std::uint32_t slot = ctx.load(&params.current->stage_in);
  const bool is_narrow = ctx.load(&params.current->narrow) != 0;
  const std::uint32_t count = fresh.last - fresh.first;
  const std::uint32_t width = silent + count;
  const std::uint64_t items = static_cast<std::uint64_t>(inputs.last - inputs.first) * width;
  const Real* const staged =
      params.stage_in + static_cast<std::uint64_t>(slot) * params.inputs * params.piece_frames;
  for (std::uint64_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const std::uint64_t input = item / width;
    const auto n = static_cast<std::uint32_t>(item - input * width);
    std::uint32_t place = position + params.ring_frames - silent + n;
    if (place >= params.ring_frames) place -= params.ring_frames;
    if (place >= params.ring_frames) place -= params.ring_frames;
    Real sample = 0;
    if (n >= silent) {
      const std::uint64_t at = input * count + (n - silent);
      sample =
          is_narrow
              ? static_cast<Real>(ctx.load(reinterpret_cast<const std::int16_t*>(staged) + at)) *
                    static_cast<Real>(kNarrowScale)
              : ctx.load(staged + at);
    }
    ctx.store(params.rings + input * params.ring_frames + place, sample);
  }
}

/// Chunks [first, last) of the samples that a step's taps meet, of which `to` has room for `room`:
/// chunk 0 begins kStepChunks before `frame` of the piece, less `delay` chunks.
template <class Real, class Ctx>
FIRBANK_HD void bring_samples(Ctx& ctx, const DirectParams<Real>& params, std::uint32_t input,
                              std::uint32_t frame, std::uint32_t delay, Range chunks,
                              std::uint32_t room, Chunk<Real>* to) {
  constexpr std::uint32_t kCount = Chunk<Real>::kCount;
  const std::uint32_t position = ctx.load(&params.current->window);
  const std::uint32_t shift = position % kCount;
  const auto in_ring = static_cast<std::int32_t>(params.ring_frames / kCount);
  const std::int32_t zero = static_cast<std::int32_t>(position / kCount + frame / kCount) -
                            static_cast<std::int32_t>(kStepChunks + delay);
  const auto* ring = reinterpret_cast<const Chunk<Real>*>(
      params.rings + static_cast<std::uint64_t>(input) * params.ring_frames);
  const std::uint32_t last = chunks.last + (shift > 0 ? 1 : 0);
  for (std::uint32_t j = chunks.first + ctx.thread(); j < last; j += ctx.threads()) {
    std::int32_t place = zero + static_cast<std::int32_t>(j);
    if (place < 0) place += in_ring;
    if (place >= in_ring) place -= in_ring;
    const Chunk<Real> chunk = ctx.load(ring + place);
    if (shift == 0) {
      to[j] = chunk;
      continue;
    }
    FIRBANK_UNROLL
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const std::uint32_t n = j * kCount + i - shift;  // wraps round before the first
      if (n < room * kCount) reinterpret_cast<Real*>(to)[n] = chunk.value[i];
    }
  }
}

// ---- Taps

/// What the outputs of a tile have of one input: its chunks of taps, delays included.
struct TapRange {
  std::uint32_t input;
  std::uint32_t first;
  std::uint32_t last;
};

template <class Real, class Ctx>
FIRBANK_HD TapRange taps_of(Ctx& ctx, const DirectParams<Real>& params, const Tile& tile,
                            std::uint32_t term) {
  const Term* terms = params.terms + tile.first_term + term * tile.outputs;
  TapRange range{0, kNone, 0};
  for (std::uint32_t k = 0; k < tile.outputs; ++k) {
    const Term own = ctx.load(terms + k);
    range.input = own.input;
    if (own.partitions_first < range.first) range.first = own.partitions_first;
    if (own.partitions_last > range.last) range.last = own.partitions_last;
  }
  return range;
}

/// Chunks [first, first + count) of the taps of each output of a tile, zeros where it has none.
template <class Real, class Ctx>
FIRBANK_HD void bring_taps(Ctx& ctx, const DirectParams<Real>& params, const Tile& tile,
                           std::uint32_t term, std::uint32_t first, std::uint32_t count,
                           Chunk<Real>* to) {
  const Term* terms = params.terms + tile.first_term + term * tile.outputs;
  for (std::uint32_t k = 0; k < tile.outputs; ++k) {
    const Term own = ctx.load(terms + k);
    for (std::uint32_t i = ctx.thread(); i < count; i += ctx.threads()) {
      const std::uint32_t at = first + i;
      const bool has = at >= own.partitions_first && at < own.partitions_last;
      to[k * kStepChunks + i] = has ? ctx.load(reinterpret_cast<const Chunk<Real>*>(params.taps) +
                                               own.spectra + (at - own.partitions_first))
                                    : Chunk<Real>{};
    }
  }
}

// ---- Sums

/// Adds the products of a thread's share of a step's taps to its sums of one stretch.
template <unsigned kOutputs, class Real>
FIRBANK_HD void add_products(std::uint32_t tap_lane, std::uint32_t frame_lane,
                             std::uint32_t outputs, const Chunk<Real>* samples,
                             const Chunk<Real>* taps, Real (*total)[kLaneFrames<Real>]) {
  constexpr std::uint32_t kCount = Chunk<Real>::kCount;
  constexpr std::uint32_t kTaps = kTapChunks * kCount;
  constexpr std::uint32_t kFrames = kLaneFrames<Real>;
  // Frame f meets tap t in window[kTaps + f - t].
  Real window[kTaps + kFrames];
  const Chunk<Real>* from =
      samples + kStepChunks + frame_lane * kFrameChunks - (tap_lane + 1) * kTapChunks;
  FIRBANK_UNROLL
  for (std::uint32_t c = 0; c < kTapChunks + kFrameChunks; ++c) {
    const Chunk<Real> chunk = from[c];
    FIRBANK_UNROLL
    for (std::uint32_t i = 0; i < kCount; ++i) window[c * kCount + i] = chunk.value[i];
  }
  FIRBANK_UNROLL
  for (std::uint32_t k = 0; k < kOutputs; ++k) {
    if (k >= outputs) continue;
    Real sum[kFrames] = {};
    FIRBANK_UNROLL
    for (std::uint32_t c = 0; c < kTapChunks; ++c) {
      const Chunk<Real> chunk = taps[k * kStepChunks + tap_lane * kTapChunks + c];
      FIRBANK_UNROLL
      for (std::uint32_t i = 0; i < kCount; ++i) {
        FIRBANK_UNROLL
        for (std::uint32_t f = 0; f < kFrames; ++f) {
          sum[f] += chunk.value[i] * window[kTaps + f - (c * kCount + i)];
        }
      }
    }
    FIRBANK_UNROLL
    for (std::uint32_t f = 0; f < kFrames; ++f) total[k][f] += sum[f];
  }
}

/// Where a frame of an output goes: to the staging slot, or to this share of the sums.
template <class Real, class Ctx>
FIRBANK_HD Real* answer_place(Ctx& ctx, const DirectParams<Real>& params, std::uint32_t output,
                              std::uint32_t frames, std::uint32_t frame) {
  if (params.splits > 1) {
    const std::uint64_t share = static_cast<std::uint64_t>(ctx.block_y()) * params.outputs + output;
    return params.shares + share * params.piece_frames + frame;
  }
  const std::uint64_t slot = ctx.load(&params.current->stage_out);
  return params.stage_out + slot * params.outputs * params.piece_frames +
         static_cast<std::uint64_t>(output) * frames + frame;
}

/// Adds up what the lanes of taps have summed of one stretch, output by output.
template <unsigned kOutputs, class Real, class Ctx>
FIRBANK_HD void give_sums(Ctx& ctx, const DirectParams<Real>& params, const Tile& tile,
                          std::uint32_t frames, std::uint32_t first,
                          const Real (*total)[kLaneFrames<Real>]) {
  Real* lanes = ctx.template shared<Real>();  // [lane of taps][frame]
  FIRBANK_UNROLL
  for (std::uint32_t k = 0; k < kOutputs; ++k) {
    if (k >= tile.outputs) continue;
    ctx.sync();  // what lies there has been read
    FIRBANK_UNROLL
    for (std::uint32_t f = 0; f < kLaneFrames<Real>; ++f) {
      lanes[ctx.thread() * kLaneFrames<Real> + f] = total[k][f];
    }
    ctx.sync();
    const std::uint32_t frame = first + ctx.thread();
    if (ctx.thread() >= kTileFrames<Real> || frame >= frames) continue;
    Real sum = 0;
    FIRBANK_UNROLL
    for (std::uint32_t lane = 0; lane < kTapLanes; ++lane) {
      sum += lanes[lane * kTileFrames<Real> + ctx.thread()];
    }
    const std::uint32_t output = ctx.load(params.tile_outputs + tile.first_output + k);
    ctx.store(answer_place(ctx, params, output, frames, frame), sum);
  }
}

/// One share of a tile's sums, for up to kStretches stretches of frames from `first` on.
template <unsigned kOutputs, unsigned kStretches, class Real, class Ctx>
FIRBANK_HD void sum_tile(Ctx& ctx, const DirectParams<Real>& params, const Tile& tile,
                         std::uint32_t frames, std::uint32_t first) {
  constexpr std::uint32_t kCount = Chunk<Real>::kCount;
  Chunk<Real>* samples = ctx.template shared<Chunk<Real>>();
  const std::uint32_t room = kStepChunks + params.at_once * kTileChunks;
  Chunk<Real>* taps = samples + room;
  const std::uint32_t frame_lane = ctx.thread() % kFrameLanes;
  const std::uint32_t tap_lane = ctx.thread() / kFrameLanes;
  const std::uint32_t most = params.at_once * kTileFrames<Real>;
  const std::uint32_t wanted = frames - first < most ? frames - first : most;
  Real total[kStretches][kOutputs][kLaneFrames<Real>] = {};
  const std::uint64_t all = static_cast<std::uint64_t>(tile.terms) * params.steps;
  const auto begin = static_cast<std::uint32_t>(all * ctx.block_y() / params.splits);
  const auto end = static_cast<std::uint32_t>(all * (ctx.block_y() + 1) / params.splits);
  bool holds_step = false;
  for (std::uint32_t at = begin; at < end; ++at) {
    const std::uint32_t term = at / params.steps;
    const TapRange range = taps_of(ctx, params, tile, term);
    const std::uint32_t tap = range.first + (at - term * params.steps) * kStepChunks;
    if (range.first >= range.last || tap >= range.last) continue;
    const std::uint32_t left = range.last - tap < kStepChunks ? range.last - tap : kStepChunks;
    const std::uint32_t lanes = (left + kTapChunks - 1) / kTapChunks;
    if (holds_step) ctx.sync();  // it has been read
    holds_step = true;
    bring_samples(ctx, params, range.input, first, tap,
                  {kStepChunks - lanes * kTapChunks, kStepChunks + (wanted + kCount - 1) / kCount},
                  room, samples);
    bring_taps(ctx, params, tile, term, tap, lanes * kTapChunks, taps);
    ctx.sync();
    if (tap_lane >= lanes) continue;
    FIRBANK_UNROLL
    for (std::uint32_t s = 0; s < kStretches; ++s) {
      if (s * kTileFrames<Real> + frame_lane * kLaneFrames<Real> >= wanted) continue;
      add_products<kOutputs>(tap_lane, frame_lane, tile.outputs, samples + s * kTileChunks, taps,
                             total[s]);
    }
  }
  FIRBANK_UNROLL
  for (std::uint32_t s = 0; s < kStretches; ++s) {
    const std::uint32_t frame = first + s * kTileFrames<Real>;
    if (frame < first + wanted) give_sums<kOutputs>(ctx, params, tile, frames, frame, total[s]);
  }
}

/// block_x is a tile of outputs and some stretches of frames, block_y the share.
template <unsigned kOutputs, unsigned kStretches, class Real, class Ctx>
FIRBANK_HD void sum_tiles(Ctx& ctx, const DirectParams<Real>& params) {
  const Range outputs = ctx.load(&params.current->outputs);
  if (outputs.first == outputs.last) return;
  const Range frames = ctx.load(&params.current->frames);
  const std::uint32_t groups = (params.stretches + params.at_once - 1) / params.at_once;
  const Tile tile = ctx.load(params.tile + ctx.block_x() / groups);
  const std::uint32_t first = ctx.block_x() % groups * params.at_once * kTileFrames<Real>;
  if (first < frames.last) {
    sum_tile<kOutputs, kStretches>(ctx, params, tile, frames.last, first);
  }
  tell_rendered(ctx, params);
}

template <class Real, class Ctx>
FIRBANK_HD void direct_body(Ctx& ctx, const DirectParams<Real>& params) {
  sum_tiles<kTileOutputs, 1>(ctx, params);
}

/// The same of banks whose tiles are of one output: by itself, as it takes fewer registers.
template <class Real, class Ctx>
FIRBANK_HD void direct_rows_body(Ctx& ctx, const DirectParams<Real>& params) {
  sum_tiles<1, kMostStretches>(ctx, params);
}

/// Adds up the shares of every output, in their order.
template <class Real, class Ctx>
FIRBANK_HD void direct_reduce_body(Ctx& ctx, const DirectParams<Real>& params) {
  const Range outputs = ctx.load(&params.current->outputs);
  if (outputs.first == outputs.last) return;
  const Range frames = ctx.load(&params.current->frames);
  const std::uint64_t slot = ctx.load(&params.current->stage_out);
  Real* const to = params.stage_out + slot * params.outputs * params.piece_frames;
  const std::uint64_t items = static_cast<std::uint64_t>(params.outputs) * frames.last;
  for (std::uint64_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const std::uint64_t output = item / frames.last;
    const Real* from = params.shares + output * params.piece_frames + (item - output * frames.last);
    Real sum = 0;
    for (std::uint32_t split = 0; split < params.splits; ++split) {
      sum +=
          ctx.load(from + static_cast<std::uint64_t>(split) * params.outputs * params.piece_frames);
    }
    ctx.store(to + item, sum);
  }
  tell_rendered(ctx, params);
}

}  // namespace firbank::cuda
