#include "engine/group_delay.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

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

struct Response {
  std::size_t delay = 0;
  std::vector<double> taps;
};

/// What all edges from one input do together.
Response response_of(const FilterBank& bank, const std::vector<const Edge*>& edges) {
  Response response;
  response.delay = edges.front()->delay;
  for (const Edge* edge : edges) response.delay = std::min(response.delay, edge->delay);
  for (const Edge* edge : edges) {
    const std::span<const double> taps = bank.taps(edge->filter);
    const std::size_t later = edge->delay - response.delay;
    response.taps.resize(std::max(response.taps.size(), later + taps.size()));
    for (std::size_t k = 0; k < taps.size(); ++k) response.taps[later + k] += edge->gain * taps[k];
  }
  return response;
}

/// As many taps in front as have together less than `share` of the energy.
template <class Taps>
std::size_t count_faint(const Taps& taps, double share) {
  double sum = 0;
  std::size_t count = 0;
  for (const double tap : taps) {
    sum += tap * tap;
    if (sum >= share) break;
    ++count;
  }
  return count;
}

/// Of one filter.
IndexRange core_taps(std::span<const double> taps) {
  constexpr double kFaint = 1e-3;
  const double share = kFaint / 2 * power(taps);
  if (share == 0) return {0, 0};
  const std::vector<double> reversed(taps.rbegin(), taps.rend());
  return {count_faint(taps, share), taps.size() - count_faint(reversed, share)};
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
  std::map<std::size_t, std::vector<const Edge*>> edges_of;  // inputs that it hears
  for (const Edge& edge : routing.edges()) {
    if (edge.output == output) edges_of[edge.input].push_back(&edge);
  }
  GroupDelay common;
  bool any = false;
  double moment = 0;
  double sum = 0;
  for (const auto& [input, edges] : edges_of) {
    const Response response = response_of(bank, edges);
    const double weight = power(response.taps);
    if (weight == 0) continue;  // it hears nothing of this one
    GroupDelay delay = group_delay(response.taps);
    delay.frames += static_cast<double>(response.delay);
    moment += weight * delay.frames;
    sum += weight;
    if (!any) common = delay;
    any = true;
    common.is_constant = common.is_constant && delay.is_constant && delay.frames == common.frames;
  }
  if (!common.is_constant && sum > 0) common.frames = moment / sum;
  return common;
}

IndexRange core_taps(const FilterBank& bank, const Routing& routing) {
  std::vector<IndexRange> cores;
  for (std::size_t filter = 0; filter < bank.size(); ++filter) {
    cores.push_back(core_taps(bank.taps(filter)));
  }
  std::optional<IndexRange> all;
  for (const Edge& edge : routing.edges()) {
    const IndexRange core = cores[edge.filter];
    if (core.last == 0 || edge.gain == 0) continue;
    if (!all) all = {edge.delay + core.first, edge.delay + core.last};
    all->first = std::min(all->first, edge.delay + core.first);
    all->last = std::max(all->last, edge.delay + core.last);
  }
  return all.value_or(IndexRange{0, 0});
}

}  // namespace firbank
