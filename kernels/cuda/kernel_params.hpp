// What the kernels are given: plain structures, the same for nvcc and for the host's compiler.
//
// A graph's kernels keep their parameters for ever. What changes from piece to piece travels in a
// Command: the host writes it into a ring in pinned memory, and the graph's first kernel copies it
// into device memory, where the others read it.
//
// Layouts, in values of Real or Complex<Real>, M being that of the level:
//   input rings   [input][ring frames]          the newest samples of each input, for all levels
//   staging in    [slot][2 M x inputs]          fresh samples on their way in, input by input
//   staging out   [slot][block x outputs]       the first level's answers, likewise, on their way
//   answers       [2][output][M]                those of a later level, which the first one adds
//   delay lines   [input][slot][M]              spectra
//   responses     [response][partition][M]      spectra, scaled by 1 / M; or
//   multiples     [response][partition][M]      the same in 16 bits a value, of
//   scales        [response][partition][M / kGroupBins]
//   sums          [3][output][M]                spectra; a later level has one of each output
// Spectra are values of the polynomial older + i newer at the roots of t^M = i, in the order in
// which the forward transform leaves them (real_fft.cuh).
#pragma once

#include <cstdint>

namespace firbank::cuda {

enum class Kernel : std::uint32_t {
  kBegin,         // CommandParams
  kForwardOuter,  // ForwardParams
  kForward,       // ForwardParams
  kRender,        // RenderParams
  kInverseOuter,  // RenderParams
  kAccumulate,    // AccumulateParams
  kReduce,        // AccumulateParams
  kEnd,           // CommandParams
  kLoadOuter,     // LoadParams
  kLoad,          // LoadParams
  kCompact,       // CompactParams
  kDeliver,       // DeliverParams
  kConvolve,      // ConvolveParams
  kListen,        // ForwardParams
  kTakeSamples,   // SampleParams
  kDirect,        // DirectParams
  kDirectRows,    // DirectParams
  kDirectReduce,  // DirectParams
};
inline constexpr std::uint32_t kKernels = 18;

template <class Real>
struct alignas(2 * sizeof(Real)) Complex {
  Real re;
  Real im;
};

/// One bin of a compact spectrum, in multiples of its group's scale.
struct alignas(4) Multiple {
  std::int16_t re;
  std::int16_t im;
};
/// The upper half of a float.
using Scale = std::uint16_t;
inline constexpr std::uint32_t kGroupBins = 4;  // that have one scale

inline constexpr std::uint32_t kNone = 0xffffffffU;
inline constexpr std::uint32_t kMaxRanges = 2;
inline constexpr std::uint32_t kTileOutputs = 8;  // outputs that share the reading of an input
inline constexpr std::uint32_t kChunkBins = 2;    // of 16 bytes at the most
inline constexpr std::uint32_t kMaxLevels = 5;

// Of the direct form: a chunk is what is loaded at once. Of a thread block so many threads share
// the taps of a step, and so many the frames; of either each has a few chunks at a time. Taps of an
// odd number of chunks keep the threads of a warp in different banks of shared memory.
inline constexpr std::uint32_t kChunkBytes = 16;
inline constexpr std::uint32_t kTapLanes = 32;
inline constexpr std::uint32_t kFrameLanes = 4;
inline constexpr std::uint32_t kTapChunks = 3;
inline constexpr std::uint32_t kFrameChunks = 2;
inline constexpr std::uint32_t kStepChunks = kTapLanes * kTapChunks;      // of taps
inline constexpr std::uint32_t kTileChunks = kFrameLanes * kFrameChunks;  // of frames: a stretch
// Stretches of a lone output that taps are read once for: as many as the direct form pays for.
inline constexpr std::uint32_t kMostStretches = 2;

// What a narrow sample is a multiple of.
inline constexpr double kNarrowScale = 1.0 / 32'768;

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// What one launch of a graph does for one level. Ranges that are empty are not asked for, and cost
/// an early return.
struct alignas(8) LevelCommand {
  // forward, of these inputs, to delay-line slot `slot`: the window's 2 M frames begin at `window`
  // in the input rings. The first `silent` of them lie before the stream and are zero;
  // [fresh.first, fresh.last) come from the staging slot, where those of all inputs follow one
  // another from its start on, and go into the rings; all behind them are zero. Of direct form:
  // fresh samples go into the rings from frame `window` on, behind `silent` zeros.
  Range inputs;
  std::uint32_t slot;
  std::uint32_t window;
  std::uint32_t silent;
  Range fresh;
  std::uint32_t stage_in;
  std::uint32_t narrow;  // 1: samples in the slot are std::int16_t, in multiples of kNarrowScale

  // render, of these outputs: sum `render_from` (or kNone) plus partitions `render_partitions`,
  // inverse, and frames [frames.first, frames.last) of the window's 2 M to `stage_out`, where those
  // of all outputs follow one another from its start on: a slot of the first level's staging, or
  // one of the two places for the answers of a later one. Frames before M are there only where
  // blocks are longer than that, of which a level has no later one.
  Range outputs;
  std::uint32_t render_from;
  std::uint32_t render_newest;
  Range render_partitions;
  Range frames;
  std::uint32_t stage_out;

  // add, of a later level: to what the first one renders, from frame `add_first` on of the answers
  // in `add_place`.
  std::uint32_t add;  // 0 or 1
  std::uint32_t add_place;
  std::uint32_t add_first;

  // accumulate, of these bins: sum `to` = (sum `from`, or zero when kNone) + the ranges'
  // partitions.
  Range bins;  // whole chunks of kChunkBins, or all there are
  std::uint32_t to;
  std::uint32_t from;
  std::uint32_t newest;
  std::uint32_t ranges;  // 1 to kMaxRanges
  Range partitions[kMaxRanges];
};

/// What one launch of a graph does, level by level. Of each it renders before it accumulates.
struct alignas(8) Command {
  std::uint64_t number;  // of the launch, from 1 on
  LevelCommand level[kMaxLevels];
};

/// What the device tells the host, in pinned memory.
struct Progress {
  std::uint64_t rendered;   // number of a Command whose answers are in the staging slot
  std::uint64_t finished;   // number of a Command: nothing of it is under way
  std::uint64_t delivered;  // how many answers were copied home
};

struct CommandParams {
  const Command* ring;     // pinned
  std::uint32_t commands;  // in the ring; number n lies at n mod commands
  std::uint32_t levels;    // that a command is for; what follows is not read
  std::uint64_t* taken;    // device: number of the last command
  Command* current;        // device
  Progress* progress;      // pinned
};

/// Of the lane that answers are copied in.
struct DeliverParams {
  std::uint64_t* count;  // device: copies so far
  Progress* progress;    // pinned
};

/// A transform of M complex values: `outer` passes of radix 8 over global memory, then
/// 8^outer inner transforms of S = M / 8^outer values in shared memory, `batch` to a thread block,
/// each by S / 8 threads.
template <class Real>
struct Transform {
  std::uint32_t log2_bins;        // M = 2^log2_bins, 8 to 32,768
  std::uint32_t outer;            // passes
  std::uint32_t log2_inner;       // S
  std::uint32_t batch;            // inner transforms a thread block
  const Complex<Real>* twiddles;  // transform_twiddles(), transform_tables.hpp
};

template <class Real>
struct ForwardParams {
  Transform<Real> transform;
  const LevelCommand* current;
  std::uint32_t inputs;
  std::uint32_t slice;        // inputs that a launch has threads for; more take turns
  std::uint32_t ring_frames;  // a power of two, at least 2 M
  Real* rings;
  const Real* stage_in;  // pinned, or device memory that it is copied to
  std::uint32_t slots;
  Complex<Real>* delay_lines;
  Complex<Real>* work;       // [input][M]; used with outer passes
  std::uint32_t outer_pass;  // kForwardOuter: which, from 0 on
};

/// A response that meets an input.
struct Term {
  std::uint32_t input;
  std::uint32_t partitions_first;  // partitions that the response has
  std::uint32_t partitions_last;
  std::uint64_t spectra;  // of the response's first partition, counted in spectra
};

/// Up to kTileOutputs outputs whose terms meet the same inputs in the same order. Term t of the
/// tile's output k is terms[first_term + t * outputs + k].
struct Tile {
  std::uint32_t first_output;  // in Bank::tile_outputs
  std::uint32_t outputs;
  std::uint32_t first_term;
  std::uint32_t terms;  // of each output
};

/// A bank of responses and its sums, in device memory.
template <class Real>
struct Bank {
  std::uint32_t bins;  // M
  std::uint32_t slots;
  std::uint32_t outputs;
  std::uint32_t tiles;
  const Complex<Real>* delay_lines;
  const Complex<Real>* responses;  // or
  const Multiple* multiples;       // null where responses are not compact
  const Scale* scales;
  Complex<Real>* sums;
  const Tile* tile;
  const std::uint32_t* tile_outputs;  // the outputs, tile by tile
  const Term* terms;
  const std::uint32_t* output_tile;      // [output]: the tile that holds it
  const std::uint32_t* output_position;  // [output]: which of the tile's outputs it is
};

/// Where the first level finds what a later one has answered.
template <class Real>
struct LaterAnswers {
  const LevelCommand* current;
  const Real* answers;
  std::uint32_t log2_bins;
};

template <class Real>
struct RenderParams {
  Transform<Real> transform;
  const LevelCommand* current;
  Bank<Real> bank;
  std::uint32_t slice;          // outputs that a launch has threads for; more take turns
  Real* stage_out;              // pinned or copied home; of a later level its answers
  std::uint32_t answer_frames;  // that a slot or a place has room for, of each output
  Complex<Real>* work;          // [output][M]; used with outer passes
  std::uint32_t outer_pass;     // kInverseOuter: which, from transform.outer - 1 down to 0
  std::uint32_t* done;          // device: thread blocks that have stored their answers
  std::uint32_t signals;        // 1: the last thread block tells progress->rendered
  const std::uint64_t* number;  // of the launch
  Progress* progress;           // pinned
  // Groups of threads that share the sum of an output, a power of two: see render_ways().
  std::uint32_t ways;
  std::uint32_t later_levels;  // of the first level: those whose answers are added
  LaterAnswers<Real> later[kMaxLevels - 1];
};

/// An input and some of the outputs that hear it, and nothing else.
struct alignas(16) ConvolveItem {
  std::uint32_t input;  // kNone: its outputs hear nothing
  std::uint32_t keeps;  // 1: puts the fresh samples into the input's ring; one item of each does
  std::uint32_t first;  // of its listeners
  std::uint32_t listeners;  // how many
};

/// An output, and the spectrum that it meets what it hears with.
struct alignas(8) Listener {
  std::uint32_t output;
  std::uint32_t response;  // counted in spectra, or kNone
};

/// Everything between fresh samples and answers. Of `forward` and `render` no spectra, sums, tiles
/// and terms are there, nor later levels. The window is the command's also when it has no inputs:
/// then none of it is fresh.
template <class Real>
struct ConvolveParams {
  ForwardParams<Real> forward;
  RenderParams<Real> render;
  std::uint32_t items;
  const ConvolveItem* item;  // those with the most listeners first
  const Listener* listener;
};

/// Bins of a response, of type Complex<Real> or Multiple, that lie side by side where kConvolve
/// reads them: 16 bytes of those that one thread meets.
template <class Bin>
inline constexpr std::uint32_t kConvolveRun = 16 / sizeof(Bin);
static_assert(kConvolveRun<Multiple> == kGroupBins, "a thread reads groups with their scales");

/// One thread sums 16 bytes' worth of bins (two of float, one of double) for one tile of outputs
/// and one of `splits` shares of its terms and partitions. With one share the sum is stored; with
/// more the shares are, and kReduce adds them up in order.
template <class Real>
struct AccumulateParams {
  const LevelCommand* current;
  Bank<Real> bank;
  std::uint32_t slice;  // bins that a launch has threads for; more take turns
  std::uint32_t splits;
  Complex<Real>* shares;  // [split][output][M]
};

/// Of direct form: the rings of all inputs.
template <class Real>
struct SampleParams {
  const LevelCommand* current;
  std::uint32_t inputs;
  std::uint32_t piece_frames;  // of each input, that a staging slot has room for
  std::uint32_t ring_frames;   // whole chunks
  Real* rings;                 // [input][ring frames]
  const Real* stage_in;        // [slot][piece frames x inputs]
};

/// A bank of responses in direct form, whose partitions are chunks of taps: partition p meets the
/// frames that came p chunks before. What a response has no taps for in its chunks is zero.
template <class Real>
struct DirectParams {
  const LevelCommand* current;
  std::uint32_t outputs;
  std::uint32_t tiles;
  std::uint32_t most_outputs;  // of any tile
  std::uint32_t steps;         // of kStepChunks, that the longest term of a tile has
  std::uint32_t piece_frames;  // of each output, that a staging slot has room for
  std::uint32_t stretches;     // of kTileChunks, that a piece has
  std::uint32_t at_once;       // of them, that a thread block sums; 1 unless all tiles are of one
  std::uint32_t ring_frames;   // whole chunks
  std::uint32_t splits;        // shares of a tile's terms and steps
  const Real* rings;           // [input][ring frames]
  const Real* taps;            // in chunks, as Term::spectra counts them
  const Tile* tile;
  const std::uint32_t* tile_outputs;  // the outputs, tile by tile
  const Term* terms;
  Real* shares;     // [split][output][piece frames], where there are several
  Real* stage_out;  // [slot][piece frames x outputs]
  // As RenderParams has them.
  std::uint32_t* done;
  std::uint32_t signals;
  const std::uint64_t* number;
  Progress* progress;
};

/// Set-up: `count` spectra of `hop` taps each, which follow one another; scaled by `scale`.
template <class Real>
struct LoadParams {
  Transform<Real> transform;
  std::uint32_t count;
  std::uint32_t hop;         // taps of a partition, at most M, or 2 M of a single one
  std::uint64_t taps_count;  // taps behind them are zero
  const Real* taps;          // pinned or device
  Complex<Real>* spectra;
  Real scale;
  std::uint32_t log2_run;    // of the bins of a thread that lie side by side: 1, or kConvolveRun
  std::uint32_t outer_pass;  // kLoadOuter: which
};

/// Set-up: spectra of float into multiples and scales.
struct CompactParams {
  std::uint64_t groups;  // of kGroupBins bins, which follow one another
  const Complex<float>* spectra;
  Multiple* multiples;
  Scale* scales;
};

}  // namespace firbank::cuda
