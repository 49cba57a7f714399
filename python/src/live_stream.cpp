#include "python/src/live_stream.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace firbank::python {
namespace {

constexpr std::size_t kLeastCall = 4'096;                    // frames that a call may bring
constexpr std::size_t kPieceSamples = std::size_t{1} << 17;  // of a piece that is copied
constexpr std::size_t kStretch = 4'096;                      // frames of the past at a time
constexpr std::size_t kTile = 16;                            // frames: a cache line of floats

EngineConfig with_long_calls(EngineConfig config) {
  config.max_frames = std::max(config.block_frames, kLeastCall);
  return config;
}

std::size_t past_of(std::size_t max_taps) {
  return max_taps - 1;
}

/// Tile by tile, so that neither side is read or written far and wide.
template <class From, class To>
void copy_channels(const std::vector<From*>& from, std::ptrdiff_t from_stride,
                   const std::vector<To*>& to, std::ptrdiff_t to_stride, std::size_t frames) {
  for (std::size_t first = 0; first < frames; first += kTile) {
    const std::size_t count = std::min(kTile, frames - first);
    for (std::size_t channel = 0; channel < to.size(); ++channel) {
      const From* source = from[channel] + static_cast<std::ptrdiff_t>(first) * from_stride;
      To* target = to[channel] + static_cast<std::ptrdiff_t>(first) * to_stride;
      for (std::size_t n = 0; n < count; ++n, source += from_stride, target += to_stride) {
        *target = *source;
      }
    }
  }
}

template <class Sample>
StridedChannels<Sample> planar(Sample* data, std::size_t channels, std::size_t frames) {
  return {.data = data, .rows = channels, .row_stride = static_cast<std::ptrdiff_t>(frames)};
}

}  // namespace

template <class Sample>
LiveStream<Sample>::LiveStream(const EngineConfig& config, const FilterBank& bank,
                               const Routing& routing)
    : engine_(with_long_calls(config), bank, routing),
      block_frames_(config.block_frames),
      wanted_past_(past_of(engine_.plan().max_taps)),
      past_(routing.inputs(), wanted_past_ + 1, std::min(wanted_past_ + 1, kStretch)),
      in_planes_(routing.inputs()),
      out_planes_(routing.outputs()) {}

/// Pieces that are copied stay in the cache.
template <class Sample>
std::size_t LiveStream<Sample>::piece_frames(bool in_place) const noexcept {
  if (in_place) return engine_.max_frames();
  const std::size_t frames = kPieceSamples / std::max(engine_.inputs(), engine_.outputs());
  return std::clamp(frames / block_frames_ * block_frames_, block_frames_, engine_.max_frames());
}

template <class Sample>
const Sample* const* LiveStream<Sample>::gather(const StridedChannels<const Sample>& in,
                                                std::size_t first, std::size_t frames) {
  for (std::size_t c = 0; c < in_planes_.size(); ++c) in_planes_[c] = in.at(c, first);
  if (in.frame_stride == 1) return in_planes_.data();
  const std::size_t most = piece_frames(false);
  in_samples_.resize(in_planes_.size() * most);
  in_pieces_.resize(in_planes_.size());
  for (std::size_t c = 0; c < in_pieces_.size(); ++c) in_pieces_[c] = &in_samples_[c * most];
  copy_channels(in_planes_, in.frame_stride, in_pieces_, 1, frames);
  return in_pieces_.data();
}

template <class Sample>
Sample* const* LiveStream<Sample>::aim(const StridedChannels<Sample>& out, std::size_t first) {
  for (std::size_t c = 0; c < out_planes_.size(); ++c) out_planes_[c] = out.at(c, first);
  if (out.frame_stride == 1) return out_planes_.data();
  const std::size_t most = piece_frames(false);
  out_samples_.resize(out_planes_.size() * most);
  out_pieces_.resize(out_planes_.size());
  for (std::size_t c = 0; c < out_pieces_.size(); ++c) out_pieces_[c] = &out_samples_[c * most];
  return out_pieces_.data();
}

/// From where aim() had the engine write, to where it belongs.
template <class Sample>
void LiveStream<Sample>::scatter(std::ptrdiff_t frame_stride, std::size_t frames) noexcept {
  if (frame_stride == 1) return;
  copy_channels(out_pieces_, 1, out_planes_, frame_stride, frames);
}

template <class Sample>
void LiveStream<Sample>::process(const StridedChannels<const Sample>& in,
                                 const StridedChannels<Sample>& out, std::size_t frames) {
  const bool in_place = in.frame_stride == 1 && out.frame_stride == 1;
  for (std::size_t done = 0; done < frames;) {
    const std::size_t piece = std::min(frames - done, piece_frames(in_place));
    run(gather(in, done, piece), aim(out, done), piece);
    scatter(out.frame_stride, piece);
    done += piece;
  }
}

/// At most max_frames() frames, whose planes are the engine's.
template <class Sample>
void LiveStream<Sample>::run(const Sample* const* in, Sample* const* out, std::size_t frames) {
  // First, as `out` may be `in`. Of more frames than are kept the last ones count.
  const std::size_t skipped = frames - std::min(frames, past_.capacity());
  past_.advance(skipped);
  for (std::size_t c = 0; c < past_.channels(); ++c) {
    past_.write(c, past_.clock(), frames - skipped,
                [&](Sample* to, std::size_t offset, std::size_t count) {
                  std::copy_n(in[c] + skipped + offset, count, to);
                });
  }
  past_.advance(frames - skipped);
  heard_ += static_cast<std::int64_t>(frames);
  silent_ = 0;
  const ProcessStatus status = engine_.process(in, out, frames);
  follow_spoiled(out, frames);
  if (status == ProcessStatus::kBackendFailed) {
    throw std::runtime_error("the stream is silent from here on: " + engine_.failure());
  }
}

/// The engine's own first spoiled frame may lie in the past that restore() went through.
template <class Sample>
void LiveStream<Sample>::follow_spoiled(Sample* const* out, std::size_t frames) noexcept {
  const std::int64_t spoiled = engine_.stats().spoiled_frames;
  if (spoiled == std::exchange(spoiled_seen_, spoiled)) return;
  if (first_spoiled_.load(std::memory_order_relaxed) != Stats::kNone) return;
  std::size_t first = frames;
  for (std::size_t c = 0; c < engine_.outputs(); ++c) {
    const Sample* const bad =
        std::find_if(out[c], out[c] + first, [](Sample sample) { return std::isnan(sample); });
    first = static_cast<std::size_t>(bad - out[c]);
  }
  first_spoiled_.store(position() - static_cast<std::int64_t>(frames - first),
                       std::memory_order_relaxed);
}

template <class Sample>
std::size_t LiveStream<Sample>::flush(const StridedChannels<Sample>& out, std::size_t frames) {
  std::size_t done = 0;
  while (done < frames) {
    const std::size_t piece = std::min(frames - done, piece_frames(false));
    Sample* const* const planes = aim(out, done);
    const std::size_t flushed = engine_.flush(planes, piece);
    if (flushed == 0) break;
    follow_spoiled(planes, flushed);
    scatter(out.frame_stride, flushed);
    for (std::size_t left = flushed; left > 0;) {
      const std::size_t part = std::min(left, past_.capacity());
      for (std::size_t c = 0; c < past_.channels(); ++c) past_.clear(c, past_.clock(), part);
      past_.advance(part);
      left -= part;
    }
    heard_ += static_cast<std::int64_t>(flushed);
    silent_ += flushed;
    done += flushed;
  }
  return done;
}

template <class Sample>
void LiveStream<Sample>::reset() noexcept {
  engine_.reset();
  heard_ = 0;
  silent_ = 0;
}

template <class Sample>
std::uint64_t LiveStream<Sample>::swap(const FilterBank& bank, std::optional<std::int64_t> at_frame,
                                       std::size_t crossfade_frames) {
  const std::int64_t at = at_frame ? *at_frame - offset_.load() : engine_.position();
  return engine_.swap(bank, at, crossfade_frames);
}

template <class Sample>
void LiveStream<Sample>::update(std::size_t filter, std::span<const double> taps) {
  engine_.update(filter, taps);
}

template <class Sample>
std::optional<std::int64_t> LiveStream<Sample>::live_frame(std::uint64_t ticket) const noexcept {
  const std::optional<std::int64_t> frame = engine_.live_frame(ticket);
  if (!frame) return std::nullopt;
  return *frame + offset_.load();
}

template <class Sample>
std::size_t LiveStream<Sample>::past_frames() const noexcept {
  return static_cast<std::size_t>(
      std::min<std::int64_t>(heard_, static_cast<std::int64_t>(wanted_past_)));
}

template <class Sample>
void LiveStream<Sample>::copy_past(const StridedChannels<Sample>& out) const noexcept {
  const std::size_t frames = past_frames();
  for (std::size_t c = 0; c < past_.channels(); ++c) {
    for (std::size_t done = 0; done < frames;) {
      const std::size_t count = std::min(frames - done, kStretch);
      const Sample* from = past_.at(c, past_.clock() - static_cast<std::int64_t>(frames - done));
      Sample* to = out.at(c, done);
      for (std::size_t n = 0; n < count; ++n, to += out.frame_stride) *to = from[n];
      done += count;
    }
  }
}

template <class Sample>
void LiveStream<Sample>::restore(const StridedChannels<const Sample>& past, std::size_t frames,
                                 std::size_t silent, std::int64_t position, std::int64_t heard) {
  reset();
  const std::size_t most = piece_frames(false);
  std::vector<Sample> answer(engine_.outputs() * most);  // that nobody wants
  const StridedChannels<Sample> out = planar(answer.data(), engine_.outputs(), most);
  for (std::size_t done = 0; done < frames - silent;) {
    const std::size_t piece = std::min(frames - silent - done, most);
    run(gather(past, done, piece), aim(out, 0), piece);
    done += piece;
  }
  for (std::size_t left = silent; left > 0;) {
    const std::size_t flushed = flush(out, std::min(left, most));
    if (flushed == 0) break;
    left -= flushed;
  }
  heard_ = heard;
  silent_ = silent;
  offset_.store(position - engine_.position());
  before_ = engine_.stats();
  first_spoiled_.store(Stats::kNone, std::memory_order_relaxed);
}

template <class Sample>
LiveStreamStats LiveStream<Sample>::stats() const noexcept {
  LiveStreamStats stats;
  stats.first_spoiled_frame = first_spoiled_.load(std::memory_order_relaxed);
  stats.engine = engine_.stats();
  stats.engine.frames -= before_.frames;
  stats.engine.spoiled_frames -= before_.spoiled_frames;
  stats.engine.swaps -= before_.swaps;
  stats.engine.lost_frames -= before_.lost_frames;
  for (std::int64_t* frame : {&stats.engine.first_lost_frame, &stats.engine.fail_over_frame}) {
    if (*frame != Stats::kNone) *frame += offset_.load();
  }
  return stats;
}

template class LiveStream<float>;
template class LiveStream<double>;

}  // namespace firbank::python
