// Engine: filters a stream through a bank of FIR filters.
//
// Two ways to drive it, one at a time:
//   process()               in the caller's thread, real-time safe, no added latency;
//   start/push/pull/stop    the same computation on a pipeline thread between two rings.
//
// Construction plans and allocates. Output frame n holds tap 0 of input frame n; the output equals
// a direct convolution with every filter, whatever the size of the calls.
//
// A NaN or an infinity in an input spoils (turns into NaN) exactly the output frames that a direct
// convolution would spoil, and nothing after them or beside them. Finite samples beyond 2^96
// (float) or 2^960 (double) may overflow inside a transform; what that spoils is NaN and counted as
// well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/push_intake.hpp"
#include "engine/routing.hpp"
#include "engine/stats.hpp"
#include "engine/stream_reader.hpp"
#include "io/block.hpp"
#include "io/error.hpp"

namespace firbank {

enum class ProcessStatus {
  kOk,
  kTooManyFrames,  // more than max_frames(); nothing was read, the output is silence
  kRunning,        // the pipeline thread owns the engine between start() and stop()
  // The device is lost, and the CPU could not or must not go on: silence; failure() tells why.
  kBackendFailed,
};

enum class PushStatus {
  kOk,            // all frames, or as many as the ring had room for, were taken
  kNotRunning,    // before start(), or after flush() or stop()
  kBackwardJump,  // first_frame lies before the next expected frame; nothing was taken
  kOutOfRange,    // the block, its tail or the gap before it ends beyond the last frame of int64
  kWrongShape,    // the block has another number of channels; nothing was taken
};

struct PushResult {
  std::size_t frames = 0;  // frames taken; fewer than offered means that the ring is full
  PushStatus status = PushStatus::kOk;
  std::int64_t expected_frame = 0;  // the next first_frame without a gap

  explicit operator bool() const noexcept { return status == PushStatus::kOk; }
};

/// `Sample` is float or double: the type of the samples and of all arithmetic.
template <class Sample>
class BasicEngine {
 public:
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc or
  ///         std::length_error when memory does not suffice; std::system_error when a thread cannot
  ///         be started.
  BasicEngine(const EngineConfig& config, const FilterBank& bank, const Routing& routing);
  ~BasicEngine();
  BasicEngine(const BasicEngine&) = delete;
  BasicEngine& operator=(const BasicEngine&) = delete;

  /// Filters `frames` frames (1 to max_frames(); 0 does nothing). `in` holds inputs() planes, `out`
  /// outputs() planes; a plane of `out` may be a plane of `in`.
  ///
  /// Thread:   one at a time; never while the pipeline runs.
  /// Realtime: safe on the CPU. With one thread: no allocation, no lock, no system call. A GPU is
  ///           waited for, and its driver called: drive it by start/push/pull, which keep both on
  ///           the pipeline thread. The call that finds it lost makes what the CPU needs in its
  ///           place: it allocates, and transforms all filters and the past that they hear.
  ProcessStatus process(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;

  /// process() in two halves: `out` is complete once the call has been collected, in the order of
  /// the submits, and a device may compute in between. Besides the newest call up to depth_blocks
  /// others may be under way, in the hybrid mode none; false, with nothing taken, when they are
  /// already, or while the pipeline runs. process(), flush() and start() collect what is under way
  /// first.
  ///
  /// Thread:   as process().  Realtime: as process().
  bool submit(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  /// Waits for the oldest call under way; kOk when there is none.
  ProcessStatus collect() noexcept;

  /// Puts out what the filters still hold after the last input: up to `frames` frames of the
  /// tail, as if silence came in. Returns how many were written; 0 when the tail is complete.
  /// The tail is tail_frames() frames long, counted from the last call of process().
  ///
  /// Thread:   as process().  Realtime: safe.
  std::size_t flush(Sample* const* out, std::size_t frames) noexcept;

  /// Forgets the history, as if the stream began anew; position() goes on counting.
  ///
  /// Thread:   as process().  Realtime: safe.
  void reset() noexcept;

  /// Replaces the filters from output frame `at_frame` on (or the next call, when that has
  /// passed), fading linearly from the old bank to the new one over `crossfade_frames` frames. The
  /// input history is kept: the new filters answer as if they had always been there. Routing
  /// stays. Fade frame k (0-based) of F weighs the new bank by (k + 1) / (F + 1).
  /// Swaps go live in the order of their calls, one after another. The new bank's sums over the
  /// past are made in shares while the stream runs up to `at_frame`, if that is at least
  /// plan().swap_lead_frames() ahead and no swap before it is pending; otherwise what is missing is
  /// made in the very call that goes live, which then costs up to as much as the calls of the
  /// plan's longest block together. Returns a ticket for live_frame(). While two banks are heard,
  /// calls of more than 8,192 frames are computed in pieces of that. Throws: Error when the bank
  /// lacks a filter that the routing names, a filter is longer than max_taps, the fade is longer
  /// than 2^40 frames, or kMaxPendingSwaps swaps are pending.
  ///
  /// Thread:   any but the one that processes; one at a time.
  /// Realtime: no: it transforms the filters here, and frees banks that were replaced.
  std::uint64_t swap(const FilterBank& bank, std::int64_t at_frame,
                     std::size_t crossfade_frames = 0);
  static constexpr std::size_t kMaxPendingSwaps = 4;

  /// Replaces one filter of the bank that is heard, at once: from the next frame on the output is
  /// that of the new filter over all the past that it hears, as after a swap without a fade. Only
  /// the spectra of this filter are made, so of K filters it costs about 1/K of a swap; the next
  /// call sums over the past anew, as after a swap that is due at once. `filter` is an index in the
  /// bank, `taps` are 1 to max_taps finite numbers. Throws: Error when one of them is not allowed,
  /// while a swap waits or fades, between start() and stop(), and where a GPU computes: swap the
  /// bank there. After std::bad_alloc the filter is undefined until another update.
  ///
  /// Thread:   as process(); never beside swap().
  /// Realtime: no: it transforms the filter here, and allocates.
  void update(std::size_t filter, std::span<const double> taps);

  /// The frame from which the ticket's bank has been heard, once it is live.
  /// Thread:   any.  Realtime: safe.
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  /// Starts the pipeline thread. A first block that does not begin at position() begins a new
  /// stream: the history is forgotten. Throws: Error when it runs already; std::system_error.
  /// Thread:   the owner's.  Realtime: no.
  void start();

  /// Offers `block.frames` frames of inputs() channels. A first_frame ahead of the expected one is
  /// a gap, dealt with by the gap policy; the first block after start() may begin anywhere. Flags
  /// are not looked at: an end is said by flush(), a new beginning by stop(), reset() and start().
  /// Thread:   one producer.  Realtime: safe; one system call while the pipeline thread sleeps.
  PushResult push(const BasicBlock<const Sample>& block) noexcept;

  /// The same for samples that lie in another form: fill(planes, offset, frames) writes frames
  /// [offset, offset + frames) of what is pushed to planes[input][0] on, in one or more calls.
  template <class Fill>
  PushResult push(const PushMarks& marks, Fill&& fill) noexcept {
    return push_filled(
        marks,
        [](void* context, Sample* const* planes, std::size_t offset, std::size_t frames) {
          (*static_cast<std::remove_reference_t<Fill>*>(context))(planes, offset, frames);
        },
        &fill);
  }

  /// Says that no block follows: the pipeline puts out the tail and marks its end. False while the
  /// ring has no room for the mark: try again.
  /// Thread:   the producer.  Realtime: as push().
  bool flush() noexcept;

  /// Copies up to `block.frames` frames of outputs() channels into `block.planes`, sets its other
  /// fields, and returns how many frames; 0 when there is nothing yet, or when kEndOfStream is set.
  /// One call never crosses a gap.
  /// Thread:   one consumer.  Realtime: safe; one system call while the thread waits for room.
  std::size_t pull(BasicBlock<Sample>& block) noexcept;

  /// One more place to read from, of what is put out from now on. pull() is the reader that start()
  /// opens; stop_pulling() closes it, so that the others alone decide what the stream waits for.
  /// Throws: Error when max_readers are open already, or nothing runs.
  /// Thread:   any; one at a time.  Realtime: no.
  BasicStreamReader<Sample> open_reader(ReaderPolicy policy);
  /// Thread:   the consumer.  Realtime: safe.
  void stop_pulling() noexcept;

  /// Whether an input is silenced from the next process() or push() on: a dead or noisy electrode.
  /// Thread:   any.  Realtime: safe.
  void set_bad_channel(std::size_t input, bool bad) noexcept;

  /// Ends the pipeline thread; what was not pulled is gone, but for what readers of their own still
  /// find in the ring. process() may be used again.
  /// Thread:   the owner's.  Realtime: no.
  void stop() noexcept;

  std::size_t inputs() const noexcept;
  std::size_t outputs() const noexcept;
  std::size_t max_frames() const noexcept;
  std::size_t latency_frames() const noexcept;      // of start/push/pull; process() has none
  std::size_t tail_frames() const noexcept;         // longest filter in use and its delay, - 1
  std::int64_t position() const noexcept;           // index of the next output frame
  const PartitionPlan& plan() const noexcept;       // in the hybrid mode that of the CPU's head
  const PartitionPlan* tail_plan() const noexcept;  // of the GPU's tail; null in other modes
  // Which computes now: these change when a device is lost, the plan does not.
  const std::string& backend() const noexcept;          // "cpu-avx2"
  const std::string& instruction_set() const noexcept;  // "AVX2"
  std::size_t threads() const noexcept;

  /// Why the device was lost, in one line; empty while none is.
  /// Thread:   any.
  /// Realtime: no.
  std::string failure() const;

  /// Thread:   any.  Realtime: safe.
  Stats stats() const noexcept;

 private:
  class Impl;
  PushResult push_filled(const PushMarks& marks, PushFill<Sample> fill, void* context) noexcept;

  std::unique_ptr<Impl> impl_;
};

extern template class BasicEngine<float>;
extern template class BasicEngine<double>;

using Engine = BasicEngine<float>;

}  // namespace firbank
