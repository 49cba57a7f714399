#include "kernels/cpu/channel_centre.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/channel_centre.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/channel_centre-inl.h"

#if HWY_ONCE
namespace firbank {
namespace {

void scalar_mean(const float* const* planes, std::size_t channels, std::size_t first,
                 std::size_t frames, float largest, std::int32_t* /*work*/,
                 float* centre) noexcept {
  for (std::size_t n = 0; n < frames; ++n) {
    double sum = 0;
    double count = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const float x = planes[c][first + n];
      if (!(std::abs(x) <= largest)) continue;
      sum += static_cast<double>(x);
      count += 1;
    }
    centre[n] = static_cast<float>(sum / std::max(count, 1.0));
  }
}

/// A selection; the samples take the place of the keys.
void scalar_median(const float* const* planes, std::size_t channels, std::size_t first,
                   std::size_t frames, float largest, std::int32_t* work, float* centre) noexcept {
  static_assert(sizeof(float) == sizeof(std::int32_t));
  auto* const samples = reinterpret_cast<float*>(work);
  for (std::size_t n = 0; n < frames; ++n) {
    std::size_t count = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const float x = planes[c][first + n];
      if (std::abs(x) <= largest) samples[count++] = x;
    }
    centre[n] = 0;
    if (count == 0) continue;
    float* const middle = samples + count / 2;
    std::nth_element(samples, middle, samples + count);
    const float lower = count % 2 == 0 ? *std::max_element(samples, middle) : *middle;
    centre[n] = lower == *middle ? lower : 0.5F * lower + 0.5F * *middle;
  }
}

}  // namespace

const ChannelCentre* scalar_channel_centre() noexcept {
  static constexpr ChannelCentre kKernel = {&scalar_mean, &scalar_median};
  return &kKernel;
}

const ChannelCentre* channel_centre(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, channel_centre_kernel())
  return set == InstructionSet::kScalar ? scalar_channel_centre() : nullptr;
}

}  // namespace firbank
#endif  // HWY_ONCE
