// ChannelCentre: the mean or the median over channels, frame by frame, on one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

struct ChannelCentre {
  /// Frames that are worked on at a time: a cache line of every channel.
  static constexpr std::size_t kTile = 16;

  /// centre[n] = the mean, or the median, of planes[c][first + n] over the channels c where
  /// |planes[c][first + n]| <= largest, which is finite; 0 where there is none. Of an even number
  /// the median is the mean of the two in the middle. The mean is summed in double. `work` holds
  /// kTile values a channel, on a cache line.
  using Run = void (*)(const float* const* planes, std::size_t channels, std::size_t first,
                       std::size_t frames, float largest, std::int32_t* work,
                       float* centre) noexcept;
  Run mean;
  Run median;
};

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
const ChannelCentre* channel_centre(InstructionSet set) noexcept;

const ChannelCentre* scalar_channel_centre() noexcept;

}  // namespace firbank
