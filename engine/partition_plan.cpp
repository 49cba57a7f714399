#include "engine/partition_plan.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace firbank {

std::size_t PartitionPlan::fading_frames() const noexcept {
  constexpr std::size_t kMost = 8'192;  // blocks for files are long
  return std::min(levels.empty() ? piece_frames : levels.front().block_frames, kMost);
}

std::size_t PartitionPlan::history_window() const noexcept {
  if (kind == PlanKind::kDirect) return max_response + piece_frames;
  std::size_t window = 0;
  for (const LevelPlan& level : levels) window = std::max(window, level.bins());
  return window;
}

std::size_t PartitionPlan::history_frames() const noexcept {
  if (kind == PlanKind::kDirect) return max_response + history_window();
  std::size_t frames = levels.front().transform_frames + levels.front().block_frames;
  for (std::size_t k = 1; k < levels.size(); ++k) {
    // A window is read until its inputs are transformed, so much of a block before the answer is
    // due; and a piece goes on to the end of a block of level 0, which clears ahead of that.
    const LevelPlan& level = levels[k];
    const auto spared = static_cast<std::size_t>((1 - level.forward_share) *
                                                 static_cast<double>(level.block_frames));
    frames = std::max(frames, level.first_tap - level.block_frames - spared +
                                  level.transform_frames + 2 * levels.front().transform_frames);
  }
  return frames;
}

std::size_t PartitionPlan::swap_lead_frames() const noexcept {
  if (kind == PlanKind::kDirect) return 0;
  const LevelPlan& last = levels.back();
  return 2 * last.block_frames;
}

std::size_t PartitionPlan::cycle_frames() const noexcept {
  std::size_t cycle = call_frames;
  for (const LevelPlan& level : levels) cycle = std::lcm(cycle, 2 * level.block_frames);
  return cycle;
}

std::string PartitionPlan::describe() const {
  if (kind == PlanKind::kDirect) return fmt::format("direct form, up to {} taps", max_response);
  const LevelPlan& first = levels.front();
  const char* const plural = first.partitions == 1 ? "" : "s";
  const char* const spectra = compact_spectra ? ", int16 spectra" : "";
  if (levels.size() == 1) {
    const std::string blocks = first.partition_taps == first.block_frames
                                   ? ""
                                   : fmt::format(", blocks of {}", first.block_frames);
    return fmt::format("uniform: {} partition{} of {} taps{}, transforms of {}{}", first.partitions,
                       plural, first.partition_taps, blocks, first.transform_frames, spectra);
  }
  std::string line = fmt::format("non-uniform: {} partition{} of {} taps", first.partitions, plural,
                                 first.partition_taps);
  for (std::size_t k = 1; k < levels.size(); ++k) {
    line += fmt::format(", {} of {}", levels[k].partitions, levels[k].block_frames);
  }
  return line + spectra;
}

}  // namespace firbank
