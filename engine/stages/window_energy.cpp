#include "engine/stages/window_energy.hpp"

#include <algorithm>

namespace firbank {

WindowEnergy::WindowEnergy(std::size_t channels, std::size_t length)
    : length_(length),
      channels_(channels),
      squares_(channels * length),
      suffixes_(channels * (length + 1)) {
  reset();
}

void WindowEnergy::reset() noexcept {
  std::fill(squares_.begin(), squares_.end(), 0.0);
  std::fill(suffixes_.begin(), suffixes_.end(), 0.0);
  // Blocks of different channels end in different frames, so that no call has the backward sums of
  // all of them to make.
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    channels_[c] = {c * length_ / channels_.size(), 0};
  }
}

void WindowEnergy::add(std::size_t channel, const double* samples, std::size_t frames,
                       double* energy) noexcept {
  Channel& state = channels_[channel];
  double* const squares = &squares_[channel * length_];
  double* const suffixes = &suffixes_[channel * (length_ + 1)];
  for (std::size_t n = 0; n < frames;) {
    const std::size_t count = std::min(frames - n, length_ - state.at);
    double sum = state.sum;
    for (std::size_t i = 0; i < count; ++i) {
      const double square = samples[n + i] * samples[n + i];
      sum += square;
      squares[state.at + i] = square;
      energy[n + i] = sum + suffixes[state.at + i + 1];
    }
    n += count;
    state.at += count;
    state.sum = sum;
    if (state.at < length_) continue;
    double suffix = 0;
    for (std::size_t i = length_; i-- > 0;) {
      suffix += squares[i];
      suffixes[i] = suffix;
    }
    state = {};
  }
}

}  // namespace firbank
