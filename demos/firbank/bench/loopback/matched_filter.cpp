#include "demos/firbank/bench/loopback/matched_filter.hpp"

#include <algorithm>

namespace firbank::program {
namespace {

EngineConfig offline() {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  return config;
}

/// The sequence turned round, so that a convolution with it is a correlation.
FilterBank turned_round(std::span<const double> sequence) {
  std::vector<double> taps(sequence.rbegin(), sequence.rend());
  for (double& tap : taps) tap /= static_cast<double>(sequence.size());
  return FilterBank({std::move(taps)});
}

}  // namespace

MatchedFilter::MatchedFilter(std::span<const double> sequence)
    : frames_(sequence.size()), engine_(offline(), turned_round(sequence), Routing::rows(1, 1)) {}

std::vector<double> MatchedFilter::correlation(std::span<const double> recording) {
  if (recording.size() < frames_) return {};
  engine_.reset();
  std::vector<double> filtered(recording.size());
  for (std::size_t at = 0; at < recording.size();) {
    const std::size_t frames = std::min(engine_.max_frames(), recording.size() - at);
    const double* const in = recording.data() + at;
    double* const out = filtered.data() + at;
    engine_.process(&in, &out, frames);
    at += frames;
  }
  // Before them the filter still hears the silence in front of the recording.
  filtered.erase(filtered.begin(), filtered.begin() + static_cast<std::ptrdiff_t>(frames_ - 1));
  return filtered;
}

std::vector<double> MatchedFilter::periodic_correlation(std::span<const double> period) {
  std::vector<double> twice(period.begin(), period.end());
  twice.insert(twice.end(), period.begin(), period.end() - 1);
  return correlation(twice);
}

}  // namespace firbank::program
