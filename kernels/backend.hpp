// Backend: the arithmetic and the memory that the engine computes with.
//
// The engine owns time and policy; a backend owns spectra and supplies a few bulk operations on
// them. Spectra are opaque: their bin order and layout belong to the backend. The engine only says
// which partition meets which block, and for which outputs.
//
// Objects are made at set-up (they allocate, may throw std::bad_alloc or BackendError) and then run
// without allocating. Running operations are noexcept and, on the CPU, real-time safe. Different
// ranges of inputs, or of outputs, may run on different threads at once, up to max_threads() of
// them; each passes its own `thread` number. With a max_threads() of 1 ranges are whole, and one
// thread calls everything; but a backend may have its copies of samples shared by the threads of
// LevelShape::copiers, inside forward() and collect().
//
// Operations are asked for in the order in which their results are needed, and grouped in pieces:
// submit() ends a piece, and its outputs may be read after collect(). A backend may compute at
// once, or hand each piece to a device and compute while the caller goes on.
//
// An operation may be done in parts: `shares` of it, the first one first, under one thread number
// and with nothing else under that number in between. How it was cut never changes what is
// computed. A backend whose has_shares() is false computes the first level's operations whole, and
// takes parts of a later level's that follow one another, all of its outputs being summed at once.
//
// The first level of an engine is made by itself, each later one after it. Pieces are the first
// level's: a later one has no submit() and collect() of its own, what is asked of it belongs to the
// first one's piece. Its answers are kept until the first level's inverse() wants them added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace firbank {

class WorkerPool;

/// What a backend cannot do at set-up, in one line.
class BackendError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Half-open: [first, last).
struct IndexRange {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// One partition size and its frequency-domain delay line.
struct LevelShape {
  std::size_t bins = 0;          // M: a power of two, kMinTransform / 2 to kMaxTransform / 2
  std::size_t block_frames = 0;  // B: frames a block; 1 to M, or to 2 M - 1 with one slot
  // As long as a block. A single one may have all taps that leave the last B of the 2 M samples of
  // a window exact: up to 2 M - B + 1.
  std::size_t partition_taps = 0;
  std::size_t slots = 0;  // blocks that the delay line keeps for each input
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t threads = 1;       // thread numbers are 0 to threads - 1
  std::size_t pieces = 1;        // most that are submitted and not yet collected
  std::size_t longest_bins = 0;  // of a first level: M of the longest one, itself included
  std::size_t slices = 1;        // of a later level: pieces among which a block's work is spread
  // Of a first level that is all there is, with one slot: outputs of its banks have no more than
  // one term, and banks carry no sums. Sums kNow are of partition 0 alone then.
  bool single_terms = false;
  // Of a first level on a device: samples come and go by copies beside the computation, which moves
  // the most; or else the soonest way.
  bool copies = false;
  // Of a first level of a backend whose ranges are whole: whose threads may share its copies of
  // samples. Null for none but the caller. It outlives the level.
  WorkerPool* copiers = nullptr;
};

/// How finely operations can be cut: all shares of an operation cost about the same.
struct Shares {
  std::size_t forward = 1;     // of one input
  std::size_t accumulate = 1;  // of any outputs
  std::size_t inverse = 1;     // of one output
  std::size_t outputs = 1;     // following one another, whose sums kNow a thread number can have
};

inline constexpr std::size_t kMaxLevels = 5;          // of an engine
inline constexpr std::size_t kMinTransform = 16;      // real samples
inline constexpr std::size_t kMaxTransform = 65'536;  // real samples

/// What has just come of each input, for a backend that keeps samples itself.
template <class Sample>
class NewSamples {
 public:
  virtual ~NewSamples() = default;

  /// Of each input.
  virtual std::size_t frames() const noexcept = 0;
  /// An input's samples as they came; not all of them may be finite.
  virtual const Sample* raw(std::size_t input) const noexcept = 0;

  // One of these takes each input of a window once: it is noted where samples were not finite.
  // Different inputs may be taken on different threads at once.

  /// Copies the samples of some inputs, those of each `stride` behind those of the one before, with
  /// zeros for those that are not finite; past the caches where they would not stay there.
  virtual void take(IndexRange inputs, Sample* to, std::size_t stride,
                    bool past_caches) const noexcept = 0;
  /// The backend has taken the samples of some inputs itself: none of them is beyond 1.
  virtual void pass(IndexRange inputs) const noexcept = 0;
};

/// 2 M successive samples of each input, which end with the current block: as far as it has
/// arrived, and then zeros.
template <class Sample>
struct Window {
  // For a backend that keeps no samples.
  const Sample* const* older = nullptr;  // of each input: M samples
  const Sample* const* newer = nullptr;  // of each input: the M samples that follow, elsewhere
  // For one that does, in its first level: the last of the fresh samples; those before are zeros.
  const NewSamples<Sample>* samples = nullptr;
  std::int64_t newer_start = 0;  // frame of the newer half's first sample
  IndexRange fresh;  // of the 2 M samples, those that no window has held yet; behind them are zeros
  std::size_t silent = 0;  // of a later level's: the first ones, which lie before the stream
};

/// A response (what one edge does to its input) meets an input.
struct ResponseTerm {
  std::size_t input = 0;
  std::size_t response = 0;
};

/// The spectra of one bank of responses and the sums that they are accumulated into.
///
/// Each output has a sum kReady and a sum kNext, as far as they are wanted (CarriedSums). Sums kNow
/// are scratch: a thread number has those of up to Shares::outputs outputs that follow one another,
/// from the accumulate() that begins them to their inverse().
template <class Sample>
class SpectralBank {
 public:
  enum class Sum { kNow, kReady, kNext };

  virtual ~SpectralBank() = default;

  /// Set-up: gives a response its taps, from its first partition's first one on; taps behind the
  /// given ones are zero.
  virtual void load(std::size_t response, std::span<const Sample> taps) = 0;
  /// Set-up: all responses have their taps; the first level's bank comes last. Throws:
  /// BackendError.
  virtual void end_load() = 0;

  /// Set-up of a bank that is in use: gives a response other taps, as load() does, and other
  /// partitions. All sums and answers that it is part of are leftovers then. No other operation
  /// runs beside it. Throws: BackendError where a backend cannot do it; std::bad_alloc. Nothing has
  /// changed then.
  virtual void replace(std::size_t response, IndexRange partitions,
                       std::span<const Sample> taps) = 0;

  /// For each output of the range:
  ///   to = (from or zero) + sum over its terms, over p in `partitions`, of
  ///        delay_line[input][(newest + p) mod slots] x response[p].
  /// `from` may be `to`. Partitions that a response does not have count as zero.
  virtual void accumulate(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                          IndexRange outputs, IndexRange shares, std::size_t thread) noexcept = 0;

  /// The sums of two successive blocks from one reading of the spectra, over all partitions:
  ///   kNow  = sum over p >= 0 of delay_line[input][(newest + p) mod slots] x response[p]
  ///   kNext = sum over p >= 1 of delay_line[input][(newest + p - 1) mod slots] x response[p]
  virtual void accumulate_pair(std::size_t newest, IndexRange outputs, IndexRange shares,
                               std::size_t thread) noexcept = 0;

  /// Turns sum kNow of each output of the range into the answers to `frames` of the window's 2 M
  /// samples, stored from `out[output][0]` on. Destroys the sum. Frames before sample M are there
  /// only in a level whose blocks are longer than M. In parts: one output, and all of frames M to
  /// 2 M. The frames are there once the piece is collected.
  virtual void inverse(Sample* const* out, IndexRange frames, IndexRange outputs, IndexRange shares,
                       std::size_t thread) noexcept = 0;

  /// Exchanges the contents of kReady and kNext, of all outputs, in constant time.
  virtual void exchange_ready_and_next() noexcept = 0;

  /// Of a later level: turns sum kNow of each output of the range into answers to frames M to 2 M
  /// of the window, which the bank keeps in place 0 or 1. Destroys the sum. In parts: one output.
  virtual void keep(std::size_t place, IndexRange outputs, IndexRange shares,
                    std::size_t thread) noexcept = 0;

  /// Of a later level: adds the answers in `place` to the window's frames [frames.first,
  /// frames.last), at least M, to `out[output][0]` on, which the first level's inverse() of the
  /// same engine's bank gave or will have given once the piece is collected. Nothing but other
  /// add_kept() comes between the two.
  virtual void add_kept(std::size_t place, Sample* const* out, IndexRange frames,
                        IndexRange outputs) noexcept = 0;
};

/// The sums that a bank keeps of each output.
enum class CarriedSums {
  kNone,
  // One half of kNext at a time: an operation on it has shares below the middle only, or from it
  // on only, and makes what was there of the other half a leftover.
  kHalfOfNext,
  kNext,
  kReadyAndNext,
};

/// How the partitions of each response and the terms of each output lie.
struct SpectralBankShape {
  std::vector<IndexRange> partitions = {};            // of each response: those that hold taps
  std::vector<std::vector<ResponseTerm>> terms = {};  // of each output
  CarriedSums carried = CarriedSums::kReadyAndNext;
  bool compact = false;        // responses in 16 bits; see Backend::has_compact_spectra()
  bool keeps_answers = false;  // of a later level
};

template <class Sample>
class SpectralLevel {
 public:
  virtual ~SpectralLevel() = default;

  /// Set-up: an empty bank that reads this level's delay line; may run beside running operations.
  /// `first` is the bank of the first level that it goes with, and null for that one. The level
  /// must outlive it, and so must `first`.
  virtual std::unique_ptr<SpectralBank<Sample>> make_bank(SpectralBankShape shape,
                                                          SpectralBank<Sample>* first) const = 0;

  virtual Shares shares() const noexcept = 0;

  /// Transforms the window of each input of the range into delay-line slot `slot`. In parts: one
  /// input, whose window stays readable until the last.
  virtual void forward(std::size_t slot, const Window<Sample>& window, IndexRange inputs,
                       IndexRange shares, std::size_t thread) noexcept = 0;

  /// Ends a piece: what was asked for since the last submit(), of this level and its banks.
  virtual void submit() noexcept = 0;

  /// Waits for the oldest piece that was not collected yet; false when it is lost, and all later
  /// ones with it.
  virtual bool collect() noexcept = 0;

  /// Whether the next `pieces` calls of collect() would not wait for a device.
  virtual bool can_collect(std::size_t pieces) const noexcept = 0;
};

/// A piece of all inputs.
template <class Sample>
struct SamplePiece {
  // For a backend that keeps no samples, of each input: its frames from [0] on, behind as many as
  // the level's reach. Readable until the piece ends.
  const Sample* const* newest = nullptr;
  // For one that does.
  const NewSamples<Sample>* samples = nullptr;
  std::size_t frames = 0;
  bool begins = false;  // so does the stream, and all before it is zero
};

/// What the direct form computes on.
struct SampleLevelShape {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t piece_frames = 0;   // the most of a piece
  std::size_t reach = 0;          // frames that the longest response looks back
  std::size_t pieces = 1;         // most that are submitted and not yet collected
  bool copies = false;            // as LevelShape has it
  WorkerPool* copiers = nullptr;  // likewise
};

/// Responses in direct form: each `delay` frames late and `taps` long.
struct DirectBankShape {
  struct Response {
    std::size_t delay = 0;
    std::size_t taps = 0;
  };
  std::vector<Response> responses;
  std::vector<std::vector<ResponseTerm>> terms;  // of each output
};

template <class Sample>
class DirectBank {
 public:
  virtual ~DirectBank() = default;

  /// Set-up: gives a response its taps.
  virtual void load(std::size_t response, std::span<const Sample> taps) = 0;
  /// Set-up: all responses have their taps. Throws: BackendError.
  virtual void end_load() = 0;

  /// Set-up of a bank that is in use: gives a response other taps, of any number. Not beside run().
  /// Throws: BackendError where a backend cannot do it; std::bad_alloc. Nothing has changed then.
  virtual void replace(std::size_t response, std::span<const Sample> taps) = 0;

  /// For each output of the range and n below `frames`, those of the piece that was taken last:
  ///   out[output][n] = sum over its terms of sum_k taps[k] * input[n - delay - k].
  /// No product is added to more than 63 others before the sums are added up. The frames are there
  /// once the piece is collected.
  virtual void run(Sample* const* out, std::size_t frames, IndexRange outputs) noexcept = 0;
};

/// The samples that direct banks read. It is the only level of its engine.
template <class Sample>
class SampleLevel {
 public:
  virtual ~SampleLevel() = default;

  /// Set-up: an empty bank that reads this level's samples; may run beside running operations. The
  /// level must outlive it.
  virtual std::unique_ptr<DirectBank<Sample>> make_bank(DirectBankShape shape) const = 0;

  /// Takes the next piece.
  virtual void take(const SamplePiece<Sample>& piece) noexcept = 0;

  /// Ends the piece.
  virtual void submit() noexcept = 0;

  // As SpectralLevel has them.
  virtual bool collect() noexcept = 0;
  virtual bool can_collect(std::size_t pieces) const noexcept = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const std::string& name() const noexcept = 0;             // "cpu-avx2"
  virtual const std::string& instruction_set() const noexcept = 0;  // "AVX2"

  /// Where rings that this backend reads and writes should live.
  virtual std::pmr::memory_resource* memory() const noexcept = 0;

  /// Threads that may share its operations.
  virtual std::size_t max_threads() const noexcept = 0;

  /// Whether any operation can be done in parts, in rows of several blocks, for two blocks at once,
  /// and with several partitions that are not as long as their level's blocks.
  virtual bool has_shares() const noexcept = 0;

  /// Whether a first level keeps the samples that its windows have shown, for later windows and for
  /// later levels.
  virtual bool keeps_samples() const noexcept = 0;

  /// Whether the responses of a float level can be kept in 16 bits a value, in block floating
  /// point: of 9/16 of the size, 90 dB above their rounding errors.
  virtual bool has_compact_spectra() const noexcept = 0;

  /// Of a device, when it was opened; 0 where the host's memory is used.
  virtual std::uint64_t free_memory_bytes() const noexcept = 0;

  /// Whether pieces may be lost: it computes on a device.
  virtual bool can_be_lost() const noexcept = 0;

  /// Why pieces are lost, in one line; empty while none is. Any thread.
  virtual std::string failure() const = 0;

  // `first` is the engine's first level, which must outlive the others, and null for itself.
  virtual std::unique_ptr<SpectralLevel<float>> make_level_float(
      const LevelShape&, SpectralLevel<float>* first) const = 0;
  virtual std::unique_ptr<SpectralLevel<double>> make_level_double(
      const LevelShape&, SpectralLevel<double>* first) const = 0;
  virtual std::unique_ptr<SampleLevel<float>> make_sample_level_float(
      const SampleLevelShape&) const = 0;
  virtual std::unique_ptr<SampleLevel<double>> make_sample_level_double(
      const SampleLevelShape&) const = 0;

  template <class Sample>
  std::unique_ptr<SpectralLevel<Sample>> make_level(const LevelShape& shape,
                                                    SpectralLevel<Sample>* first = nullptr) const {
    if constexpr (sizeof(Sample) == sizeof(float)) {
      return make_level_float(shape, first);
    } else {
      return make_level_double(shape, first);
    }
  }
  template <class Sample>
  std::unique_ptr<SampleLevel<Sample>> make_sample_level(const SampleLevelShape& shape) const {
    if constexpr (sizeof(Sample) == sizeof(float)) {
      return make_sample_level_float(shape);
    } else {
      return make_sample_level_double(shape);
    }
  }
};

}  // namespace firbank
