// AcquisitionStream: what an acquisition program does with a stream, from packets to events.
//
//   packets -> bad channels out, common reference -> Engine -> envelope -> events
//                                                                      \-> decimation -> samples
//
// All but the engine and the samples as they are may be left out. The front runs where push() is
// called, the filters on the engine's pipeline thread, what follows where read() is called. Nothing
// is dropped: a ring that is full stops push(), and what the stream itself lost is made up by the
// engine's gap policy, counted, and marked in the blocks that come out (kFilled, gap_before).
//
// Events are told in frames of the input: the group delay of the filters and of the envelope,
// rounded to whole frames, is taken off. Blocks keep the index of the frame that they came with.
// Frames in which the filters hear what was made up, or the silence before a stream, give no events
// and do not count as noise (unsound_frames.hpp).
//
// Thread:   push() and flush(): one producer. read() and wait(): one consumer. restart(): the
//           owner's, while neither runs. set_bad_channel(), stats(): any.
// Realtime: push(), flush() and read() are safe, but for a system call that wakes a sleeper.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/acquisition/unsound_frames.hpp"
#include "engine/engine.hpp"
#include "engine/stages/common_reference.hpp"
#include "engine/stages/decimator.hpp"
#include "engine/stages/envelope.hpp"
#include "engine/stages/event_detector.hpp"
#include "io/wire_format.hpp"

namespace firbank {

struct Decimation {
  std::size_t factor = 1;  // 1 to 65,536
  FilterBank filter;       // one filter for all channels, or one for each
};

/// Numbers of channels, and block_frames, are the engine's: what stages say of them is not looked
/// at.
struct AcquisitionConfig {
  EngineConfig engine = {};
  std::optional<CommonReferenceConfig> reference = {};
  std::optional<EnvelopeConfig> envelope = {};
  std::optional<Decimation> decimation = {};
  std::optional<EventDetectorConfig> events = {};

  /// Room for the events of one block, at least 1; what is beyond is counted and lost.
  std::size_t most_events = 16'384;
};

/// What one read() gives; the views hold until the next read() or wait().
struct AcquiredBlock {
  BasicBlock<const float> filtered;  // the engine's output
  BasicBlock<const float> samples;   // behind envelope and decimation, of the decimated stream
  std::span<const Event> events;     // that became certain with this block
  std::size_t lost_events = 0;       // for which there was no room
};

/// A snapshot; counts are since construction.
struct AcquisitionStats {
  Stats engine;  // gaps, and what else was lost, with positions
  std::uint64_t events = 0;
  std::uint64_t lost_events = 0;
  std::int64_t first_lost_event_frame = Stats::kNone;  // of the block that had no room for it
  std::int64_t unsound_frames = 0;                     // in which no events were looked for
};

class AcquisitionStream {
 public:
  /// Plans, allocates, and starts. Throws: Error naming the field, its value and what is allowed;
  /// std::bad_alloc; std::system_error when the thread cannot be started.
  AcquisitionStream(const AcquisitionConfig& config, const FilterBank& bank,
                    const Routing& routing);
  ~AcquisitionStream();
  AcquisitionStream(const AcquisitionStream&) = delete;
  AcquisitionStream& operator=(const AcquisitionStream&) = delete;

  /// As Engine::push(): fill(planes, offset, frames) writes what the channels brought.
  template <class Fill>
  PushResult push(const PushMarks& marks, Fill&& fill) noexcept {
    return engine_.push(marks,
                        [&](float* const* planes, std::size_t offset, std::size_t frames) noexcept {
                          fill(planes, offset, frames);
                          if (reference_) reference_->process(planes, frames);
                        });
  }

  /// The frames of a packet from `from` on, in the header's unit. Fewer than there are when the
  /// ring is full: `from` of the next call is that many more. Its flags are the caller's business.
  PushResult push(const StreamHeader& header, const Packet& packet, std::size_t from = 0) noexcept;

  /// Says that nothing follows; false while the ring has no room for that.
  bool flush() noexcept { return engine_.flush(); }

  /// What comes next; false when there is nothing yet. Behind flush() the last one has
  /// kEndOfStream in filtered.flags, no frames, and the events that were waiting for their peak.
  bool read(AcquiredBlock& block) noexcept;

  /// Sleeps until there is something to read; false when that took longer than `timeout`.
  /// Realtime: no.
  bool wait(std::chrono::nanoseconds timeout) noexcept;

  /// Begins another stream, anywhere; what was not read is gone, and the noise is estimated anew.
  /// Throws: std::system_error.  Realtime: no.
  void restart();

  /// From the next push() on the channel is silent, and counts in no reference.
  void set_bad_channel(std::size_t input, bool bad) noexcept;

  /// From the next push() on, samples of a larger magnitude, above 0, do not count in the
  /// reference. Thread: the producer's.
  void set_largest_in_reference(float largest) noexcept {
    if (reference_) reference_->set_largest(largest);
  }

  AcquisitionStats stats() const noexcept;

  const Engine& engine() const noexcept { return engine_; }
  std::size_t inputs() const noexcept { return engine_.inputs(); }
  std::size_t outputs() const noexcept { return engine_.outputs(); }
  std::size_t decimation() const noexcept { return decimator_ ? decimator_->factor() : 1; }
  /// What is taken off the events of this output.
  std::int64_t delay_frames(std::size_t output) const noexcept { return delays_[output]; }
  /// How late AcquiredBlock::samples are, in frames of the input: the low pass of the decimation
  /// delays as well.
  std::int64_t samples_delay_frames(std::size_t output) const noexcept {
    return delays_[output] +
           (decimation_delays_.size() == 1 ? decimation_delays_[0] : decimation_delays_[output]);
  }

 private:
  void open();
  void detect(IndexRange frames, AcquiredBlock& block) noexcept;
  void tell_events(EventCount count, std::int64_t frame, AcquiredBlock& block) noexcept;
  void decimate(AcquiredBlock& block) noexcept;

  Engine engine_;
  std::optional<CommonReference> reference_;
  std::optional<Envelope> envelope_;
  std::optional<Decimator> decimator_;
  std::optional<EventDetector> detector_;
  UnsoundFrames unsound_;
  std::vector<std::int64_t> delays_;
  std::vector<std::int64_t> decimation_delays_{0};  // one for all, or one for each output
  double sample_rate_hz_;
  std::size_t piece_;  // most frames a read()

  // The consumer's.
  std::optional<StreamReader> reader_;
  std::size_t unread_ = 0;  // frames that the last read() gave
  std::vector<float> enveloped_;
  std::vector<float*> enveloped_planes_;
  std::vector<float> decimated_;
  std::vector<float*> decimated_planes_;
  std::vector<const float*> detected_planes_;
  std::vector<Event> events_;
  std::optional<std::int64_t> next_sample_;  // of the decimated stream, without a gap

  std::atomic<std::uint64_t> events_found_{0};
  std::atomic<std::uint64_t> events_lost_{0};
  std::atomic<std::int64_t> first_lost_{Stats::kNone};
  std::atomic<std::int64_t> unsound_count_{0};
};

}  // namespace firbank
