#include "engine/partition_plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "io/error.hpp"
#include "kernels/backend.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxBlockFrames = 65'536;
constexpr std::size_t kMaxCallFrames = std::size_t{1} << 20;
constexpr std::size_t kMaxResponse = std::size_t{1} << 28;  // frames
constexpr std::size_t kMaxDepthBlocks = 64;
constexpr std::size_t kMaxDirectTaps = 1'024;
constexpr std::size_t kOfflineCallFrames = 8'192;  // fewer are not worth a call

// What operations cost on one core, in ns: the order of magnitude of an AVX2 machine. Only ratios
// matter, and only for the choice of the partition size.
constexpr double kTransformNsPerFlop = 1.0 / 90;
constexpr double kTransformNs = 10;
constexpr double kProductNsPerBin = 0.11;  // one partition of one edge
constexpr double kEdgeNs = 6;              // one edge, each time it is visited
constexpr double kDirectNsPerProduct = 1.0 / 40;
constexpr double kDirectDotNs = 8;  // one frame of one edge, where frames do not fill a vector

void require(bool allowed, const char* field, std::size_t value, const std::string& range) {
  if (allowed) return;
  throw Error(ErrorKind::kConfiguration, fmt::format("{} is {}; allowed: {}", field, value, range));
}

/// Pieces a frame when calls of `call` frames are cut at multiples of `block`.
double pieces_per_frame(std::size_t call, std::size_t block) {
  const double c = static_cast<double>(call);
  const double b = static_cast<double>(block);
  return 1 / c + 1 / b - 1 / static_cast<double>(std::lcm(call, block));
}

double transform_flops(std::size_t bins) {
  const double size = 2 * static_cast<double>(bins);
  return 2.5 * size * std::log2(size);
}

/// The work of one configuration, summed over its edges.
struct Load {
  double inputs = 0;
  double outputs = 0;
  double edges = 0;
  double taps = 0;  // of all edges together

  double partitions(std::size_t block) const {  // of all edges together
    return taps / static_cast<double>(block) + edges;
  }
};

struct Cost {
  double ns = 0;     // a frame
  double flops = 0;  // a frame
};

/// The longest block that a transform of 2 x `bins` samples serves so that all calls of `call`
/// frames are cut alike; 0 where there is none. Calls beyond the largest transform may have to be
/// cut unevenly.
std::size_t block_for(std::size_t call, std::size_t bins) {
  if (call <= bins) return bins / call * call;
  const std::size_t pieces = (call + bins - 1) / bins;
  if (call % pieces == 0) return call / pieces;
  return bins == kMaxTransform / 2 ? bins : 0;
}

Cost uniform_cost(const Load& load, std::size_t call, std::size_t block, std::size_t bins) {
  const double spectra = load.partitions(block) / static_cast<double>(block);  // a frame
  const double pieces = pieces_per_frame(call, block);
  const double transforms = pieces * (load.inputs + load.outputs);
  const double products = (pieces * load.edges + spectra) * static_cast<double>(bins);
  Cost cost;
  cost.flops = transforms * transform_flops(bins) + products * 8;
  cost.ns = transforms * (transform_flops(bins) * kTransformNsPerFlop + kTransformNs) +
            products * kProductNsPerBin + 2 * pieces * load.edges * kEdgeNs;
  return cost;
}

Cost direct_cost(const Load& load, std::size_t call) {
  const double c = static_cast<double>(call);
  const double dots = static_cast<double>(call % 8) / c;  // share of frames outside whole vectors
  Cost cost;
  cost.flops = 2 * load.taps;
  cost.ns = load.taps * kDirectNsPerProduct + load.edges * (kEdgeNs / c + dots * kDirectDotNs);
  return cost;
}

/// A later bank may have up to max_taps in every filter, and the plan stays: so where max_taps was
/// declared, it is planned for.
Load load_of(const EngineConfig& config, const FilterBank& bank, const Routing& routing) {
  Load load;
  load.inputs = static_cast<double>(routing.inputs());
  load.outputs = static_cast<double>(routing.outputs());
  load.edges = static_cast<double>(routing.edges().size());
  for (const Edge& edge : routing.edges()) {
    load.taps +=
        static_cast<double>(config.max_taps != 0 ? config.max_taps : bank.taps(edge.filter).size());
  }
  return load;
}

}  // namespace

PartitionPlan PartitionPlan::choose(const EngineConfig& config, const FilterBank& bank,
                                    const Routing& routing, bool direct_form) {
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

  PartitionPlan plan;
  plan.max_taps = config.max_taps == 0 ? bank.longest() : config.max_taps;
  require(plan.max_taps <= kMaxResponse, "max_taps", plan.max_taps,
          fmt::format("1 to {}, or 0 for the longest filter", kMaxResponse));
  require(routing.max_delay() <= kMaxResponse, "the longest delay", routing.max_delay(),
          fmt::format("0 to {}", kMaxResponse));
  plan.max_response = plan.max_taps + routing.max_delay();
  require(plan.max_response <= kMaxResponse, "max_taps plus the longest delay", plan.max_response,
          fmt::format("1 to {}", kMaxResponse));

  const bool offline = config.goal == PlanGoal::kOffline;
  const Load load = load_of(config, bank, routing);
  double best = std::numeric_limits<double>::infinity();
  const std::size_t direct_call = offline ? kOfflineCallFrames : config.block_frames;
  if (direct_form && plan.max_taps <= kMaxDirectTaps) {
    const Cost cost = direct_cost(load, direct_call);
    best = cost.ns;
    plan.kind = PlanKind::kDirect;
    plan.call_frames = direct_call;
    plan.piece_frames = std::clamp<std::size_t>(direct_call, 64, 4'096);
    plan.flops_per_frame = cost.flops;
  }
  for (std::size_t bins = kMinTransform / 2; bins <= kMaxTransform / 2; bins *= 2) {
    const std::size_t call = offline ? std::max(bins, kOfflineCallFrames) : config.block_frames;
    const std::size_t block = block_for(call, bins);
    if (block == 0) continue;
    const Cost cost = uniform_cost(load, call, block, bins);
    if (cost.ns >= best) continue;
    best = cost.ns;
    plan.kind = PlanKind::kUniform;
    plan.call_frames = call;
    plan.partition_frames = plan.piece_frames = block;
    plan.transform_frames = 2 * bins;
    plan.flops_per_frame = cost.flops;
  }

  const double pieces = plan.kind == PlanKind::kDirect
                            ? 0
                            : std::ceil(pieces_per_frame(plan.call_frames, plan.partition_frames) *
                                        static_cast<double>(plan.call_frames));
  plan.forward_transforms = static_cast<std::size_t>(pieces * load.inputs);
  plan.inverse_transforms = static_cast<std::size_t>(pieces * load.outputs);
  double samples = load.inputs * static_cast<double>(plan.history_frames() + plan.history_window());
  if (plan.kind == PlanKind::kUniform) {
    plan.partitions = (plan.max_response + plan.partition_frames - 1) / plan.partition_frames;
    samples += static_cast<double>(plan.transform_frames) *
               (load.inputs * static_cast<double>(plan.partitions) +
                load.partitions(plan.partition_frames) + 3 * load.outputs);
  } else {
    samples += load.taps;
  }
  plan.memory_samples = static_cast<std::size_t>(samples);
  plan.latency_frames = config.depth_blocks * config.block_frames;
  return plan;
}

std::size_t PartitionPlan::history_window() const noexcept {
  return kind == PlanKind::kDirect ? max_response + piece_frames : transform_frames;
}

std::size_t PartitionPlan::history_frames() const noexcept {
  return max_response + history_window();
}

std::string PartitionPlan::describe() const {
  if (kind == PlanKind::kDirect) return fmt::format("direct form, up to {} taps", max_response);
  return fmt::format("uniform: {} partition{} of {} taps, transforms of {}", partitions,
                     partitions == 1 ? "" : "s", partition_frames, transform_frames);
}

}  // namespace firbank
