#include "engine/acquisition/acquisition_stream.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/group_delay.hpp"
#include "io/error.hpp"

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
      delays_(engine_.outputs()),
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
  reader_.emplace(engine_.open_reader(ReaderPolicy::kLossless));
  engine_.stop_pulling();
  unread_ = 0;
}

void AcquisitionStream::restart() {
  engine_.stop();
  reader_.reset();
  engine_.reset();
  if (envelope_) envelope_->reset();
  if (decimator_) decimator_->reset();
  if (detector_) detector_->reset();
  open();
}

PushResult AcquisitionStream::push(const StreamHeader& header, const Packet& packet,
                                   std::size_t from) noexcept {
  PushMarks marks;
  marks.channels = header.channels;
  marks.frames = packet.frames - from;
  marks.first_frame = packet.first_frame + static_cast<std::int64_t>(from);
  if (packet.timestamp_ns != 0) {
    marks.timestamp_ns =
        packet.timestamp_ns + std::llround(static_cast<double>(from) * 1e9 / header.sample_rate_hz);
  }
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
  const std::int64_t first_frame = block.filtered.first_frame;
  if (envelope_) {
    envelope_->process(block.filtered.planes, enveloped_planes_.data(), frames, first_frame);
    block.samples = view_of(enveloped_planes_, block.filtered);
  }
  if (detector_) {
    const BasicBlock<const float>& from = block.samples;
    tell_events(
        detector_->process(from.planes, frames, first_frame, events_.data(), events_.size()),
        first_frame, block);
  }
  if (decimator_) {
    const DecimatedFrames kept =
        decimator_->process(block.samples.planes, frames, first_frame, decimated_planes_.data());
    const auto factor = static_cast<std::int64_t>(decimator_->factor());
    block.samples = view_of(decimated_planes_, block.samples);
    block.samples.frames = kept.frames;
    block.samples.first_frame = kept.first_frame / factor;
    block.samples.gap_before /= factor;
  }
  return true;
}

void AcquisitionStream::tell_events(EventCount count, std::int64_t frame,
                                    AcquiredBlock& block) noexcept {
  for (std::size_t i = 0; i < count.events; ++i) {
    events_[i].frame -= delays_[events_[i].channel];
    events_[i].crossing -= delays_[events_[i].channel];
  }
  block.events = {events_.data(), count.events};
  block.lost_events = count.lost;
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
          .first_lost_event_frame = first_lost_.load(std::memory_order_relaxed)};
}

}  // namespace firbank
