// LiveStream: an engine that takes chunks of any size and layout, and whose past can be kept and
// given to another one.
//
// Frames are named from 0 on; after restore(), as the stream was that the past is of.
//
// Thread: swap(), live_frame(), position() and stats(): any, of swap() and update() one at a time.
//         The rest: one at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/input_history.hpp"

namespace firbank::python {

/// Samples in the caller's layout: rows x columns channels in that order, distances in samples.
template <class Sample>
struct StridedChannels {
  Sample* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 1;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t column_stride = 0;
  std::ptrdiff_t frame_stride = 1;

  std::size_t channels() const noexcept { return rows * columns; }
  /// Sample `frame` of a channel.
  Sample* at(std::size_t channel, std::size_t frame) const noexcept {
    return data + static_cast<std::ptrdiff_t>(channel / columns) * row_stride +
           static_cast<std::ptrdiff_t>(channel % columns) * column_stride +
           static_cast<std::ptrdiff_t>(frame) * frame_stride;
  }
};

/// Counted since construction or restore().
struct LiveStreamStats {
  std::int64_t first_spoiled_frame = Stats::kNone;
  Stats engine;  // positions are names of frames; frames and calls are those of the engine
};

template <class Sample>
class LiveStream {
 public:
  /// Throws: as BasicEngine.
  LiveStream(const EngineConfig& config, const FilterBank& bank, const Routing& routing);

  /// Filters `frames` frames, any number. `out` may be `in`, channel by channel. Throws:
  /// std::runtime_error when the backend has failed for good.
  void process(const StridedChannels<const Sample>& in, const StridedChannels<Sample>& out,
               std::size_t frames);

  /// Puts out up to `frames` frames of the tail, as if silence came in; returns how many, less than
  /// `frames` when the tail is complete.
  std::size_t flush(const StridedChannels<Sample>& out, std::size_t frames);

  void reset() noexcept;

  /// As BasicEngine has them; `at_frame` is none for the next call.
  std::uint64_t swap(const FilterBank& bank, std::optional<std::int64_t> at_frame,
                     std::size_t crossfade_frames);
  void update(std::size_t filter, std::span<const double> taps);
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  std::int64_t position() const noexcept { return engine_.position() + offset_.load(); }

  /// Frames since the stream began, at construction or by reset(), and how many of the last are the
  /// silence of flush().
  std::int64_t heard_frames() const noexcept { return heard_; }
  std::size_t silent_frames() const noexcept { return silent_; }
  /// Frames of input that are kept: what filters of max_taps still hear.
  std::size_t past_frames() const noexcept;
  /// The last of them, as they came: past_frames() frames of each input.
  void copy_past(const StridedChannels<Sample>& out) const noexcept;

  /// Goes on from there: with `frames` frames of input, the last `silent` of which are silence of
  /// flush(). No swap may be pending. Throws: as process().
  void restore(const StridedChannels<const Sample>& past, std::size_t frames, std::size_t silent,
               std::int64_t position, std::int64_t heard);

  LiveStreamStats stats() const noexcept;
  const BasicEngine<Sample>& engine() const noexcept { return engine_; }

 private:
  std::size_t piece_frames(bool in_place) const noexcept;
  const Sample* const* gather(const StridedChannels<const Sample>& in, std::size_t first,
                              std::size_t frames);
  Sample* const* aim(const StridedChannels<Sample>& out, std::size_t first);
  void scatter(std::ptrdiff_t frame_stride, std::size_t frames) noexcept;
  void run(const Sample* const* in, Sample* const* out, std::size_t frames);
  void follow_spoiled(Sample* const* out, std::size_t frames) noexcept;

  BasicEngine<Sample> engine_;
  std::size_t block_frames_;
  std::size_t wanted_past_;  // frames that the longest filter still hears
  InputHistory<Sample> past_;
  std::int64_t heard_ = 0;
  std::size_t silent_ = 0;
  std::atomic<std::int64_t> offset_{0};  // from the engine's names of frames to ours

  // Where the channels of a piece begin in the caller's memory; and copies of them, planar, where
  // their frames do not lie one behind the other.
  std::vector<const Sample*> in_planes_;
  std::vector<Sample*> out_planes_;
  std::vector<Sample> in_samples_;
  std::vector<Sample> out_samples_;
  std::vector<Sample*> in_pieces_;
  std::vector<Sample*> out_pieces_;

  std::atomic<std::int64_t> first_spoiled_{Stats::kNone};
  std::int64_t spoiled_seen_ = 0;
  Stats before_;  // what restore() has counted
};

extern template class LiveStream<float>;
extern template class LiveStream<double>;

}  // namespace firbank::python
