#include "engine/plan_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/plan_memory.hpp"

namespace firbank {
namespace {

// Memory that is written for the first time, by the construction of an engine, for each sample.
constexpr double kFirstTouchNs = 0.5;

// Bins that are summed in one go.
constexpr double kChunkBins = 64;

// What later levels compute costs more than in a cache that holds nothing else: between two slices
// of a level the others pass through.
constexpr double kSliced = 1.6;

// Outputs from which on the halves of them cost about the same.
constexpr double kLeastPairedOutputs = 32;

// As the CUDA backend has them: frames of a stretch of the direct form, which are summed together,
// be they wanted or not.
constexpr double kStretchFrames = 32;

// Outputs that share what is read of an input there, at the most.
constexpr double kMostLines = PlanDemand::kTileOutputs;

// Complex points times octaves of a transform that are computed in one go.
constexpr double kSharePoints = 7'000;

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

/// How many partitions each level has, and where it begins: as late as it must, so that its
/// blocks can be spread over their own length before they are due.
bool lay_out(PartitionPlan& plan) {
  std::size_t first_tap = 0;
  const std::size_t slice = std::min(plan.call_frames, plan.levels.front().block_frames);
  for (std::size_t k = 0; k < plan.levels.size(); ++k) {
    LevelPlan& level = plan.levels[k];
    if (first_tap >= plan.max_response) return false;
    const bool last = k + 1 == plan.levels.size();
    const std::size_t end = last ? plan.max_response : 2 * plan.levels[k + 1].block_frames - slice;
    if (end <= first_tap) return false;
    const std::size_t length = level.partition_taps;
    level.first_tap = first_tap;
    level.partitions = (end - first_tap + length - 1) / length;
    first_tap = level.end_tap();
  }
  return true;
}

}  // namespace

bool PlanEstimate::complete(PartitionPlan& plan) const {
  if (!lay_out(plan)) return false;
  const LevelPlan& head = plan.levels.front();
  // A row can go through several blocks by itself.
  const bool many_blocks = demand_.in_rows && shares_ && plan.levels.size() == 1 &&
                           plan.call_frames % head.block_frames == 0;
  plan.piece_frames = many_blocks ? plan.call_frames : head.block_frames;

  std::vector<PlanDemand::Partitions> partitions;
  std::vector<double> bytes;  // spectra of each level
  double set_up = 0;
  for (const LevelPlan& level : plan.levels) {
    partitions.push_back(demand_.partitions(level));
    bytes.push_back(spectrum_samples(level, demand_, partitions.back(), plan.compact_spectra) *
                    sizeof(float));
  }
  double mean = 0;   // ns a frame
  double worst = 0;  // of the dearest call, likewise
  plan.flops_per_frame = 0;
  for (std::size_t k = 0; k < plan.levels.size(); ++k) {
    LevelPlan& level = plan.levels[k];
    const double between = bytes_between_readings(plan.levels, bytes, k);
    // A device waits for memory alone, and reads the inputs' spectra beside the responses'.
    const double share = plan.compact_spectra ? kCompactShare : 1;
    level.product_ns = costs_.product(between) * (shares_ ? 1 : share + lines_read());
    level.pair_ns = costs_.pair(between);
    level.forward_ns = level.inverse_ns = costs_.transform(level.transform_frames);
    const Price price =
        k == 0 ? first_level(plan, partitions[0]) : later_level(plan, level, partitions[k]);
    mean += price.mean_ns;
    worst += price.worst_ns;
    plan.flops_per_frame += price.flops;
    set_up += partitions[k].stored * level.forward_ns;
  }
  plan.ns_per_frame = mean;
  plan.worst_over_mean = worst / mean;
  const double memory = memory_samples(plan, demand_, partitions, !shares_);
  plan.memory_samples = static_cast<std::size_t>(memory);
  price_whole_job(plan, set_up + memory * kFirstTouchNs);
  return true;
}

/// All in one slice.
PlanEstimate::Price PlanEstimate::first_level(PartitionPlan& plan,
                                              const PlanDemand::Partitions& partitions) const {
  if (!shares_ && is_fused(plan, demand_)) return fused_level(plan, partitions);
  const LevelPlan& level = plan.levels.front();
  const double block = static_cast<double>(level.block_frames);
  const double bins = static_cast<double>(level.bins());
  const double pieces = pieces_per_frame(plan.call_frames, level.block_frames);
  const double transforms = demand_.inputs * level.forward_ns + demand_.outputs * level.inverse_ns;
  // A device is asked once for each piece.
  const double launches = shares_ ? 0 : pieces * costs_.slice_ns;
  const double ns = first_products_ns(plan, partitions) + pieces * transforms + launches;
  const double flops =
      pieces * (demand_.inputs + demand_.outputs) * transform_flops(level.bins()) +
      8 * bins * (pieces * demand_.edges + std::max(partitions.met - demand_.edges, 0.0) / block);
  return {ns, ns, flops};
}

/// Each piece reads its inputs' windows and stores its answers; responses come from memory once,
/// and for all edges but the first from the cache.
PlanEstimate::Price PlanEstimate::fused_level(const PartitionPlan& plan,
                                              const PlanDemand::Partitions& partitions) const {
  const FusedCosts costs;
  const LevelPlan& level = plan.levels.front();
  const auto window = static_cast<double>(level.transform_frames);
  const double pieces = pieces_per_frame(plan.call_frames, level.block_frames);
  const double frames = 1 / pieces;
  const double response = window * (plan.compact_spectra ? kCompactShare : 1);
  const double samples =
      demand_.inputs * (window + frames) + partitions.stored * response + demand_.outputs * frames;
  const double cached_samples = partitions.met * response;
  const double flops = (demand_.inputs + demand_.outputs) * transform_flops(level.bins()) +
                       4 * window * demand_.edges;
  const double ns =
      std::max({samples * sizeof(float) * costs.byte_ns,
                cached_samples * sizeof(float) * costs.cached_byte_ns, flops * costs.flop_ns});
  return {pieces * (costs_.slice_ns + ns), pieces * (costs_.slice_ns + ns), pieces * flops};
}

/// One half of the bins is summed for two blocks, the other takes what the block before has left;
/// or, by a backend without shares, every block is summed alone, of all outputs at once.
PlanEstimate::Price PlanEstimate::later_level(const PartitionPlan& plan, LevelPlan& level,
                                              const PlanDemand::Partitions& partitions) const {
  const double block = static_cast<double>(level.block_frames);
  const double slice =
      static_cast<double>(std::min(plan.call_frames, plan.levels.front().block_frames));
  const double bins = static_cast<double>(level.bins());
  const double transforms = demand_.inputs * level.forward_ns + demand_.outputs * level.inverse_ns;
  const double spectra = partitions.met * bins;
  const double products =
      shares_ ? (spectra * level.pair_ns + demand_.edges * bins * level.product_ns) / 2
              : spectra * level.product_ns;
  const double sums = demand_.outputs * costs_.sum_ns * std::max(bins / 64, 1.0);
  const double work =
      (shares_ ? kSliced : 1) * (transforms + products + demand_.edges * costs_.edge_ns + sums);
  level.forward_share = (shares_ ? kSliced : 1) * demand_.inputs * level.forward_ns / work;
  const double slices = block / slice;
  // What is not cut: a step of a transform, or a chunk of an output's bins with all partitions.
  const double share =
      shares_ ? std::max(level.forward_ns * std::min(1.0, kSharePoints / (bins * std::log2(bins))),
                         kSliced * std::min(bins, kChunkBins) * level.pair_ns * partitions.met /
                             demand_.outputs)
              : level.forward_ns;
  const double visits = costs_.slice_ns / slice + demand_.outputs * costs_.add_ns;
  const double flops =
      ((demand_.inputs + demand_.outputs) * transform_flops(level.bins()) + 8 * spectra) / block;
  return {work / block + visits, (std::max(work / slices, share) + share / 2) / slice + visits,
          flops};
}

/// The products of level 0, in ns a frame.
double PlanEstimate::first_products_ns(PartitionPlan& plan,
                                       const PlanDemand::Partitions& partitions) const {
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
  // All partitions at once, or one by one where blocks lie between those that they meet; or half of
  // the outputs for two blocks, and half of them the rest.
  const double sweeps = level.partition_blocks == 1 ? 1 : static_cast<double>(level.partitions);
  const double alone = bins * partitions.met * level.product_ns + sweeps * visits;
  const double paired =
      bins / 2 * (partitions.met * level.pair_ns + demand_.edges * level.product_ns) + visits +
      sums / 2;
  level.pairs = shares_ && level.partition_blocks == 1 && demand_.outputs >= kLeastPairedOutputs &&
                paired < alone;
  return (level.pairs ? paired : alone) / block;
}

/// Where the frames that will come are known: adds to their price that of the tail and `set_up_ns`.
/// The block in which the input ends is computed a second time, with the beginning of the tail.
void PlanEstimate::price_whole_job(PartitionPlan& plan, double set_up_ns) const {
  if (demand_.expected_frames == 0) return;
  const auto frames = static_cast<double>(demand_.expected_frames);  // may be any number
  const auto tail = static_cast<double>(plan.max_response - 1);
  double computed = frames + tail;
  if (plan.kind == PlanKind::kPartitioned) {
    const std::size_t block = plan.levels.front().block_frames;
    const bool again = demand_.expected_frames % block > 0 && tail > 0;
    computed = (std::ceil(computed / static_cast<double>(block)) + (again ? 1 : 0)) *
               static_cast<double>(block);
  }
  plan.ns_per_frame = (computed * plan.ns_per_frame + set_up_ns) / frames;
}

PartitionPlan PlanEstimate::direct_form(const PartitionPlan& base) const {
  PartitionPlan plan = base;
  plan.kind = PlanKind::kDirect;
  plan.piece_frames = shares_ ? std::clamp<std::size_t>(plan.call_frames, 64, 4'096)
                              : std::clamp<std::size_t>(plan.call_frames, 32, 8'192);
  plan.ns_per_frame = shares_ ? direct_ns(plan) : direct_on_device_ns(plan);
  plan.flops_per_frame = 2 * demand_.taps;
  plan.memory_samples = static_cast<std::size_t>(memory_samples(plan, demand_, {}, !shares_));
  // On a CPU its memory is little; on a device there are slots for pieces.
  price_whole_job(plan, shares_ ? 0 : static_cast<double>(plan.memory_samples) * kFirstTouchNs);
  return plan;
}

/// A frame.
double PlanEstimate::direct_ns(const PartitionPlan& plan) const {
  const double call = static_cast<double>(plan.call_frames);
  const double odd = static_cast<double>(plan.call_frames % 8) / call;
  return demand_.taps * costs_.direct_product_ns +
         demand_.edges * (costs_.edge_ns / call + odd * costs_.direct_frame_ns);
}

/// A frame. Products and the reading of taps and samples go on at once, and the slower of them
/// counts. Either is half of a spectrum's value, as it has one part. Stretches behind a piece's
/// first one find what they read in a cache.
double PlanEstimate::direct_on_device_ns(const PartitionPlan& plan) const {
  const double call = static_cast<double>(plan.call_frames);
  const double response = static_cast<double>(plan.max_response);
  const double stretches = std::ceil(call / kStretchFrames);
  const double products = demand_.taps * stretches * kStretchFrames * costs_.direct_product_ns;
  const double samples = demand_.edges * lines_read() * (response + kStretchFrames);
  const double bytes = (demand_.taps + demand_.inputs * response) * sizeof(float);
  const double reads =
      (demand_.taps + samples) / 2 * (costs_.product(bytes) + (stretches - 1) * costs_.product(0));
  return std::max(products, reads) / call;
}

/// Of a device: readings of an input's spectra for one of a response's.
double PlanEstimate::lines_read() const {
  return 1 / std::clamp(demand_.edges / demand_.inputs, 1.0, kMostLines);
}

double PlanEstimate::answer_ns(const PartitionPlan& plan) const {
  const double call = static_cast<double>(plan.call_frames);
  if (plan.kind == PlanKind::kDirect) return direct_on_device_ns(plan) * call;
  const LevelPlan& head = plan.levels.front();
  const double bins = static_cast<double>(head.bins());
  return call * pieces_per_frame(plan.call_frames, head.block_frames) *
         (demand_.inputs * head.forward_ns + demand_.outputs * head.inverse_ns +
          bins * (demand_.edges + demand_.outputs) * head.product_ns);
}

}  // namespace firbank
