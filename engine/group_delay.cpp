#include "engine/group_delay.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

constexpr double kAlike = 1e-9;

double power(std::span<const double> taps) {
  double sum = 0;
  for (const double tap : taps) sum += tap * tap;
  return sum;
}

/// Whether taps[k] is `sign` times taps[size - 1 - k].
bool mirrors(std::span<const double> taps, double sign, double tolerance) {
  for (std::size_t k = 0; k < (taps.size() + 1) / 2; ++k) {
    if (!(std::abs(taps[k] - sign * taps[taps.size() - 1 - k]) <= tolerance)) return false;
  }
  return true;
}

}  // namespace

GroupDelay group_delay(std::span<const double> taps) {
  double largest = 0;
  for (const double tap : taps) largest = std::max(largest, std::abs(tap));
  if (largest == 0) return {};
  const auto is_tap = [](double tap) { return tap != 0; };
  const auto first = std::find_if(taps.begin(), taps.end(), is_tap);
  const auto last = std::find_if(taps.rbegin(), taps.rend(), is_tap).base();
  const std::span<const double> body(first, last);
  const auto before = static_cast<double>(first - taps.begin());
  const double tolerance = kAlike * largest;
  if (mirrors(body, 1, tolerance) || mirrors(body, -1, tolerance)) {
    return {before + (static_cast<double>(body.size()) - 1) / 2, true};
  }
  double moment = 0;
  double sum = 0;
  for (std::size_t k = 0; k < body.size(); ++k) {
    const double scaled = body[k] / largest;  // squares of small taps are 0 otherwise
    moment += static_cast<double>(k) * scaled * scaled;
    sum += scaled * scaled;
  }
  return {before + moment / sum, false};
}

GroupDelay group_delay(const FilterBank& bank, const Routing& routing, std::size_t output) {
  GroupDelay common;
  bool any = false;
  double moment = 0;
  double sum = 0;
  for (const Edge& edge : routing.edges()) {
    if (edge.output != output) continue;
    GroupDelay delay = group_delay(bank.taps(edge.filter));
    delay.frames += static_cast<double>(edge.delay);
    const double weight = edge.gain * edge.gain * power(bank.taps(edge.filter));
    moment += weight * delay.frames;
    sum += weight;
    if (!any) common = delay;
    any = true;
    common.is_constant = common.is_constant && delay.is_constant && delay.frames == common.frames;
  }
  if (!common.is_constant && sum > 0) common.frames = moment / sum;
  return common;
}

}  // namespace firbank
