#include "engine/reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace firbank {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kTile = 16;         // output frames side by side, in the lanes of registers
constexpr std::size_t kPartialSums = 64;  // at least, for every output frame with that many taps

using Tile = std::array<double, kTile>;

// sum[j] = sum over k in [0, count) of taps[k] * newest[j - k].
Tile partial_sums(const double* taps, std::size_t count, const double* newest) {
  Tile sum{};
  for (std::size_t k = 0; k < count; ++k) {
    const double tap = taps[k];
    const double* x = newest - k;
    for (std::size_t j = 0; j < kTile; ++j) sum[j] += tap * x[j];
  }
  return sum;
}

// Adds gain * (taps * x) to out, where `padded` is x with taps.size() - 1 zeros before it and kTile
// zeros behind it.
void add_convolution(std::span<const double> taps, double gain, const std::vector<double>& padded,
                     std::span<double> out) {
  const std::size_t part = std::max<std::size_t>(1, taps.size() / kPartialSums);
  const double* x = padded.data() + taps.size() - 1;
  for (std::size_t n = 0; n < out.size(); n += kTile) {
    Tile total{};
    for (std::size_t first = 0; first < taps.size(); first += part) {
      const std::size_t count = std::min(part, taps.size() - first);
      const Tile sum = partial_sums(taps.data() + first, count, x + n - first);
      for (std::size_t j = 0; j < kTile; ++j) total[j] += sum[j];
    }
    const std::size_t frames = std::min(kTile, out.size() - n);
    for (std::size_t j = 0; j < frames; ++j) out[n + j] += gain * total[j];
  }
}

}  // namespace

Signal direct_convolution(const Signal& in, const FilterBank& bank, const Routing& routing,
                          std::size_t frames) {
  Signal out(routing.outputs(), std::vector<double>(frames, 0.0));
  for (const Edge& edge : routing.edges()) {
    if (edge.delay >= frames) continue;
    const std::vector<double>& input = in[edge.input];
    const std::span<const double> taps = bank.taps(edge.filter);
    const std::size_t reached = frames - edge.delay;  // output frames from the delay on
    const std::size_t used = std::min(input.size(), reached);

    std::vector<double> padded(taps.size() - 1 + reached + kTile, 0.0);
    for (std::size_t n = 0; n < used; ++n) {
      if (std::isfinite(input[n])) padded[taps.size() - 1 + n] = input[n];
    }
    const std::span<double> heard = std::span(out[edge.output]).subspan(edge.delay);
    add_convolution(taps, edge.gain, padded, heard);

    std::size_t marked = 0;  // heard[0, marked) are done
    for (std::size_t n = 0; n < used; ++n) {
      if (std::isfinite(input[n])) continue;
      const std::size_t end = std::min(reached, n + taps.size());
      for (marked = std::max(marked, n); marked < end; ++marked) heard[marked] = kNan;
    }
  }
  return out;
}

double relative_error(std::span<const double> a, std::span<const double> b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kInfinity;
  double difference = 0;
  double power = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    if (std::isnan(a[n]) != std::isnan(b[n])) return kInfinity;
    if (std::isnan(b[n])) continue;
    difference += (a[n] - b[n]) * (a[n] - b[n]);
    power += b[n] * b[n];
  }
  if (difference == 0) return 0;
  return power == 0 ? kInfinity : std::sqrt(difference / power);
}

double relative_error(const Signal& a, const Signal& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t channel = 0; channel < a.size(); ++channel) {
    worst = std::max(worst, relative_error(std::span(a[channel]), std::span(b[channel])));
  }
  return worst;
}

}  // namespace firbank
