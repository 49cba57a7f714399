#include "engine/plan_floor.hpp"

#include <algorithm>

#include "engine/plan_memory.hpp"

namespace firbank {
namespace {

/// Bytes of spectra: those of partition 0, and all others.
struct LevelBytes {
  double newest = 0;
  double older = 0;

  /// Read for a block: all of it, or the older half as often.
  double alone() const { return newest + older; }
  double in_pairs() const { return newest + older / 2; }
};

class FloorOfPlan {
 public:
  FloorOfPlan(const PartitionPlan& plan, const PlanDemand& demand, bool shares,
              std::size_t sample_bytes)
      : plan_(plan),
        demand_(demand),
        shares_(shares),
        sample_bytes_(static_cast<double>(sample_bytes)),
        sample_rows_bytes_((demand.inputs + demand.outputs) * sample_bytes_) {}

  PlanFloor floor() {
    floor_.flops_per_frame = plan_.flops_per_frame;
    floor_.readings.push_back(
        {sample_rows_bytes_, sample_rows_bytes_ * static_cast<double>(plan_.call_frames)});
    if (plan_.kind == PlanKind::kDirect) {
      add_direct_form();
      return floor_;
    }
    std::vector<double> bytes;  // spectra of each level
    for (const LevelPlan& level : plan_.levels) {
      bytes.push_back(sample_bytes_ * spectrum_samples(level, demand_, demand_.partitions(level),
                                                       plan_.compact_spectra));
    }
    for (std::size_t k = 0; k < plan_.levels.size(); ++k) {
      const LevelPlan& level = plan_.levels[k];
      const double frames = static_cast<double>(std::min(level.block_frames, plan_.call_frames));
      const double reach =
          bytes_between_readings(plan_.levels, bytes, k) + sample_rows_bytes_ * frames;
      if (k > 0) {
        add_later_level(level, reach);
      } else {
        add_first_level(level, reach);
      }
    }
    return floor_;
  }

 private:
  LevelBytes responses(const LevelPlan& level) const {
    LevelPlan first_partition = level;
    first_partition.partitions = 1;
    const double size = static_cast<double>(level.transform_frames) *
                        (plan_.compact_spectra ? kCompactShare : 1) * sample_bytes_;
    const double newest = demand_.partitions(first_partition).stored;
    return {newest * size, (demand_.partitions(level).stored - newest) * size};
  }
  LevelBytes delay_lines(const LevelPlan& level) const {
    const double size = static_cast<double>(level.transform_frames) * sample_bytes_;
    const double older = static_cast<double>(level.partitions - 1);
    return {demand_.inputs * size, demand_.inputs * older * size};
  }

  void add_first_level(const LevelPlan& level, double reach) {
    const LevelBytes of_responses = responses(level);
    const LevelBytes of_inputs = delay_lines(level);
    const double block = static_cast<double>(level.block_frames);
    if (plan_.call_frames < level.block_frames) {
      // Partition 0 is met by each call, the others once a block.
      const double call = static_cast<double>(plan_.call_frames);
      floor_.readings.push_back({(of_responses.newest + of_inputs.newest) / call +
                                     (of_responses.older + of_inputs.older) / block,
                                 reach});
      return;
    }
    // Outputs take turns in having pairs; but some of them always have, and read all inputs that
    // they hear.
    const bool lines_in_pairs = level.pairs && demand_.in_rows;
    const double bytes = (level.pairs ? of_responses.in_pairs() : of_responses.alone()) +
                         (lines_in_pairs ? of_inputs.in_pairs() : of_inputs.alone());
    if (plan_.piece_frames == level.block_frames) {
      floor_.readings.push_back({bytes / block, reach});
      return;
    }
    // A row goes through all blocks of a piece by itself: the first one finds what has been
    // between, the others what the row has.
    const double blocks = static_cast<double>(plan_.piece_frames) / block;
    floor_.readings.push_back({bytes / block / blocks, reach});
    floor_.readings.push_back({bytes / block * (1 - 1 / blocks), reach / demand_.outputs});
  }

  void add_later_level(const LevelPlan& level, double reach) {
    const LevelBytes of_responses = responses(level);
    const LevelBytes of_inputs = delay_lines(level);
    const double bytes = shares_ ? of_responses.in_pairs() + of_inputs.in_pairs()
                                 : of_responses.alone() + of_inputs.alone();
    floor_.readings.push_back({bytes / static_cast<double>(level.block_frames), reach});
  }

  void add_direct_form() {
    // Partitions of one tap are taps.
    LevelPlan taps;
    taps.partition_taps = 1;
    taps.partitions = plan_.max_response;
    const double bytes = sample_bytes_ * (demand_.partitions(taps).stored +
                                          demand_.inputs * static_cast<double>(plan_.max_response));
    const double piece = static_cast<double>(std::min(plan_.call_frames, plan_.piece_frames));
    floor_.readings.push_back({bytes / piece, bytes + sample_rows_bytes_ * piece});
  }

  const PartitionPlan& plan_;
  const PlanDemand& demand_;
  bool shares_;
  double sample_bytes_;
  double sample_rows_bytes_;  // of a frame, in and out
  PlanFloor floor_;
};

}  // namespace

double PlanFloor::bytes_per_frame() const {
  double bytes = 0;
  for (const PlanReading& reading : readings) bytes += reading.bytes_per_frame;
  return bytes;
}

double PlanFloor::read_seconds_per_frame(const MachineCeilings& ceilings) const {
  double seconds = 0;
  for (const PlanReading& reading : readings) {
    seconds += reading.bytes_per_frame / ceilings.read_bytes_per_second(reading.reach_bytes);
  }
  return seconds;
}

PlanFloor plan_floor(const PartitionPlan& plan, const PlanDemand& demand, bool shares,
                     std::size_t sample_bytes) {
  return FloorOfPlan(plan, demand, shares, sample_bytes).floor();
}

}  // namespace firbank
