#include "bench/peers/oracle.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/peers/noise.hpp"

namespace peers {
namespace {

constexpr std::size_t kStretchFrames = 200;

}  // namespace

Oracle::Oracle(const firbank::Routing& routing, const std::vector<std::vector<float>>& filters,
               std::size_t input_frames, std::size_t last_frame) {
  std::size_t longest = 0;
  for (const auto& taps : filters) longest = std::max(longest, taps.size());
  outputs_ = {0, routing.outputs() / 2, routing.outputs() - 1};
  std::vector<std::size_t> firsts{0, std::max<std::size_t>(longest, 100) - 100,
                                  longest + (last_frame - std::min(last_frame, longest)) / 2,
                                  last_frame - std::min(last_frame, kStretchFrames)};
  std::sort(outputs_.begin(), outputs_.end());
  outputs_.erase(std::unique(outputs_.begin(), outputs_.end()), outputs_.end());
  std::sort(firsts.begin(), firsts.end());
  std::size_t free = 0;
  for (const std::size_t first : firsts) {
    const std::size_t begin = std::max(first, free);
    free = std::min(begin + kStretchFrames, last_frame);
    if (begin < free) stretches_.push_back({begin, free - begin});
  }
  std::vector<double> samples;
  for (const std::size_t output : outputs_) {
    for (const Stretch& stretch : stretches_) {
      std::vector<double> sum(stretch.frames);
      for (const firbank::Edge& edge : routing.edges()) {
        if (edge.output != output) continue;
        const std::vector<float>& taps = filters[edge.filter];
        // samples[taps - 1 + n] is input frame first_frame + n.
        samples.assign(taps.size() - 1 + stretch.frames, 0.0);
        for (std::size_t n = 0; n < samples.size(); ++n) {
          const std::size_t ahead = stretch.first_frame + n;
          if (ahead < taps.size() - 1 || ahead - (taps.size() - 1) >= input_frames) continue;
          samples[n] = noise(static_cast<std::uint32_t>(edge.input),
                             static_cast<std::uint32_t>(ahead - (taps.size() - 1)));
        }
        for (std::size_t t = 0; t < taps.size(); ++t) {
          const double tap = edge.gain * taps[t];
          const double* const from = &samples[taps.size() - 1 - t];
          for (std::size_t n = 0; n < stretch.frames; ++n) sum[n] += tap * from[n];
        }
      }
      expected_.push_back(std::move(sum));
    }
  }
}

void Oracle::Check::add(const float* const* planes, std::size_t first_frame, std::size_t frames) {
  for (std::size_t o = 0; o < oracle_.outputs_.size(); ++o) {
    for (std::size_t s = 0; s < oracle_.stretches_.size(); ++s) {
      const Stretch& stretch = oracle_.stretches_[s];
      const std::size_t begin = std::max(stretch.first_frame, first_frame);
      const std::size_t end = std::min(stretch.first_frame + stretch.frames, first_frame + frames);
      const std::vector<double>& expected = oracle_.expected_[o * oracle_.stretches_.size() + s];
      for (std::size_t n = begin; n < end; ++n) {
        const double right = expected[n - stretch.first_frame];
        const double off = planes[oracle_.outputs_[o]][n - first_frame] - right;
        difference_ += off * off;
        power_ += right * right;
        ++seen_;
      }
    }
  }
}

double Oracle::Check::error() const {
  std::size_t all = 0;
  for (const Stretch& stretch : oracle_.stretches_) all += stretch.frames;
  const double error = std::sqrt(difference_ / power_);
  const bool complete = seen_ == all * oracle_.outputs_.size() && std::isfinite(error);
  return complete ? error : std::numeric_limits<double>::infinity();
}

}  // namespace peers
