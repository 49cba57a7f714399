#include "demos/firbank/monitor/serve_watch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace firbank::program {
namespace {

constexpr double kBinSeconds = 0.001;
constexpr double kRmsSeconds = 0.25;

/// Of all channels together: 32 MiB. Of very many channels fewer bins are kept.
constexpr std::size_t kMostCells = std::size_t{1} << 22;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::size_t frames_of(double seconds, double rate_hz) {
  return static_cast<std::size_t>(std::max(1.0, std::round(seconds * rate_hz)));
}

std::int64_t bin_of(std::int64_t frame, std::size_t bin_frames) {
  const auto size = static_cast<std::int64_t>(bin_frames);
  return frame / size - (frame % size < 0 ? 1 : 0);
}

struct Extent {
  float low = kInfinity;
  float high = -kInfinity;
  double energy = 0;
};

/// What is not finite counts as 0.
Extent extent_of_finite(const float* samples, std::size_t frames) {
  Extent extent;
  for (std::size_t n = 0; n < frames; ++n) {
    const float kept = std::isfinite(samples[n]) ? samples[n] : 0.0f;
    extent.low = std::min(extent.low, kept);
    extent.high = std::max(extent.high, kept);
    extent.energy += static_cast<double>(kept) * static_cast<double>(kept);
  }
  return extent;
}

/// As plain as it is: of the few samples of a bin, vectors cost more to put together at the end
/// than they save.
Extent extent_of(const float* samples, std::size_t frames) {
  float low = kInfinity;
  float high = -kInfinity;
  float energy = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    const float sample = samples[n];
    low = sample < low ? sample : low;
    high = sample > high ? sample : high;
    energy += sample * sample;
  }
  // Spoiled by what is not finite, or too large to be squared.
  if (!std::isfinite(energy)) return extent_of_finite(samples, frames);
  return {low, high, static_cast<double>(energy)};
}

}  // namespace

ServeWatch::ServeWatch(std::size_t channels, double sample_rate_hz)
    : channels_(channels),
      bin_frames_(frames_of(kBinSeconds, sample_rate_hz)),
      rms_frames_(frames_of(kRmsSeconds, sample_rate_hz)),
      most_rows_(std::clamp<std::size_t>(kMostCells / channels, 1, kMostBins)),
      low_(channels, kInfinity),
      high_(channels, -kInfinity),
      energy_(channels),
      row_bins_(most_rows_),
      row_low_(most_rows_ * channels),
      row_high_(most_rows_ * channels),
      events_(kMostEvents) {}

void ServeWatch::look(Clock::time_point now) {
  watched_until_.store((now + kLookHolds).time_since_epoch().count(), std::memory_order_relaxed);
}

/// What was kept before is older than what comes now by nobody knows how much.
bool ServeWatch::is_watched(Clock::time_point now) {
  Clock::rep until = watched_until_.load(std::memory_order_relaxed);
  if (now.time_since_epoch().count() > until) {
    // Fails where somebody looks just now.
    watched_until_.compare_exchange_strong(until, kNever, std::memory_order_relaxed);
    was_watched_ = false;
    return false;
  }
  if (!was_watched_) forget();
  was_watched_ = true;
  return true;
}

void ServeWatch::begin_stream() {
  forget();
}

void ServeWatch::forget() {
  std::fill(low_.begin(), low_.end(), kInfinity);
  std::fill(high_.begin(), high_.end(), -kInfinity);
  std::fill(energy_.begin(), energy_.end(), 0.0);
  frames_in_bin_ = 0;
  frames_in_rms_ = 0;
  const std::lock_guard lock(mutex_);
  ++era_;
  rows_ = 0;
  events_kept_from_ = events_seen_;
}

void ServeWatch::add(const BasicBlock<const float>& samples, std::span<const Event> events,
                     Clock::time_point now) {
  if (!is_watched(now)) return;
  add_samples(samples);
  if (events.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const Event& event : events) events_[events_seen_++ % kMostEvents] = event;
}

void ServeWatch::add_samples(const BasicBlock<const float>& samples) {
  for (std::size_t done = 0; done < samples.frames;) {
    const std::int64_t frame = samples.first_frame + static_cast<std::int64_t>(done);
    const std::int64_t bin = bin_of(frame, bin_frames_);
    if (frames_in_bin_ > 0 && bin != bin_) close_bin();
    // Bins only ever go up, as their numbers are their places.
    if (bin < bin_) forget();
    bin_ = bin;
    const std::int64_t end = (bin + 1) * static_cast<std::int64_t>(bin_frames_);
    const std::size_t frames =
        std::min(samples.frames - done, static_cast<std::size_t>(end - frame));
    add_to_bin(samples.planes, done, frames);
    done += frames;
    if (frame + static_cast<std::int64_t>(frames) == end) close_bin();
    if (frames_in_rms_ >= rms_frames_) close_rms();
  }
}

void ServeWatch::add_to_bin(const float* const* planes, std::size_t first, std::size_t frames) {
  for (std::size_t c = 0; c < channels_; ++c) {
    const Extent extent = extent_of(planes[c] + first, frames);
    low_[c] = std::min(low_[c], extent.low);
    high_[c] = std::max(high_[c], extent.high);
    energy_[c] += extent.energy;
  }
  frames_in_bin_ += frames;
  frames_in_rms_ += frames;
}

void ServeWatch::close_bin() {
  {
    const std::lock_guard lock(mutex_);
    const auto cell = static_cast<std::ptrdiff_t>(cell_of(rows_));
    std::copy(low_.begin(), low_.end(), row_low_.begin() + cell);
    std::copy(high_.begin(), high_.end(), row_high_.begin() + cell);
    row_bins_[rows_ % most_rows_] = bin_;
    ++rows_;
  }
  std::fill(low_.begin(), low_.end(), kInfinity);
  std::fill(high_.begin(), high_.end(), -kInfinity);
  frames_in_bin_ = 0;
}

void ServeWatch::close_rms() {
  {
    const std::lock_guard lock(mutex_);
    rms_.resize(channels_);
    for (std::size_t c = 0; c < channels_; ++c) {
      rms_[c] = static_cast<float>(std::sqrt(energy_[c] / static_cast<double>(frames_in_rms_)));
    }
    ++rms_made_;
  }
  std::fill(energy_.begin(), energy_.end(), 0.0);
  frames_in_rms_ = 0;
}

ServeWatch::View ServeWatch::see(Place& place, std::size_t first, std::size_t count) const {
  View view;
  const std::lock_guard lock(mutex_);
  if (place.era != era_) {
    place.era = era_;
    place.row = 0;
  }
  // What is older has been overwritten.
  place.row = std::max(place.row, rows_ - std::min<std::uint64_t>(rows_, most_rows_));
  for (; place.row < rows_; ++place.row) {
    const std::int64_t bin = row_bins_[place.row % most_rows_];
    if (view.bins == 0) view.first_bin = bin;
    if (bin != view.first_bin + static_cast<std::int64_t>(view.bins)) break;
    const auto cell = static_cast<std::ptrdiff_t>(cell_of(place.row) + first);
    const auto end = cell + static_cast<std::ptrdiff_t>(count);
    view.low.insert(view.low.end(), row_low_.begin() + cell, row_low_.begin() + end);
    view.high.insert(view.high.end(), row_high_.begin() + cell, row_high_.begin() + end);
    ++view.bins;
  }
  if (place.rms != rms_made_) view.rms = rms_;
  place.rms = rms_made_;
  const std::uint64_t oldest = std::max(
      events_kept_from_, events_seen_ - std::min<std::uint64_t>(events_seen_, kMostEvents));
  place.event = std::max(place.event, oldest);
  view.events_before = place.event;
  for (; place.event < events_seen_; ++place.event) {
    view.events.push_back(events_[place.event % kMostEvents]);
  }
  return view;
}

}  // namespace firbank::program
