#include "engine/planner.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "engine/responses.hpp"
#include "io/error.hpp"
#include "kernels/backend.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxBlockFrames = 65'536;
constexpr std::size_t kMaxCallFrames = std::size_t{1} << 20;
constexpr std::size_t kMaxResponse = std::size_t{1} << 28;  // frames
constexpr std::size_t kMaxDepthBlocks = 64;
constexpr std::size_t kMaxDirectTaps = 1'024;
constexpr std::size_t kMaxLevels = 5;
constexpr std::size_t kMaxBins = kMaxTransform / 2;
constexpr std::size_t kOfflineCallFrames = 8'192;  // fewer are not worth a call

// Plans whose estimated worst call is dearer than this are not chosen: real time needs the worst
// block, not the mean. What is estimated is coarse, hence the distance to 2.
constexpr double kMostWorstOverMean = 1.5;

constexpr double kLeastCostNs = 1e-9;
constexpr double kMostCostNs = 1e18;

// Memory that is written for the first time, by the construction of an engine, for each sample.
constexpr double kFirstTouchNs = 0.5;

// Bins that are summed in one go.
constexpr double kChunkBins = 64;

// What later levels compute costs more than in a cache that holds nothing else: between two slices
// of a level the others pass through.
constexpr double kSliced = 1.6;

// Bins of the sums that a thread has at a time, of up to four outputs.
constexpr double kTileBins = 65'536;

// Outputs from which on the halves of them cost about the same.
constexpr double kLeastPairedOutputs = 32;

// Complex points times octaves of a transform that are computed in one go.
constexpr double kSharePoints = 4'096;

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

void check(const EngineConfig& config, const FilterBank& bank, const Routing& routing) {
  check(config.costs);
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
    require(edge.filter < bank.size(), "an edge's filter", edge.filter,
            fmt::format("0 to {}, the filters of the bank", bank.size() - 1));
  }
  if (config.max_taps != 0 && bank.longest() > config.max_taps) {
    std::size_t filter = 0;
    while (bank.taps(filter).size() != bank.longest()) ++filter;
    throw Error(ErrorKind::kConfiguration,
                fmt::format("filter '{}' has {} taps; at most max_taps = {} are allowed",
                            bank.name(filter), bank.longest(), config.max_taps));
  }
  require(config.max_taps <= kMaxResponse && bank.longest() <= kMaxResponse, "max_taps",
          std::max(config.max_taps, bank.longest()),
          fmt::format("1 to {}, or 0 for the longest filter", kMaxResponse));
  require(routing.max_delay() <= kMaxResponse, "the longest delay", routing.max_delay(),
          fmt::format("0 to {}", kMaxResponse));
  const std::size_t longest = std::max(config.max_taps, bank.longest()) + routing.max_delay();
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

/// Pieces a frame when calls of `call` frames are cut at multiples of `block`.
double pieces_per_frame(std::size_t call, std::size_t block) {
  const double c = static_cast<double>(call);
  const double b = static_cast<double>(block);
  return 1 / c + 1 / b - 1 / static_cast<double>(std::lcm(call, block));
}

LevelPlan level_of(std::size_t block, std::size_t bins) {
  return {.block_frames = block, .transform_frames = 2 * bins, .partition_taps = block};
}

double transform_flops(std::size_t bins) {
  const double size = 2 * static_cast<double>(bins);
  return 2.5 * size * std::log2(size);
}

/// The work of one configuration. A later bank may have up to max_taps in every filter, and the
/// plan stays: so where max_taps was declared, it is planned for.
class Demand {
 public:
  Demand(const EngineConfig& config, const FilterBank& bank, const Routing& routing)
      : inputs(static_cast<double>(routing.inputs())),
        outputs(static_cast<double>(routing.outputs())),
        edges(static_cast<double>(routing.edges().size())),
        in_rows(routing.is_in_rows()),
        expected_frames(config.goal == PlanGoal::kOffline ? config.expected_frames : 0) {
    const ResponseTable table(routing);
    std::vector<double> uses(table.responses().size());
    for (const std::vector<ResponseTerm>& terms : table.terms()) {
      for (const ResponseTerm& term : terms) ++uses[term.response];
    }
    std::map<std::pair<std::size_t, std::size_t>, Span> spans;
    for (std::size_t r = 0; r < uses.size(); ++r) {
      const Response& response = table.responses()[r];
      const std::size_t length =
          config.max_taps != 0 ? config.max_taps : bank.taps(response.filter).size();
      taps += uses[r] * static_cast<double>(length);
      Span& span = spans[{response.delay, response.delay + length}];
      span.responses += 1;
      span.edges += uses[r];
    }
    for (const auto& [ends, span] : spans) {
      spans_.push_back({ends.first, ends.second, span.responses, span.edges});
    }
  }

  struct Partitions {
    double stored = 0;  // of all responses
    double met = 0;     // of all edges
  };
  Partitions partitions(const LevelPlan& level) const {
    Partitions sum;
    for (const Span& span : spans_) {
      const std::size_t first = std::max(span.first, level.first_tap);
      const std::size_t last = std::min(span.last, level.end_tap());
      if (first >= last) continue;
      const std::size_t length = level.partition_taps;
      const std::size_t partitions =
          (last - level.first_tap + length - 1) / length - (first - level.first_tap) / length;
      const auto count = static_cast<double>(partitions);
      sum.stored += count * span.responses;
      sum.met += count * span.edges;
    }
    return sum;
  }

  double inputs;
  double outputs;
  double edges;
  bool in_rows;
  std::uint64_t expected_frames;  // 0: very many
  double taps = 0;                // of all edges

 private:
  struct Span {
    std::size_t first = 0;
    std::size_t last = 0;
    double responses = 0;
    double edges = 0;
  };
  std::vector<Span> spans_;
};

/// Where the frames that will come are known: adds to their price that of the tail and `set_up_ns`.
/// The block in which the input ends is computed a second time, with the beginning of the tail.
void price_whole_job(PartitionPlan& plan, const Demand& demand, double set_up_ns) {
  if (demand.expected_frames == 0) return;
  const auto frames = static_cast<double>(demand.expected_frames);  // may be any number
  const auto tail = static_cast<double>(plan.max_response - 1);
  double computed = frames + tail;
  if (plan.kind == PlanKind::kPartitioned) {
    const std::size_t block = plan.levels.front().block_frames;
    const bool again = demand.expected_frames % block > 0 && tail > 0;
    computed = (std::ceil(computed / static_cast<double>(block)) + (again ? 1 : 0)) *
               static_cast<double>(block);
  }
  plan.ns_per_frame = (computed * plan.ns_per_frame + set_up_ns) / frames;
}

/// Completes a plan whose levels have their sizes: partitions, first taps, costs.
class Estimate {
 public:
  Estimate(const CostModel& costs, const Demand& demand, bool slices)
      : costs_(costs), demand_(demand), slices_(slices) {}

  /// False when a level would have nothing to do.
  bool complete(PartitionPlan& plan) const {
    if (!lay_out(plan)) return false;
    const LevelPlan& head = plan.levels.front();
    // A row can go through several blocks by itself.
    const bool many_blocks = demand_.in_rows && slices_ && plan.levels.size() == 1 &&
                             plan.call_frames % head.block_frames == 0;
    plan.piece_frames = many_blocks ? plan.call_frames : head.block_frames;
    const double slice = static_cast<double>(std::min(plan.call_frames, head.block_frames));
    const double pieces = pieces_per_frame(plan.call_frames, head.block_frames);
    std::vector<Demand::Partitions> partitions;
    std::vector<double> bytes;  // spectra of each level
    double memory = 0;
    for (const LevelPlan& level : plan.levels) {
      partitions.push_back(demand_.partitions(level));
      const double bins = static_cast<double>(level.bins());
      const double spectrum = 2 * bins;
      const bool is_head = &level == &head;
      const double slots = static_cast<double>(level.partitions + (is_head ? 0 : 1));
      const double spectra = partitions.back().stored + demand_.inputs * slots;
      bytes.push_back(spectra * spectrum * sizeof(float));
      // Of each output: in level 0 up to two sums that are carried, in the others one, and two
      // blocks of answers. Of a thread: the newest block's sums of a few outputs.
      const bool is_ahead = plan.call_frames < level.block_frames || !slices_;
      const double carried = !is_head ? 2 : level.partitions == 1 ? 0 : is_ahead ? 2 : 1;
      memory += (spectra + demand_.outputs * carried +
                 std::min(demand_.outputs, std::clamp(kTileBins / bins, 1.0, 4.0))) *
                spectrum;
    }
    plan.memory_samples = static_cast<std::size_t>(
        memory +
        demand_.inputs * static_cast<double>(plan.history_frames() + plan.history_window()));

    double mean = 0;   // ns a frame
    double worst = 0;  // of the dearest call, likewise
    plan.flops_per_frame = 0;
    for (std::size_t k = 0; k < plan.levels.size(); ++k) {
      LevelPlan& level = plan.levels[k];
      const double block = static_cast<double>(level.block_frames);
      const double bins = static_cast<double>(level.bins());
      // What else is read between two readings of this level's spectra.
      double between = 0;
      for (std::size_t j = 0; j < plan.levels.size(); ++j) {
        const double share = block / static_cast<double>(plan.levels[j].block_frames);
        between += bytes[j] * std::min(share, 1.0);
      }
      level.product_ns = costs_.product(between);
      level.pair_ns = costs_.pair(between);
      level.forward_ns = level.inverse_ns = costs_.transform(level.transform_frames);
      const double transforms =
          demand_.inputs * level.forward_ns + demand_.outputs * level.inverse_ns;
      const double spectra = partitions[k].met * bins;
      if (k == 0) {
        const double ns = first_level(plan, partitions[k]) + pieces * transforms;
        mean += ns;
        worst += ns;
        plan.flops_per_frame +=
            pieces * (demand_.inputs + demand_.outputs) * transform_flops(level.bins()) +
            8 * bins *
                (pieces * demand_.edges + std::max(partitions[k].met - demand_.edges, 0.0) / block);
      } else {
        // One half of the bins is summed for two blocks, the other takes what the block before has
        // left.
        const double work =
            kSliced * (transforms + spectra * level.pair_ns / 2 +
                       demand_.edges * (bins * level.product_ns / 2 + costs_.edge_ns) +
                       demand_.outputs * costs_.sum_ns * std::max(bins / 64, 1.0));
        level.forward_share = kSliced * demand_.inputs * level.forward_ns / work;
        const double slices = block / slice;
        // What is not cut: a step of a transform, or a chunk of an output's bins with all
        // partitions.
        const double share =
            std::max(level.forward_ns * std::min(1.0, kSharePoints / (bins * std::log2(bins))),
                     kSliced * std::min(bins, kChunkBins) * level.pair_ns * partitions[k].met /
                         demand_.outputs);
        mean += work / block + costs_.slice_ns / slice + demand_.outputs * costs_.add_ns;
        worst += (std::max(work / slices, share) + share / 2) / slice + costs_.slice_ns / slice +
                 demand_.outputs * costs_.add_ns;
        plan.flops_per_frame +=
            ((demand_.inputs + demand_.outputs) * transform_flops(level.bins()) + 8 * spectra) /
            block;
      }
    }
    plan.ns_per_frame = mean;
    plan.worst_over_mean = worst / mean;
    double set_up = static_cast<double>(plan.memory_samples) * kFirstTouchNs;
    for (std::size_t k = 0; k < plan.levels.size(); ++k) {
      set_up += partitions[k].stored * plan.levels[k].forward_ns;
    }
    price_whole_job(plan, demand_, set_up);
    return true;
  }

 private:
  /// The products of level 0, in ns a frame.
  double first_level(PartitionPlan& plan, const Demand::Partitions& partitions) const {
    LevelPlan& level = plan.levels.front();
    const double block = static_cast<double>(level.block_frames);
    const double bins = static_cast<double>(level.bins());
    const double pieces = pieces_per_frame(plan.call_frames, level.block_frames);
    const double sums = demand_.outputs * costs_.sum_ns * std::max(bins / 64, 1.0);
    const double visits = demand_.edges * costs_.edge_ns + sums;
    if (plan.call_frames < level.block_frames) {
      // Partition 0 is met by each piece, the others once a block, a few of them at a time.
      const double later = std::max(partitions.met - demand_.edges, 0.0);
      return bins * level.product_ns * (pieces * demand_.edges + later / block) +
             (level.partitions > 1 ? 3 : 1) * pieces * visits;
    }
    // All partitions at once; or half of the outputs for two blocks, and half of them the rest.
    const double alone = bins * partitions.met * level.product_ns + visits;
    const double paired =
        bins / 2 * (partitions.met * level.pair_ns + demand_.edges * level.product_ns) + visits +
        sums / 2;
    level.pairs = slices_ && demand_.outputs >= kLeastPairedOutputs && paired < alone;
    return (level.pairs ? paired : alone) / block;
  }

  /// How many partitions each level has, and where it begins: as late as it must, so that its
  /// blocks can be spread over their own length before they are due.
  static bool lay_out(PartitionPlan& plan) {
    std::size_t first_tap = 0;
    const std::size_t slice = std::min(plan.call_frames, plan.levels.front().block_frames);
    for (std::size_t k = 0; k < plan.levels.size(); ++k) {
      LevelPlan& level = plan.levels[k];
      if (first_tap >= plan.max_response) return false;
      const bool last = k + 1 == plan.levels.size();
      const std::size_t end =
          last ? plan.max_response : 2 * plan.levels[k + 1].block_frames - slice;
      if (end <= first_tap) return false;
      const std::size_t length = level.partition_taps;
      level.first_tap = first_tap;
      level.partitions = (end - first_tap + length - 1) / length;
      first_tap = level.end_tap();
    }
    return true;
  }

  const CostModel& costs_;
  const Demand& demand_;
  bool slices_;
};

PartitionPlan direct_plan(const PartitionPlan& base, const CostModel& costs, const Demand& demand) {
  PartitionPlan plan = base;
  plan.kind = PlanKind::kDirect;
  plan.piece_frames = std::clamp<std::size_t>(plan.call_frames, 64, 4'096);
  const double call = static_cast<double>(plan.call_frames);
  const double odd = static_cast<double>(plan.call_frames % 8) / call;
  plan.ns_per_frame = demand.taps * costs.direct_product_ns +
                      demand.edges * (costs.edge_ns / call + odd * costs.direct_frame_ns);
  plan.flops_per_frame = 2 * demand.taps;
  plan.memory_samples = static_cast<std::size_t>(
      demand.taps +
      demand.inputs * static_cast<double>(plan.history_frames() + plan.history_window()));
  price_whole_job(plan, demand, 0);  // its memory is little
  return plan;
}

/// Tries plans and keeps the cheapest of each number of levels.
class Search {
 public:
  Search(const PartitionPlan& base, const Estimate& estimate, bool many_levels)
      : base_(base), estimate_(estimate), many_levels_(many_levels) {}

  void consider(PartitionPlan plan) {
    const auto [best, is_first] = best_.try_emplace(plan.levels.size(), plan);
    if (!is_first && plan.ns_per_frame < best->second.ns_per_frame) best->second = std::move(plan);
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

  /// The cheapest first.
  std::vector<PartitionPlan> plans() const {
    std::vector<PartitionPlan> plans;
    for (const auto& [levels, plan] : best_) plans.push_back(plan);
    std::stable_sort(plans.begin(), plans.end(),
                     [](const PartitionPlan& a, const PartitionPlan& b) {
                       return a.ns_per_frame < b.ns_per_frame;
                     });
    return plans;
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
  Estimate estimate_;
  bool many_levels_;
  std::map<std::size_t, PartitionPlan> best_;
};

/// What all plans of a configuration have in common.
PartitionPlan base_plan(const EngineConfig& config, const FilterBank& bank,
                        const Routing& routing) {
  PartitionPlan plan;
  plan.max_taps = config.max_taps == 0 ? bank.longest() : config.max_taps;
  plan.max_response = plan.max_taps + routing.max_delay();
  plan.latency_frames = config.depth_blocks * config.block_frames;
  plan.call_frames = config.goal == PlanGoal::kOffline ? kOfflineCallFrames : config.block_frames;
  return plan;
}

/// The plan with the block sizes that the configuration asks for.
PartitionPlan prescribed_plan(PartitionPlan plan, const EngineConfig& config, const Demand& demand,
                              bool slices) {
  const std::vector<std::size_t>& sizes = config.partition_frames;
  require(slices || sizes.size() == 1, "the number of sizes in partition_frames", sizes.size(),
          "1 with this backend");
  require(sizes.size() <= kMaxLevels, "the number of sizes in partition_frames", sizes.size(),
          fmt::format("0 to {}", kMaxLevels));
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    require(sizes[k] >= 1 && sizes[k] <= kMaxBins, "partition_frames", sizes[k],
            fmt::format("1 to {}", kMaxBins));
    require(k == 0 || (sizes[k] % sizes[0] == 0 && sizes[k] >= 2 * sizes[k - 1]),
            "partition_frames", sizes[k],
            "multiples of the first size, each at least twice the one before");
  }
  const Estimate estimate(config.costs, demand, slices);
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

PartitionPlan choose_plan(const EngineConfig& config, const FilterBank& bank,
                          const Routing& routing, const PlanAbilities& abilities) {
  if (config.partition_frames.empty()) {
    return cheapest_plans(config, bank, routing, abilities).front();
  }
  check(config, bank, routing);
  return prescribed_plan(base_plan(config, bank, routing), config, Demand(config, bank, routing),
                         abilities.slices);
}

std::vector<PartitionPlan> cheapest_plans(const EngineConfig& config, const FilterBank& bank,
                                          const Routing& routing, const PlanAbilities& abilities) {
  check(config, bank, routing);
  const PartitionPlan base = base_plan(config, bank, routing);
  const bool offline = config.goal == PlanGoal::kOffline;
  const Demand demand(config, bank, routing);
  Search search(base, Estimate(config.costs, demand, abilities.slices),
                abilities.slices && !offline);
  for (std::size_t bins = kMinTransform / 2; bins <= kMaxBins; bins *= 2) {
    search.add_levels(std::max(base.call_frames, offline ? bins : 1), bins);
    if (abilities.slices) search.add_single(base.call_frames, bins, offline);
  }
  if (abilities.direct_form && base.max_taps <= kMaxDirectTaps) {
    search.consider(direct_plan(base, config.costs, demand));
  }
  return search.plans();
}

}  // namespace firbank
