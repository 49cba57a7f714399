#include "engine/planner.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/plan_demand.hpp"
#include "engine/plan_estimate.hpp"
#include "engine/plan_memory.hpp"
#include "io/error.hpp"
#include "kernels/backend.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxBlockFrames = 65'536;
constexpr std::size_t kMaxCallFrames = std::size_t{1} << 20;
constexpr std::size_t kMaxResponse = std::size_t{1} << 28;  // frames
constexpr std::size_t kMaxDepthBlocks = 64;
constexpr std::size_t kMaxDirectTaps = 1'024;
constexpr std::size_t kMaxBins = kMaxTransform / 2;
constexpr double kMostPinnedBytes = 8.0 * (1 << 30);  // of slots, unless nothing does with less
constexpr std::size_t kOfflineCallFrames = 8'192;     // fewer are not worth a call

// Real time needs the worst block, not the mean: a plan is rated by its worst call where that is
// estimated to cost more than kEvenOverMean times the mean, and beyond kMostWorstOverMean it is not
// chosen. What is estimated is coarse, hence the distance to 2.
constexpr double kEvenOverMean = 1.5;
constexpr double kMostWorstOverMean = 1.75;

// Partitions of several blocks are for rows, whose spectra are read for one output alone: where
// outputs share their inputs they were slower as often as not. They are summed one by one: four
// were 1.1 times as fast as partitions of one block, 6 as fast, 14 slower.
constexpr std::size_t kMostLongPartitions = 4;

// Costs that differ by less than this cannot be told apart by an estimate. Those of a device are
// computed, not measured, and a file's samples have their way over the bus besides: of its plans
// that come so near each other, the one with half the memory is worth more.
constexpr double kAlike = 1.01;
constexpr double kAlikeOnDevice = 1.1;

void require(bool allowed, const char* field, std::size_t value, const std::string& range) {
  if (allowed) return;
  throw Error(ErrorKind::kConfiguration, fmt::format("{} is {}; allowed: {}", field, value, range));
}

/// Slices are cut by costs, so each must be a number that arithmetic on it leaves one.
void check(const CostModel& costs) {
  const auto require_cost = [](const char* name, double ns) {
    if (ns >= kLeastCostNs && ns <= kMostCostNs) return;
    throw Error(ErrorKind::kConfiguration, fmt::format("costs.{} is {} ns; allowed: {} to {}", name,
                                                       ns, kLeastCostNs, kMostCostNs));
  };
  for (const double ns : costs.transform_ns) require_cost("transform_ns", ns);
  for (const double ns : costs.product_ns) require_cost("product_ns", ns);
  require_cost("edge_ns", costs.edge_ns);
  require_cost("sum_ns", costs.sum_ns);
  require_cost("slice_ns", costs.slice_ns);
  require_cost("add_ns", costs.add_ns);
  require_cost("direct_product_ns", costs.direct_product_ns);
  require_cost("direct_frame_ns", costs.direct_frame_ns);
}

void check(const EngineConfig& config, const FilterSizes& filters, const Routing& routing) {
  if (config.costs) check(*config.costs);
  require(config.block_frames >= 1 && config.block_frames <= kMaxBlockFrames, "block_frames",
          config.block_frames, fmt::format("1 to {}", kMaxBlockFrames));
  require(config.depth_blocks <= kMaxDepthBlocks, "depth_blocks", config.depth_blocks,
          fmt::format("0 to {}", kMaxDepthBlocks));
  require(config.max_frames == 0 ||
              (config.max_frames >= config.block_frames && config.max_frames <= kMaxCallFrames),
          "max_frames", config.max_frames,
          fmt::format("block_frames ({}) to {}, or 0 for the default", config.block_frames,
                      kMaxCallFrames));
  for (const Edge& edge : routing.edges()) {
    require(edge.filter < filters.size(), "an edge's filter", edge.filter,
            fmt::format("0 to {}, the filters of the bank", filters.size() - 1));
  }
  if (config.max_taps != 0 && filters.longest() > config.max_taps) {
    std::size_t filter = 0;
    while (filters.taps(filter) != filters.longest()) ++filter;
    throw Error(ErrorKind::kConfiguration,
                fmt::format("filter '{}' has {} taps; at most max_taps = {} are allowed",
                            filters.name(filter), filters.longest(), config.max_taps));
  }
  require(config.max_taps <= kMaxResponse && filters.longest() <= kMaxResponse, "max_taps",
          std::max(config.max_taps, filters.longest()),
          fmt::format("1 to {}, or 0 for the longest filter", kMaxResponse));
  require(routing.max_delay() <= kMaxResponse, "the longest delay", routing.max_delay(),
          fmt::format("0 to {}", kMaxResponse));
  const std::size_t longest = std::max(config.max_taps, filters.longest()) + routing.max_delay();
  require(longest <= kMaxResponse, "max_taps plus the longest delay", longest,
          fmt::format("1 to {}", kMaxResponse));
}

/// The longest block that a transform of 2 x `bins` samples serves so that all calls of `call`
/// frames are cut alike; 0 where there is none. Calls beyond the largest transform may have to be
/// cut unevenly.
std::size_t block_for(std::size_t call, std::size_t bins) {
  if (call <= bins) return bins / call * call;
  const std::size_t pieces = (call + bins - 1) / bins;
  if (call % pieces == 0) return call / pieces;
  return bins == kMaxBins ? bins : 0;
}

LevelPlan level_of(std::size_t block, std::size_t bins) {
  return {.block_frames = block, .transform_frames = 2 * bins, .partition_taps = block};
}

/// What a plan is chosen by.
double rated_ns(const PartitionPlan& plan) {
  return plan.ns_per_frame * std::max(1.0, plan.worst_over_mean / kEvenOverMean);
}

/// The plan to choose: of those that cost about the same, the one with the least memory.
std::size_t best_of(const std::vector<PartitionPlan>& plans, double alike) {
  double least_ns = std::numeric_limits<double>::infinity();
  for (const PartitionPlan& plan : plans) least_ns = std::min(least_ns, rated_ns(plan));
  std::size_t best = plans.size();
  for (std::size_t k = 0; k < plans.size(); ++k) {
    const double ns = rated_ns(plans[k]);
    if (ns > alike * least_ns) continue;
    if (best == plans.size() || std::pair(plans[k].memory_samples, ns) <
                                    std::pair(plans[best].memory_samples, rated_ns(plans[best]))) {
      best = k;
    }
  }
  return best;
}

/// How much memory plans may take, and the least that any does.
class MemoryLimit {
 public:
  MemoryLimit(const EngineConfig& config, const Routing& routing, const PlanAbilities& abilities)
      : config_(config),
        inputs_(static_cast<double>(routing.inputs())),
        outputs_(static_cast<double>(routing.outputs())),
        asked_bytes_(config.memory_limit_bytes),
        device_bytes_(abilities.memory_bytes),
        sample_bytes_(abilities.sample_bytes) {}

  bool allows(const PartitionPlan& plan) {
    const std::uint64_t bytes = std::uint64_t{plan.memory_samples} * sample_bytes_;
    least_ = std::min(least_, bytes);
    if (asked_bytes_ != 0 && bytes > asked_bytes_) return false;
    if (plan.by_copies && pinned_bytes(plan) > kMostPinnedBytes) return false;
    // While it is set up a device holds a filter's taps besides, and its whole spectra where they
    // are to be compact; and it cannot use memory to the last byte.
    const std::uint64_t filter = plan.max_taps * sample_bytes_ * (plan.compact_spectra ? 5 : 1);
    return device_bytes_ == 0 || bytes + bytes / 32 + filter <= device_bytes_;
  }

  /// What was asked for is refused; what a device has free is for the device to say.
  void refuse(const char* with = "") const {
    if (asked_bytes_ == 0 || least_ <= asked_bytes_) return;
    throw Error(ErrorKind::kConfiguration,
                fmt::format("memory_limit_bytes is {}; {} need at least {}{}", asked_bytes_,
                            config_.gpu_mode == GpuMode::kHybrid
                                ? "on the GPU the tails of these filters, their inputs and outputs"
                                : "these filters, inputs and outputs",
                            least_, with));
  }

 private:
  /// Of the host, beside what the device has.
  double pinned_bytes(const PartitionPlan& plan) const {
    return staged_samples(plan, config_, inputs_, outputs_) * static_cast<double>(sample_bytes_);
  }

  const EngineConfig& config_;
  double inputs_;
  double outputs_;
  std::uint64_t asked_bytes_;
  std::uint64_t device_bytes_;
  std::size_t sample_bytes_;
  std::uint64_t least_ = std::numeric_limits<std::uint64_t>::max();
};

/// Tries plans, and tells the best of each number of levels.
class Search {
 public:
  /// `alike`: plans whose costs differ by less are told apart by their memory.
  Search(const PartitionPlan& base, const PlanEstimate& estimate, const MemoryLimit& limit,
         bool many_levels, double alike)
      : base_(base), estimate_(estimate), limit_(limit), many_levels_(many_levels), alike_(alike) {}

  void consider(PartitionPlan plan) {
    if (limit_.allows(plan)) {
      plans_[plan.levels.size()].push_back(std::move(plan));
    } else if (!too_large_ || plan.memory_samples < too_large_->memory_samples) {
      too_large_ = std::move(plan);
    }
  }

  /// Level 0 with calls of `call` frames and a transform of 2 x `bins`, and all that may follow.
  void add_levels(std::size_t call, std::size_t bins) {
    const std::size_t block = block_for(call, bins);
    if (block == 0) return;
    base_.call_frames = call;
    base_.levels = {level_of(block, bins)};
    grow();
  }

  /// One partition that has all taps, and blocks of as many frames as it leaves exact: whole
  /// numbers of calls; or, offline, calls of whole numbers of them.
  void add_single(std::size_t call, std::size_t bins, bool offline) {
    if (2 * bins <= base_.max_response) return;
    const std::size_t exact = 2 * bins - base_.max_response + 1;
    if (!offline && call > exact) return;
    base_.call_frames = offline ? (call + exact - 1) / exact * exact : call;
    base_.levels = {level_of(offline ? exact : exact / call * call, bins)};
    base_.levels.front().partition_taps = base_.max_response;
    PartitionPlan plan = base_;
    if (estimate_.complete(plan)) consider(std::move(plan));
  }

  /// A few partitions, each as many calls long as a transform leaves room for: fewer spectra, with
  /// the same transforms where calls are no power of two.
  void add_long(std::size_t call, std::size_t bins) {
    const std::size_t room = (2 * bins + 1) / call;  // of a partition and the call itself
    if (room < 3) return;
    const auto partitions = [&](std::size_t blocks) {
      return (base_.max_response + blocks * call - 1) / (blocks * call);
    };
    const std::size_t fewest = partitions(room - 1);
    if (fewest < 2 || fewest > kMostLongPartitions) return;  // one is add_single's
    std::size_t blocks = 1;
    while (partitions(blocks) > fewest) ++blocks;
    if (blocks == 1) return;
    base_.call_frames = call;
    base_.levels = {level_of(call, bins)};
    base_.levels.front().partition_blocks = blocks;
    base_.levels.front().partition_taps = blocks * call;
    PartitionPlan plan = base_;
    if (estimate_.complete(plan)) consider(std::move(plan));
  }

  /// Of a device: whether the answer to a call is there as soon as with any plan so far.
  bool answers_no_later(const PartitionPlan& plan) const {
    const double ns = estimate_.answer_ns(plan);
    for (const auto& [levels, others] : plans_) {
      for (const PartitionPlan& other : others) {
        if (ns > estimate_.answer_ns(other)) return false;
      }
    }
    return true;
  }

  /// The best of all first, then the others by their cost. Where none is within the limit: the
  /// least, or an Error.
  std::vector<PartitionPlan> best() const {
    if (plans_.empty()) {
      limit_.refuse();
      return {too_large_.value()};
    }
    std::vector<PartitionPlan> best;
    for (const auto& [levels, plans] : plans_) best.push_back(plans[best_of(plans, alike_)]);
    std::swap(best.front(), best[best_of(best, alike_)]);
    std::sort(best.begin() + 1, best.end(), [](const PartitionPlan& a, const PartitionPlan& b) {
      return rated_ns(a) < rated_ns(b);
    });
    return best;
  }

 private:
  void grow() {
    PartitionPlan plan = base_;
    if (estimate_.complete(plan) &&
        (plan.levels.size() == 1 || plan.worst_over_mean <= kMostWorstOverMean)) {
      consider(plan);
    }
    if (!many_levels_ || base_.levels.size() == kMaxLevels) return;
    const std::size_t block = base_.levels.front().block_frames;
    for (std::size_t bins = base_.levels.back().transform_frames; bins <= kMaxBins; bins *= 2) {
      const std::size_t next = bins / block * block;
      // Levels that would begin behind the last tap are of no use, nor are longer ones.
      if (2 * next > base_.max_response + block) break;
      base_.levels.push_back(level_of(next, bins));
      grow();
      base_.levels.pop_back();
    }
  }

  PartitionPlan base_;
  PlanEstimate estimate_;
  MemoryLimit limit_;
  bool many_levels_;
  double alike_;
  std::map<std::size_t, std::vector<PartitionPlan>> plans_;  // by the number of levels
  std::optional<PartitionPlan> too_large_;                   // the least of them
};

/// What all plans of a configuration have in common.
PartitionPlan base_plan(const EngineConfig& config, const FilterSizes& filters,
                        const Routing& routing) {
  PartitionPlan plan;
  plan.max_taps = config.max_taps == 0 ? filters.longest() : config.max_taps;
  plan.max_response = plan.max_taps + routing.max_delay();
  plan.compact_spectra = config.spectra == Spectra::kInt16;
  plan.by_copies = config.gpu_mode == GpuMode::kThroughput;
  plan.latency_frames = config.depth_blocks * config.block_frames;
  plan.call_frames = config.goal == PlanGoal::kOffline ? kOfflineCallFrames : config.block_frames;
  return plan;
}

/// The plan with the block sizes that the configuration asks for.
PartitionPlan prescribed_plan(PartitionPlan plan, const EngineConfig& config,
                              const PlanEstimate& estimate) {
  const std::vector<std::size_t>& sizes = config.partition_frames;
  require(sizes.size() <= kMaxLevels, "the number of sizes in partition_frames", sizes.size(),
          fmt::format("0 to {}", kMaxLevels));
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    require(sizes[k] >= 1 && sizes[k] <= kMaxBins, "partition_frames", sizes[k],
            fmt::format("1 to {}", kMaxBins));
    require(k == 0 || (sizes[k] % sizes[0] == 0 && sizes[k] >= 2 * sizes[k - 1]),
            "partition_frames", sizes[k],
            "multiples of the first size, each at least twice the one before");
  }
  for (const std::size_t size : sizes) {
    plan.levels.push_back(level_of(size, std::max(std::bit_ceil(size), kMinTransform / 2)));
    // Filters may be too short for the longest partitions.
    PartitionPlan trial = plan;
    if (estimate.complete(trial)) continue;
    plan.levels.pop_back();
    break;
  }
  estimate.complete(plan);
  return plan;
}

}  // namespace

PlanAbilities abilities_of(const Backend& backend, std::size_t sample_bytes) {
  return {.shares = backend.has_shares(),
          .costs = backend.can_be_lost() ? device_costs() : CostModel{},
          .memory_bytes = backend.free_memory_bytes(),
          .sample_bytes = sample_bytes};
}

PartitionPlan choose_plan(const EngineConfig& config, const FilterSizes& filters,
                          const Routing& routing, const PlanAbilities& abilities) {
  if (config.partition_frames.empty()) {
    return cheapest_plans(config, filters, routing, abilities).front();
  }
  check(config, filters, routing);
  const PlanDemand demand(config, filters, routing, abilities.sample_bytes);
  const CostModel costs = config.costs.value_or(abilities.costs);
  PartitionPlan plan = prescribed_plan(base_plan(config, filters, routing), config,
                                       PlanEstimate(costs, demand, abilities.shares));
  MemoryLimit limit(config, routing, abilities);
  if (!limit.allows(plan)) limit.refuse(" with partition_frames as they are given");
  return plan;
}

std::vector<PartitionPlan> cheapest_plans(const EngineConfig& config, const FilterSizes& filters,
                                          const Routing& routing, const PlanAbilities& abilities) {
  check(config, filters, routing);
  const PartitionPlan base = base_plan(config, filters, routing);
  const bool offline = config.goal == PlanGoal::kOffline;
  const PlanDemand demand(config, filters, routing, abilities.sample_bytes);
  const CostModel costs = config.costs.value_or(abilities.costs);
  const PlanEstimate estimate(costs, demand, abilities.shares);
  Search search(base, estimate, MemoryLimit(config, routing, abilities), !offline,
                offline && !abilities.shares ? kAlikeOnDevice : kAlike);
  // A device's answer waits for the products of the newest block alone, all else is prepared: so
  // its transforms are no longer than a call needs. Of the direct form it waits for all, which is
  // chosen only where that is there as soon; or where samples go by copies, for then pieces wait
  // for each other and what counts is all that a call costs.
  const bool is_prompt = !abilities.shares && !offline;
  const std::size_t most_bins =
      is_prompt ? std::max(std::bit_ceil(base.call_frames), kMinTransform / 2) : kMaxBins;
  for (std::size_t bins = kMinTransform / 2; bins <= std::min(most_bins, kMaxBins); bins *= 2) {
    search.add_levels(std::max(base.call_frames, offline ? bins : 1), bins);
    search.add_single(base.call_frames, bins, offline);
    if (abilities.shares && !offline && demand.in_rows) search.add_long(base.call_frames, bins);
  }
  // A hybrid's tail is what long filters have left, and is transformed.
  const bool is_tail = !abilities.shares && config.gpu_mode == GpuMode::kHybrid;
  if (base.max_taps <= kMaxDirectTaps && !is_tail) {
    const PartitionPlan direct = estimate.direct_form(base);
    if (!is_prompt || base.by_copies || search.answers_no_later(direct)) search.consider(direct);
  }
  return search.best();
}

}  // namespace firbank
