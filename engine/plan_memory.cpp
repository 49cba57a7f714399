#include "engine/plan_memory.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

// Of a CPU: a transform's constants, and what a thread works in, as so many sums.
constexpr double kTableSums = 1.5;
constexpr double kFirstScratchSums = 1.5;
constexpr double kLaterScratchSums = 1;

// Bins of the sums that a thread has at a time, of up to four outputs.
constexpr double kTileBins = 65'536;

// As the CUDA backend has them: bytes of a spectrum beyond which transforms pass through memory, a
// transform's constants for each bin and beside them, windows that an input's ring holds where
// something is carried from block to block, and banks whose answers are under way at once.
constexpr std::size_t kMostInnerBytes = std::size_t{32} << 10;
constexpr double kConstantsOfBin = 0.58;
constexpr double kConstants = 4;
constexpr double kRingWindows = 2;
constexpr double kBanksHeard = 2;

// Bytes of the lists of terms, tiles and outputs, with places of outputs in their tiles where they
// are transformed; or of items, one of each input and output at the most, and listeners.
constexpr double kTermBytes = 24;
constexpr double kTileBytes = 16;
constexpr double kOutputBytes = 4;
constexpr double kPlaceBytes = 8;
constexpr double kItemBytes = 16;
constexpr double kListenerBytes = 8;

// Bytes of the command that runs, and of counts.
constexpr double kCommandBytes = 704;

// Shares of sums, so that there is work for all of a device: of the largest one there is, with so
// many threads, which take so many bytes of a sum each; partitions that repay a share, and the most
// shares.
constexpr double kMultiprocessors = 256;
constexpr double kThreadsThatFill = 1'024 * kMultiprocessors;
constexpr double kBytesOfThread = 16;
constexpr double kLeastSteps = 16;
constexpr double kMostShares = 128;

// Likewise of the direct form: chunks of a step and of the frames of a thread block, those that a
// ring has besides, steps that repay a share, and thread blocks that fill.
constexpr double kStepChunks = 96;
constexpr double kTileChunks = 8;
constexpr double kRingChunks = 3;
constexpr double kLeastDirectSteps = 4;
constexpr double kBlocksThatFill = 8 * kMultiprocessors;

/// Whether a thread block of a device holds a whole transform.
bool is_inner(const LevelPlan& level, const PlanDemand& demand) {
  return 2 * level.bins() * demand.sample_bytes <= kMostInnerBytes;
}

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

/// Shares that sums are cut into where `at_once` leave much of a device idle, and there are
/// `shares` at the most; 0 where a sum is one piece.
double shares_of_sum(double at_once, double that_fill, double shares) {
  const double wanted =
      std::min({std::floor(that_fill / std::max(at_once, 1.0)), std::floor(shares), kMostShares});
  return wanted < 2 ? 0 : wanted;
}

/// Of a level, all of which a slice of its bins is summed of at once.
double spectral_shares(const PartitionPlan& plan, const PlanDemand& demand,
                       const PlanDemand::Partitions& partitions, std::size_t k) {
  const LevelPlan& level = plan.levels[k];
  const std::size_t piece = std::min(plan.call_frames, plan.levels.front().block_frames);
  const std::size_t slices = k == 0 ? 1 : level.block_frames / piece;
  const std::size_t bins = (level.bins() + slices - 1) / slices;
  const std::size_t bytes = 2 * bins * demand.sample_bytes;
  const double threads = std::floor(demand.tiles * static_cast<double>(bytes) / kBytesOfThread);
  return shares_of_sum(threads, kThreadsThatFill,
                       demand.most_edges * partitions.longest / kLeastSteps);
}

/// A device's constants of a level's transforms, in samples.
double constants_on_device(const LevelPlan& level) {
  return 2 * (kConstantsOfBin * static_cast<double>(level.bins()) + kConstants);
}

/// Of each output: the newest block's sum, and in level 0 two that are carried, in the others two
/// blocks of answers. Shares of sums where an output has many partitions; all transforms between
/// their passes where they have some.
double sums_on_device(const PartitionPlan& plan, const PlanDemand& demand,
                      const PlanDemand::Partitions& partitions, std::size_t k) {
  const LevelPlan& level = plan.levels[k];
  const double of_output = k > 0 ? 2 : level.partitions == 1 ? 1 : 3;
  const double of_passes = is_inner(level, demand) ? 0 : demand.inputs + demand.outputs;
  return demand.outputs * (of_output + spectral_shares(plan, demand, partitions, k)) + of_passes;
}

/// Lists of what is summed, in samples, on a device.
double lists_on_device(const PlanDemand& demand, double bytes_of_output) {
  return (kTermBytes * demand.edges + kTileBytes * demand.tiles +
          bytes_of_output * demand.outputs) /
         static_cast<double>(demand.sample_bytes);
}

/// Slots of samples on their way in and of answers on their way home, and the command, on a device.
double stream_on_device(const PartitionPlan& plan, const PlanDemand& demand) {
  const double slots =
      plan.by_copies ? staged_samples(plan, demand.config, demand.inputs, demand.outputs) : 0;
  return slots + kCommandBytes / static_cast<double>(demand.sample_bytes);
}

/// Of a plan that is_fused(): responses, tables, a window of each input, and what is on its way.
double fused_samples(const PartitionPlan& plan, const PlanDemand& demand,
                     const PlanDemand::Partitions& partitions) {
  const LevelPlan& level = plan.levels.front();
  const double responses = partitions.stored * (plan.compact_spectra ? kCompactShare : 1);
  const double lists =
      kItemBytes * (demand.inputs + demand.outputs) + kListenerBytes * demand.outputs;
  return samples_of_sum(level) * (responses + demand.inputs) + constants_on_device(level) +
         stream_on_device(plan, demand) + lists / static_cast<double>(demand.sample_bytes);
}

/// Of the direct form on a device: taps in whole chunks, rings that hold the longest response and a
/// piece, and shares of sums where an output has many steps and a piece has not enough thread
/// blocks.
double direct_on_device(const PartitionPlan& plan, const PlanDemand& demand) {
  const std::size_t chunk = PlanDemand::kChunkBytes / demand.sample_bytes;
  const auto samples = static_cast<double>(chunk);
  LevelPlan chunks;
  chunks.partition_taps = chunk;
  chunks.partitions = (plan.max_response + chunk - 1) / chunk;
  const double taps = demand.partitions(chunks).stored * samples;
  const auto piece = static_cast<double>(plan.piece_frames);
  const double reach = static_cast<double>(plan.max_response) - 1 + piece;
  const double ring = (std::ceil(reach / samples) + kRingChunks) * samples;
  const double steps = demand.most_edges * std::ceil(demand.most_chunks / kStepChunks);
  const double shares = shares_of_sum(demand.tiles * std::ceil(piece / (kTileChunks * samples)),
                                      kBlocksThatFill, steps / kLeastDirectSteps);
  return taps + demand.inputs * ring + shares * demand.outputs * piece +
         lists_on_device(demand, kOutputBytes) + stream_on_device(plan, demand);
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
    if (on_device) {
      samples += constants_on_device(level) + lists_on_device(demand, kOutputBytes + kPlaceBytes);
    }
  }
  if (on_device) {
    const double window = samples_of_sum(plan.levels.back());
    return samples + demand.inputs * kRingWindows * window + stream_on_device(plan, demand);
  }
  return samples +
         demand.inputs * static_cast<double>(plan.history_frames() + plan.history_window());
}

}  // namespace firbank
