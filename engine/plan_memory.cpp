#include "engine/plan_memory.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

// A transform's constants, and what a thread works in, as so many sums.
constexpr double kTableSums = 1.5;
constexpr double kFirstScratchSums = 1.5;
constexpr double kLaterScratchSums = 1;

// Bins of the sums that a thread has at a time, of up to four outputs.
constexpr double kTileBins = 65'536;

// As the CUDA backend has them: bytes of a spectrum beyond which transforms pass through memory,
// windows that an input's ring holds where something is carried from block to block, banks whose
// answers are under way at once, partitions that repay a share of a sum, the most shares, and what
// the lists of terms and tiles take; or those of items and listeners, an item of each input and
// output at the most.
constexpr std::size_t kMostInnerBytes = std::size_t{32} << 10;
constexpr double kRingWindows = 2;
constexpr double kBanksHeard = 2;
constexpr double kLeastSteps = 16;
constexpr double kMostShares = 128;
constexpr double kListSamplesOfEdge = 6;
constexpr double kListSamplesOfOutput = 7;
constexpr double kListSamplesOfItem = 4;
constexpr double kListSamplesOfListener = 2;

/// Whether a thread block of a device holds a whole transform.
bool is_inner(const LevelPlan& level, const PlanDemand& demand) {
  return 2 * level.bins() * demand.sample_bytes <= kMostInnerBytes;
}

// Likewise of the direct form: taps of a chunk, chunks of a step, steps that repay a share of a
// sum, outputs and frames of a thread block, and the most of those that fill a device, one of 256
// multiprocessors.
constexpr std::size_t kChunkSamples = 4;
constexpr double kStepChunks = 96;
constexpr double kLeastDirectSteps = 4;
constexpr double kTileOutputs = 8;
constexpr double kTileFrames = 32;
constexpr double kBlocksThatFill = 2'048;

double samples_of_sum(const LevelPlan& level) {
  return 2 * static_cast<double>(level.bins());
}

/// Of each output: in level 0 up to two sums that are carried, in the others half a one, or a whole
/// one of an output that has none to itself, and two blocks of answers. Of a thread: the newest
/// block's sums of a few outputs, and scratch.
double sums_on_cpu(const PartitionPlan& plan, const PlanDemand& demand, std::size_t k) {
  const LevelPlan& level = plan.levels[k];
  const bool is_ahead = plan.call_frames < level.block_frames;
  const double carried = k > 0 ? 1.5 : level.partitions == 1 ? 0 : is_ahead ? 2 : 1;
  const double tile = std::clamp(kTileBins / static_cast<double>(level.bins()), 1.0, 4.0);
  const double of_thread =
      std::min(demand.outputs, tile) + (k == 0 ? kFirstScratchSums : kLaterScratchSums);
  return demand.outputs * carried + kTableSums + of_thread * demand.threads;
}

/// Of each output: the newest block's sum, and in level 0 two that are carried, in the others two
/// blocks of answers. Shares of sums where an output has many partitions; all transforms between
/// their passes where they have some.
double sums_on_device(const PartitionPlan& plan, const PlanDemand& demand,
                      const PlanDemand::Partitions& partitions, std::size_t k) {
  const LevelPlan& level = plan.levels[k];
  const double of_output = k > 0 ? 2 : level.partitions == 1 ? 1 : 3;
  const double shares = std::min(partitions.met / demand.outputs / kLeastSteps, kMostShares);
  const double of_passes = is_inner(level, demand) ? 0 : demand.inputs + demand.outputs;
  return demand.outputs * (of_output + (shares < 2 ? 0 : shares)) + of_passes + kTableSums;
}

/// Lists of what is summed, in samples, on a device.
double lists_on_device(const PlanDemand& demand) {
  return kListSamplesOfEdge * demand.edges + kListSamplesOfOutput * demand.outputs;
}

/// Slots of samples on their way in and of answers on their way home, on a device.
double slots_on_device(const PartitionPlan& plan, const PlanDemand& demand) {
  return plan.by_copies ? staged_samples(plan, demand.config, demand.inputs, demand.outputs) : 0;
}

/// Of a plan that is_fused(): responses, tables, a window of each input, and what is on its way.
double fused_samples(const PartitionPlan& plan, const PlanDemand& demand,
                     const PlanDemand::Partitions& partitions) {
  const double responses = partitions.stored * (plan.compact_spectra ? kCompactShare : 1);
  const double lists = kListSamplesOfItem * (demand.inputs + demand.outputs) +
                       kListSamplesOfListener * demand.outputs;
  return samples_of_sum(plan.levels.front()) * (responses + kTableSums + demand.inputs) +
         slots_on_device(plan, demand) + lists;
}

/// Of the direct form on a device: taps in whole chunks, rings that hold the longest response and a
/// piece, and shares of sums where an output has many steps and a piece has not enough thread
/// blocks.
double direct_on_device(const PartitionPlan& plan, const PlanDemand& demand) {
  LevelPlan chunks;
  chunks.partition_taps = kChunkSamples;
  chunks.partitions = (plan.max_response + kChunkSamples - 1) / kChunkSamples;
  const double taps = demand.partitions(chunks).stored * kChunkSamples;
  const auto ring = static_cast<double>(plan.max_response + plan.piece_frames + 3 * kChunkSamples);
  const double steps = demand.edges / demand.outputs *
                       std::ceil(static_cast<double>(chunks.partitions) / kStepChunks);
  const double piece = static_cast<double>(plan.piece_frames);
  const double tile = std::clamp(demand.edges / demand.inputs, 1.0, kTileOutputs);
  const double blocks = std::ceil(demand.outputs / tile) * std::ceil(piece / kTileFrames);
  const double shares =
      std::floor(std::min({steps / kLeastDirectSteps, kBlocksThatFill / blocks, kMostShares}));
  return taps + demand.inputs * ring + (shares < 2 ? 0 : shares) * demand.outputs * piece +
         lists_on_device(demand) + slots_on_device(plan, demand);
}

}  // namespace

bool is_fused(const PartitionPlan& plan, const PlanDemand& demand) {
  return demand.single_edges && plan.levels.size() == 1 && plan.levels.front().partitions == 1 &&
         is_inner(plan.levels.front(), demand);
}

std::size_t pieces_under_way(const PartitionPlan& plan, const EngineConfig& config) {
  if (config.depth_blocks == 0) return 1;
  // Offline calls are as long as the plan wants them, and block_frames says nothing.
  if (config.goal == PlanGoal::kOffline) return config.depth_blocks + 1;
  const std::size_t of_block = (config.block_frames + plan.piece_frames - 1) / plan.piece_frames;
  return (config.depth_blocks + 1) * of_block;
}

double staged_samples(const PartitionPlan& plan, const EngineConfig& config, double inputs,
                      double outputs) {
  const auto slots = static_cast<double>(pieces_under_way(plan, config) + 1);
  const bool direct = plan.kind == PlanKind::kDirect;
  const std::size_t fresh = direct ? plan.piece_frames : plan.levels.front().transform_frames;
  const std::size_t frames = direct ? plan.piece_frames : plan.levels.front().block_frames;
  return slots * (inputs * static_cast<double>(fresh) +
                  kBanksHeard * outputs * static_cast<double>(frames));
}

double spectrum_samples(const LevelPlan& level, const PlanDemand& demand,
                        const PlanDemand::Partitions& partitions, bool compact) {
  const bool is_first = level.first_tap == 0;
  const auto slots = static_cast<double>(level.blocks_met() + (is_first ? 0 : 1));
  return samples_of_sum(level) *
         (partitions.stored * (compact ? kCompactShare : 1) + demand.inputs * slots);
}

double bytes_between_readings(const std::vector<LevelPlan>& levels,
                              const std::vector<double>& bytes, std::size_t k) {
  double between = 0;
  for (std::size_t j = 0; j < levels.size(); ++j) {
    const double share =
        static_cast<double>(levels[k].block_frames) / static_cast<double>(levels[j].block_frames);
    between += bytes[j] * std::min(share, 1.0);
  }
  return between;
}

double memory_samples(const PartitionPlan& plan, const PlanDemand& demand,
                      const std::vector<PlanDemand::Partitions>& partitions, bool on_device) {
  if (plan.kind == PlanKind::kDirect && on_device) return direct_on_device(plan, demand);
  if (plan.kind == PlanKind::kDirect) {
    return demand.taps +
           demand.inputs * static_cast<double>(plan.history_frames() + plan.history_window());
  }
  if (on_device && is_fused(plan, demand)) return fused_samples(plan, demand, partitions[0]);
  double samples = 0;
  for (std::size_t k = 0; k < plan.levels.size(); ++k) {
    const LevelPlan& level = plan.levels[k];
    samples += spectrum_samples(level, demand, partitions[k], plan.compact_spectra) +
               samples_of_sum(level) * (on_device ? sums_on_device(plan, demand, partitions[k], k)
                                                  : sums_on_cpu(plan, demand, k));
  }
  if (on_device) {
    const double window = samples_of_sum(plan.levels.back());
    return samples + demand.inputs * kRingWindows * window + slots_on_device(plan, demand) +
           static_cast<double>(plan.levels.size()) * lists_on_device(demand);
  }
  return samples +
         demand.inputs * static_cast<double>(plan.history_frames() + plan.history_window());
}

}  // namespace firbank
