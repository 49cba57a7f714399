#include "demos/firbank/plan_alternatives.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "kernels/backend.hpp"

namespace firbank::program {
namespace {

using Sizes = std::vector<std::size_t>;

constexpr std::size_t kMostSizes = 5;
constexpr std::size_t kMostBlock = kMaxTransform / 2;

// A plan's estimate costs time for each connection; so many of them in all take a part of a second.
constexpr std::size_t kMostEstimates = 1'000'000;
constexpr std::size_t kFewestPlans = 24;

constexpr double kTooDear = 1e15;  // ns

Sizes sizes_of(const PartitionPlan& plan) {
  Sizes sizes;
  for (const LevelPlan& level : plan.levels) sizes.push_back(level.block_frames);
  return sizes;
}

/// All lists of several sizes that begin with `sizes`, as far as filters of `response` taps fill
/// them.
void add_lists(Sizes& sizes, std::size_t response, std::vector<Sizes>& lists) {
  if (sizes.size() > 1) lists.push_back(sizes);
  if (sizes.size() == kMostSizes) return;
  const std::size_t first = sizes.front();
  for (std::size_t bins = 2 * std::bit_ceil(sizes.back()); bins <= kMostBlock; bins *= 2) {
    const std::size_t next = bins / first * first;
    if (next < 2 * sizes.back()) continue;
    if (2 * next > response + first) break;
    sizes.push_back(next);
    add_lists(sizes, response, lists);
    sizes.pop_back();
  }
}

/// How far the ratios of successive sizes are from one another, in octaves squared.
double unevenness(const Sizes& sizes) {
  const double last = std::log2(sizes.back());
  const double step = (last - std::log2(sizes.front())) / static_cast<double>(sizes.size() - 1);
  double sum = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const double off = last - step * static_cast<double>(sizes.size() - 1 - k) -
                       std::log2(static_cast<double>(sizes[k]));
    sum += off * off;
  }
  return sum;
}

/// Lists of sizes worth a look, those with even ratios first.
std::vector<Sizes> candidates(const PartitionPlan& chosen) {
  std::vector<Sizes> lists;
  const std::size_t call = chosen.call_frames;
  const std::size_t least = std::max(std::bit_ceil(call), kMinTransform / 2);
  for (std::size_t bins = least; bins <= std::min(8 * least, kMostBlock); bins *= 2) {
    Sizes sizes = {bins / call * call};
    add_lists(sizes, chosen.max_response, lists);
  }
  std::stable_sort(lists.begin(), lists.end(),
                   [](const Sizes& a, const Sizes& b) { return unevenness(a) < unevenness(b); });
  return lists;
}

/// Keeps the cheapest plan of each number of sizes.
class Cheapest {
 public:
  void consider(PartitionPlan plan) {
    const std::size_t sizes = plan.levels.size();
    const auto entry = plans_.find(sizes);
    if (entry == plans_.end()) {
      plans_.emplace(sizes, std::move(plan));
    } else if (plan.ns_per_frame < entry->second.ns_per_frame) {
      entry->second = std::move(plan);
    }
  }
  std::map<std::size_t, PartitionPlan>& plans() { return plans_; }

 private:
  std::map<std::size_t, PartitionPlan> plans_;
};

}  // namespace

std::string block_sizes(const PartitionPlan& plan) {
  if (plan.kind == PlanKind::kDirect) return "direct form";
  return fmt::format("{}", fmt::join(sizes_of(plan), ","));
}

std::vector<PartitionPlan> alternatives(const EngineConfig& config, const FilterBank& bank,
                                        const Routing& routing, const PlanAbilities& abilities,
                                        const PartitionPlan& chosen, std::size_t count) {
  if (count == 0) return {};
  EngineConfig free = config;
  free.partition_frames.clear();
  const PartitionPlan best = choose_plan(free, bank, routing, abilities);
  const bool prescribed = block_sizes(best) != block_sizes(chosen);

  Cheapest cheapest;
  cheapest.consider(choose_plan(free, bank, routing, {.direct_form = false, .slices = false}));
  if (abilities.direct_form) {
    EngineConfig without_transforms = free;
    without_transforms.costs.transform_ns.fill(kTooDear);
    PartitionPlan plan = choose_plan(without_transforms, bank, routing, abilities);
    if (plan.kind == PlanKind::kDirect) cheapest.consider(std::move(plan));
  }
  if (abilities.slices && config.goal == PlanGoal::kLive) {
    const std::vector<Sizes> lists = candidates(best);
    const std::size_t most =
        std::max(kMostEstimates / std::max<std::size_t>(routing.edges().size(), 1), kFewestPlans);
    for (std::size_t i = 0; i < std::min(lists.size(), most); ++i) {
      EngineConfig with_sizes = free;
      with_sizes.partition_frames = lists[i];
      PartitionPlan plan = choose_plan(with_sizes, bank, routing, abilities);
      if (plan.ns_per_frame >= best.ns_per_frame) cheapest.consider(std::move(plan));
    }
  }
  std::vector<PartitionPlan> others;
  if (prescribed) others.push_back(best);
  for (auto& [sizes, plan] : cheapest.plans()) {
    const bool shown = sizes == chosen.levels.size() || (prescribed && sizes == best.levels.size());
    if (!shown) others.push_back(std::move(plan));
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const PartitionPlan& a, const PartitionPlan& b) {
                     return a.ns_per_frame < b.ns_per_frame;
                   });
  // The one of one size is the measure of the others.
  while (others.size() > count) {
    auto last = others.end() - 1;
    if (last->levels.size() == 1 && others.size() > 1 && count > 0) --last;
    others.erase(last);
  }
  return others;
}

}  // namespace firbank::program
