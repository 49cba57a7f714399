#include "demos/firbank/bench/loopback/sequence_arrivals.hpp"

#include <algorithm>
#include <cmath>

namespace firbank::program {

std::size_t largest_magnitude(std::span<const double> values, std::size_t first, std::size_t last) {
  const auto part = values.subspan(first, last - first);
  const auto at = std::max_element(part.begin(), part.end(),
                                   [](double a, double b) { return std::abs(a) < std::abs(b); });
  return first + static_cast<std::size_t>(at - part.begin());
}

SequenceArrivals::SequenceArrivals(std::span<const double> correlation, std::size_t period,
                                   std::size_t first_frame)
    : correlation_(correlation),
      period_(period),
      first_frame_(first_frame),
      highest_(largest_magnitude(correlation, first_frame, correlation.size())),
      first_(earliest()),
      last_(latest()) {}

std::span<const double> SequenceArrivals::about_highest() const {
  const std::size_t frames = std::min(period_, correlation_.size());
  const std::size_t begin = std::max(highest_, period_ / 2) - period_ / 2;
  return correlation_.subspan(std::min(begin, correlation_.size() - frames), frames);
}

std::optional<std::size_t> SequenceArrivals::near(std::size_t expected) const {
  if (expected >= correlation_.size()) return std::nullopt;
  const std::size_t reach = period_ / 4;
  const std::size_t begin = std::max(first_frame_ + reach, expected) - reach;
  return largest_magnitude(correlation_, begin,
                           std::min(expected + reach + 1, correlation_.size()));
}

bool SequenceArrivals::is_high(std::size_t at) const {
  return std::abs(correlation_[at]) > 0.5 * std::abs(correlation_[highest_]);
}

std::size_t SequenceArrivals::earliest() const {
  std::size_t found = highest_;
  for (std::size_t expected = found; expected >= first_frame_ + period_;) {
    expected -= period_;
    const auto at = near(expected);
    if (at && is_high(*at)) expected = found = *at;
  }
  return found;
}

std::size_t SequenceArrivals::latest() const {
  std::size_t found = highest_;
  std::size_t expected = found + period_;
  for (auto at = near(expected); at; at = near(expected)) {
    if (is_high(*at)) expected = found = *at;
    expected += period_;
  }
  return found;
}

}  // namespace firbank::program
