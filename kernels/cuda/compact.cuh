// Compact spectra: block floating point of 16 bits a value, kGroupBins bins to a scale.
//
// A scale is the upper half of a float, rounded up, so that the largest value of its group is at
// most 32,767 multiples of it: every value is off by half a scale at most, which is 90 dB below the
// peak of its neighbours.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

FIRBANK_HD float scale_value(Scale scale) {
  const std::uint32_t bits = static_cast<std::uint32_t>(scale) << 16;
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/// The least scale of which `peak` is at most 32,767 multiples.
FIRBANK_HD Scale scale_for(float peak) {
  const float least = peak / 32767.0F;
  std::uint32_t bits;
  memcpy(&bits, &least, sizeof(bits));
  return static_cast<Scale>((bits + 0xFFFFU) >> 16);
}

FIRBANK_HD std::int16_t multiple_of(float value, float scale) {
  // Of a peak that is nearly nothing the scale is 0; what is beyond all numbers stays so.
  if (!(scale > 0) || !(scale <= 3.4e38F)) return 0;
  const float multiple = rintf(value / scale);
  return static_cast<std::int16_t>(fminf(fmaxf(multiple, -32767.0F), 32767.0F));
}

FIRBANK_HD Complex<float> value_of(Multiple multiple, float scale) {
  return {static_cast<float>(multiple.re) * scale, static_cast<float>(multiple.im) * scale};
}

/// A thread to a group.
template <class Ctx>
FIRBANK_HD void compact_body(Ctx& ctx, const CompactParams& params) {
  const std::uint64_t group =
      static_cast<std::uint64_t>(ctx.block_x()) * ctx.threads() + ctx.thread();
  if (group >= params.groups) return;
  Complex<float> value[kGroupBins];
  float peak = 0;
  FIRBANK_UNROLL
  for (unsigned i = 0; i < kGroupBins; ++i) {
    value[i] = ctx.load(params.spectra + group * kGroupBins + i);
    peak = fmaxf(peak, fmaxf(fabsf(value[i].re), fabsf(value[i].im)));
  }
  const Scale stored = scale_for(peak);
  const float scale = scale_value(stored);
  ctx.store(params.scales + group, stored);
  FIRBANK_UNROLL
  for (unsigned i = 0; i < kGroupBins; ++i) {
    const Multiple multiple{multiple_of(value[i].re, scale), multiple_of(value[i].im, scale)};
    ctx.store(params.multiples + group * kGroupBins + i, multiple);
  }
}

}  // namespace firbank::cuda
