#include "demos/firbank/convolution_mode.hpp"

#include <algorithm>

namespace firbank::program {

ConvolutionMode convolution_mode(std::string_view text) noexcept {
  if (text == "full") return ConvolutionMode::kFull;
  if (text == "same") return ConvolutionMode::kSame;
  if (text == "valid") return ConvolutionMode::kValid;
  return ConvolutionMode::kCausal;
}

FrameWindow frame_window(ConvolutionMode mode, std::int64_t frames, std::int64_t taps) noexcept {
  const std::int64_t shorter = std::min(frames, taps);
  const std::int64_t longer = std::max(frames, taps);
  switch (mode) {
    case ConvolutionMode::kFull:
      return {0, frames + taps - 1};
    case ConvolutionMode::kSame:
      return {(shorter - 1) / 2, (shorter - 1) / 2 + longer};
    case ConvolutionMode::kValid:
      return {shorter - 1, longer};
    case ConvolutionMode::kCausal:
      break;
  }
  return {0, frames};
}

}  // namespace firbank::program
