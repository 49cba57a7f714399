#include "engine/acquisition/acquisition_stream.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/group_delay.hpp"
#include "io/error.hpp"
#include "io/frame_time.hpp"

namespace firbank {
namespace {

/// Checked before anything is allocated.
EngineConfig engine_config(const AcquisitionConfig& config) {
  if (config.most_events == 0) {
    throw Error(ErrorKind::kConfiguration, "most_events is 0; at least 1 is allowed");
  }
  return config.engine;
}

template <class Config>
Config sized(Config config, std::size_t channels) {
  config.channels = channels;
  return config;
}

template <class Config>
Config sized(Config config, std::size_t channels, std::size_t block_frames) {
  config.channels = channels;
  config.block_frames = block_frames;
  return config;
}

/// With what the envelope adds to the taps that are heard.
IndexRange heard_taps(const AcquisitionConfig& config, const FilterBank& bank,
                      const Routing& routing) {
  IndexRange taps = core_taps(bank, routing);
  if (config.envelope) taps.last += config.envelope->taps - 1;
  return taps;
}

std::vector<float*> planes_of(std::vector<float>& samples, std::size_t channels) {
  std::vector<float*> planes(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    planes[c] = samples.data() + c * (samples.size() / channels);
  }
  return planes;
}

BasicBlock<const float> view_of(const std::vector<float*>& planes,
                                const BasicBlock<const float>& marks) {
  BasicBlock<const float> view = marks;
  view.planes = planes.data();
  view.channels = planes.size();
  return view;
}

}  // namespace

AcquisitionStream::AcquisitionStream(const AcquisitionConfig& config, const FilterBank& bank,
                                     const Routing& routing)
    : engine_(engine_config(config), bank, routing),
      unsound_(heard_taps(config, bank, routing)),
      delays_(engine_.outputs()),
      sample_rate_hz_(config.engine.sample_rate_hz),
      piece_(config.engine.block_frames) {
  const std::size_t outputs = engine_.outputs();
  if (config.reference) reference_.emplace(sized(*config.reference, engine_.inputs()));
  if (config.envelope) {
    envelope_.emplace(sized(*config.envelope, outputs, piece_));
    enveloped_.resize(outputs * piece_);
    enveloped_planes_ = planes_of(enveloped_, outputs);
  }
  if (config.decimation) {
    decimator_.emplace(
        DecimatorConfig{
            .channels = outputs, .factor = config.decimation->factor, .block_frames = piece_},
        config.decimation->filter);
    decimated_.resize(outputs * decimator_->most_frames(piece_));
    decimated_planes_ = planes_of(decimated_, outputs);
    const FilterBank& filter = config.decimation->filter;
    decimation_delays_.clear();
    for (std::size_t f = 0; f < filter.size(); ++f) {
      decimation_delays_.push_back(std::llround(group_delay(filter.taps(f)).frames));
    }
  }
  if (config.events) {
    detector_.emplace(sized(*config.events, outputs));
    detected_planes_.resize(outputs);
    events_.resize(config.most_events);
  }
  for (std::size_t output = 0; output < outputs; ++output) {
    const double delay = group_delay(bank, routing, output).frames +
                         (envelope_ ? envelope_->group_delay_frames() : 0);
    delays_[output] = std::llround(delay);
  }
  open();
}

AcquisitionStream::~AcquisitionStream() {
  engine_.stop();
}

void AcquisitionStream::open() {
  engine_.start();
  engine_.stop_pulling();  // first: there may be room for one reader alone
  reader_.emplace(engine_.open_reader(ReaderPolicy::kLossless));
  unread_ = 0;
}

void AcquisitionStream::restart() {
  engine_.stop();
  reader_.reset();
  engine_.reset();
  if (envelope_) envelope_->reset();
  if (decimator_) decimator_->reset();
  if (detector_) detector_->reset();
  unsound_.reset();
  next_sample_.reset();
  open();
}

PushResult AcquisitionStream::push(const StreamHeader& header, const Packet& packet,
                                   std::size_t from) noexcept {
  PushMarks marks;
  marks.channels = header.channels;
  marks.frames = packet.frames - from;
  marks.first_frame = packet.first_frame + static_cast<std::int64_t>(from);
  marks.timestamp_ns =
      time_after(packet.timestamp_ns, static_cast<std::int64_t>(from), header.sample_rate_hz);
  return push(marks, [&](float* const* planes, std::size_t offset, std::size_t frames) noexcept {
    to_planes(header, packet, from + offset, frames, planes);
  });
}

bool AcquisitionStream::wait(std::chrono::nanoseconds timeout) noexcept {
  // What was read is given back first: the reader wakes for what comes after it.
  reader_->advance(std::exchange(unread_, 0));
  return reader_->wait(timeout);
}

bool AcquisitionStream::read(AcquiredBlock& block) noexcept {
  reader_->advance(std::exchange(unread_, 0));
  block = {};
  block.filtered = reader_->peek(piece_);
  block.samples = block.filtered;
  if (block.filtered.frames == 0) {
    if (!has(block.filtered.flags, BlockFlags::kEndOfStream)) return false;
    if (detector_) {
      tell_events(detector_->flush(events_.data(), events_.size()), block.filtered.first_frame,
                  block);
    }
    return true;
  }
  unread_ = block.filtered.frames;
  const std::size_t frames = block.filtered.frames;
  if (envelope_) {
    envelope_->process(block.filtered.planes, enveloped_planes_.data(), frames,
                       block.filtered.first_frame);
    block.samples = view_of(enveloped_planes_, block.filtered);
  }
  if (detector_) {
    const IndexRange unsound = unsound_.take(frames, block.filtered.flags);
    detect({0, unsound.first}, block);
    if (unsound.first < unsound.last) {
      // What waits for its peak is told; what follows is as behind a gap.
      tell_events(detector_->flush(events_.data() + block.events.size(),
                                   events_.size() - block.events.size()),
                  block.filtered.first_frame, block);
      unsound_count_.fetch_add(static_cast<std::int64_t>(unsound.last - unsound.first),
                               std::memory_order_relaxed);
    }
    detect({unsound.last, frames}, block);
  }
  if (decimator_) decimate(block);
  return true;
}

/// Looks for events in these frames of a block.
void AcquisitionStream::detect(IndexRange frames, AcquiredBlock& block) noexcept {
  if (frames.first >= frames.last) return;
  for (std::size_t output = 0; output < detected_planes_.size(); ++output) {
    detected_planes_[output] = block.samples.planes[output] + frames.first;
  }
  const std::int64_t first_frame = frame_after(block.samples.first_frame, frames.first);
  tell_events(detector_->process(detected_planes_.data(), frames.last - frames.first, first_frame,
                                 events_.data() + block.events.size(),
                                 events_.size() - block.events.size()),
              first_frame, block);
}

/// Keeps the frames whose index is a multiple of the factor. What a block is told to lack follows
/// from what was kept before: the frame that counts may come blocks later.
void AcquisitionStream::decimate(AcquiredBlock& block) noexcept {
  const BasicBlock<const float> whole = block.samples;
  const DecimatedFrames kept =
      decimator_->process(whole.planes, whole.frames, whole.first_frame, decimated_planes_.data());
  BasicBlock<const float>& samples = block.samples;
  samples = view_of(decimated_planes_, whole);
  samples.frames = kept.frames;
  samples.first_frame = kept.first_frame / static_cast<std::int64_t>(decimator_->factor());
  samples.gap_before = 0;
  if (kept.frames == 0) return;
  if (next_sample_) samples.gap_before = samples.first_frame - *next_sample_;
  next_sample_ = samples.first_frame + static_cast<std::int64_t>(kept.frames);
  samples.timestamp_ns =
      time_after(whole.timestamp_ns, kept.first_frame - whole.first_frame, sample_rate_hz_);
}

void AcquisitionStream::tell_events(EventCount count, std::int64_t frame,
                                    AcquiredBlock& block) noexcept {
  const std::size_t told = block.events.size();  // of this block, before
  for (std::size_t i = told; i < told + count.events; ++i) {
    events_[i].frame -= delays_[events_[i].channel];
    events_[i].crossing -= delays_[events_[i].channel];
  }
  block.events = {events_.data(), told + count.events};
  block.lost_events += count.lost;
  events_found_.fetch_add(count.events, std::memory_order_relaxed);
  if (count.lost > 0 && events_lost_.fetch_add(count.lost, std::memory_order_relaxed) == 0) {
    first_lost_.store(frame, std::memory_order_relaxed);
  }
}

void AcquisitionStream::set_bad_channel(std::size_t input, bool bad) noexcept {
  if (input >= engine_.inputs()) return;
  engine_.set_bad_channel(input, bad);
  if (reference_) reference_->set_bad(input, bad);
}

AcquisitionStats AcquisitionStream::stats() const noexcept {
  return {.engine = engine_.stats(),
          .events = events_found_.load(std::memory_order_relaxed),
          .lost_events = events_lost_.load(std::memory_order_relaxed),
          .first_lost_event_frame = first_lost_.load(std::memory_order_relaxed),
          .unsound_frames = unsound_count_.load(std::memory_order_relaxed)};
}

}  // namespace firbank
