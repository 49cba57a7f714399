// SequenceArrivals: where the periods of a repeated sequence begin in a recording, as its
// correlation with one period shows them. Periods that lost samples, and are low for it, are passed
// over in the search for the first and the last one.
//
// Thread: any.  Realtime: no.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace firbank::program {

/// Where the magnitude of `values` is largest, in [first, last). Precondition: first < last.
std::size_t largest_magnitude(std::span<const double> values, std::size_t first, std::size_t last);

class SequenceArrivals {
 public:
  /// `correlation` outlives this; nothing before `first_frame` is looked at, since nothing was
  /// played then. Precondition: first_frame < correlation.size().
  SequenceArrivals(std::span<const double> correlation, std::size_t period,
                   std::size_t first_frame);

  /// The highest point of all, with its sign.
  double peak() const { return correlation_[highest_]; }
  /// A period of the correlation, with the highest point in its middle as far as that can be.
  std::span<const double> about_highest() const;
  /// The earliest and the latest period half as high.
  std::size_t first() const { return first_; }
  std::size_t last() const { return last_; }
  /// Periods from the first to the last one.
  std::size_t count() const { return (last_ - first_ + period_ / 2) / period_ + 1; }
  /// Whether another one after the last would have ended within the recording.
  bool has_room_for_more() const { return last_ + period_ < correlation_.size(); }

  /// The highest point within a quarter of a period of `expected`; none beyond the recording.
  std::optional<std::size_t> near(std::size_t expected) const;

 private:
  bool is_high(std::size_t at) const;
  std::size_t earliest() const;
  std::size_t latest() const;

  std::span<const double> correlation_;
  std::size_t period_;
  std::size_t first_frame_;
  std::size_t highest_;
  std::size_t first_;
  std::size_t last_;
};

}  // namespace firbank::program
