// ServeWatch: what there is to see of samples and events on their way out: of each channel the
// lowest and the highest sample of short bins, and the RMS; and the newest events.
//
// A bin has a few frames, and its number is its place in the stream: bin b holds the frames
// [b F, (b + 1) F). Bins in which nothing came are left out. Samples that are not finite count as
// 0.
//
// Nothing is kept unless somebody looks: look() holds for a few seconds, and while nobody does,
// add() costs one atomic read.
//
// Thread:   add(): the one that delivers. begin_stream(): while add() does not run. look(), see():
//           any, several at once.
// Realtime: no. What a watcher gets is copied, so that a slow one holds nobody up.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "engine/stages/event_detector.hpp"
#include "io/block.hpp"

namespace firbank::program {

class ServeWatch {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMostEvents = 16'384;  // that are kept
  static constexpr std::size_t kMostBins = 2'048;
  static constexpr std::chrono::seconds kLookHolds{3};

  /// Up to where one has seen. A new one sees all there is.
  struct Place {
    std::uint64_t era = 0;
    std::uint64_t row = 0;
    std::uint64_t event = 0;
    std::uint64_t rms = 0;
  };

  /// What is new since a place, in channels [first, first + count).
  struct View {
    std::int64_t first_bin = 0;
    std::size_t bins = 0;             // without a hole; what is behind one comes with the next view
    std::vector<float> low;           // [bin][channel]
    std::vector<float> high;          // the same
    std::vector<float> rms;           // of all channels; empty when there is nothing new
    std::uint64_t events_before = 0;  // that there were, in this run, before these
    std::vector<Event> events;        // of all channels
  };

  /// At `sample_rate_hz`, that of the samples that are added. Throws: std::bad_alloc.
  ServeWatch(std::size_t channels, double sample_rate_hz);

  std::size_t channels() const noexcept { return channels_; }
  std::size_t bin_frames() const noexcept { return bin_frames_; }

  /// Another stream begins; what is of the one before is forgotten.
  void begin_stream();

  /// What goes out; the events are of any frames.
  void add(const BasicBlock<const float>& samples, std::span<const Event> events,
           Clock::time_point now);
  void add(const BasicBlock<const float>& samples, std::span<const Event> events) {
    if (watched_until_.load(std::memory_order_relaxed) != kNever) {
      add(samples, events, Clock::now());
    }
  }

  /// Somebody looks now.
  void look(Clock::time_point now = Clock::now());

  /// Moves `place` on by what it gives.
  View see(Place& place, std::size_t first, std::size_t count) const;

 private:
  static constexpr Clock::rep kNever = 0;

  bool is_watched(Clock::time_point now);
  void add_samples(const BasicBlock<const float>& samples);
  void add_to_bin(const float* const* planes, std::size_t first, std::size_t frames);
  void close_bin();
  void close_rms();
  void forget();
  std::size_t cell_of(std::uint64_t row) const { return (row % most_rows_) * channels_; }

  const std::size_t channels_;
  const std::size_t bin_frames_;
  const std::size_t rms_frames_;
  const std::size_t most_rows_;
  std::atomic<Clock::rep> watched_until_{kNever};

  // The deliverer's.
  bool was_watched_ = false;
  std::int64_t bin_ = 0;  // that is being filled
  std::size_t frames_in_bin_ = 0;
  std::size_t frames_in_rms_ = 0;
  std::vector<float> low_;
  std::vector<float> high_;
  std::vector<double> energy_;

  mutable std::mutex mutex_;  // of what follows, for as long as copies take
  std::uint64_t era_ = 1;     // another one where bins begin anew
  std::uint64_t rows_ = 0;    // of this era
  std::vector<std::int64_t> row_bins_;
  std::vector<float> row_low_;
  std::vector<float> row_high_;
  std::uint64_t rms_made_ = 0;
  std::vector<float> rms_;
  std::uint64_t events_seen_ = 0;  // of the run
  std::uint64_t events_kept_from_ = 0;
  std::vector<Event> events_;
};

}  // namespace firbank::program
