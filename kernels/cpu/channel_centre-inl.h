// Mean and median over channels in Highway's vectors; arithmetic only. See channel_centre.hpp.
//
// Lanes are frames. Few channels are sorted, by a network: the same exchanges whatever the samples
// are (D. E. Knuth, "The Art of Computer Programming", vol. 3, section 5.2.2, Algorithm M). Of
// more, whose keys no longer stay in registers while the exchanges grow faster than their number,
// the median is found by its bits, highest first: 32 times the keys below a candidate are counted.
// Neither branches on a sample. A selection that moves samples cannot run in lanes; it takes 4 to
// 10 times as long (bench/stages_bench.cpp: median).

#if defined(FIRBANK_CHANNEL_CENTRE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_CHANNEL_CENTRE_INL_H
#undef FIRBANK_CHANNEL_CENTRE_INL_H
#else
#define FIRBANK_CHANNEL_CENTRE_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "kernels/cpu/channel_centre.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, ChannelCentre::kTile>;
using Ints = hn::RebindToSigned<Floats>;
using Doubles = hn::Repartition<double, Floats>;
using HalfFloats = hn::Half<Floats>;
inline constexpr std::size_t kCentreLanes = hn::MaxLanes(Floats());
inline constexpr std::size_t kCentreVectors = ChannelCentre::kTile / kCentreLanes;
/// Channels; on every instruction set one way is faster to about here, and the other one beyond.
inline constexpr std::size_t kMostSorted = 32;

/// One vector of frames: the mean.
HWY_INLINE void mean_of_vector(const float* const* planes, std::size_t channels, std::size_t at,
                               float largest, float* centre) {
  const Floats df;
  const Doubles dd;
  const HalfFloats half;
  const auto limit = hn::Set(df, largest);
  const auto one = hn::Set(df, 1.0F);
  auto low = hn::Zero(dd);
  auto high = hn::Zero(dd);
  auto count = hn::Zero(df);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto sample = hn::LoadU(df, planes[c] + at);
    const auto counts = hn::Le(hn::Abs(sample), limit);
    const auto x = hn::IfThenElseZero(counts, sample);
    count = hn::Add(count, hn::IfThenElseZero(counts, one));
    low = hn::Add(low, hn::PromoteTo(dd, hn::LowerHalf(half, x)));
    high = hn::Add(high, hn::PromoteTo(dd, hn::UpperHalf(half, x)));
  }
  const auto divisor = hn::Max(count, one);
  low = hn::Div(low, hn::PromoteTo(dd, hn::LowerHalf(half, divisor)));
  high = hn::Div(high, hn::PromoteTo(dd, hn::UpperHalf(half, divisor)));
  hn::StoreU(hn::Combine(df, hn::DemoteTo(half, high), hn::DemoteTo(half, low)), df, centre);
}

/// Integers in the order of the floats; the largest one for those that do not count.
HWY_INLINE hn::Vec<Ints> ordered(hn::Vec<Floats> x, hn::Vec<Floats> limit) {
  const Ints di;
  const auto magnitude = hn::Set(di, std::numeric_limits<std::int32_t>::max());
  const auto bits = hn::BitCast(di, x);
  const auto key = hn::Xor(bits, hn::And(hn::BroadcastSignBit(bits), magnitude));
  const auto counts = hn::RebindMask(di, hn::Le(hn::Abs(x), limit));
  return hn::IfThenElse(counts, key, magnitude);
}

HWY_INLINE hn::Vec<Floats> sample_of(hn::Vec<Ints> key) {
  const Ints di;
  const auto magnitude = hn::Set(di, std::numeric_limits<std::int32_t>::max());
  return hn::BitCast(Floats(), hn::Xor(key, hn::And(hn::BroadcastSignBit(key), magnitude)));
}

/// The mean of two, without leaving the range of float; bit by bit what they are where they are
/// equal.
HWY_INLINE hn::Vec<Floats> middle_of(hn::Vec<Floats> a, hn::Vec<Floats> b) {
  const auto half = hn::Set(Floats(), 0.5F);
  return hn::IfThenElse(hn::Eq(a, b), a, hn::Add(hn::Mul(half, a), hn::Mul(half, b)));
}

/// How many keys of a vector's frames lie below `bound`.
HWY_INLINE hn::Vec<Ints> count_below(const std::int32_t* keys, std::size_t channels,
                                     hn::Vec<Ints> bound) {
  const Ints di;
  constexpr std::size_t kStep = ChannelCentre::kTile;
  auto a = hn::Zero(di), b = a, c = a, d = a;
  const std::int32_t* key = keys;
  std::size_t left = channels;
  for (; left >= 4; left -= 4, key += 4 * kStep) {
    a = hn::Sub(a, hn::VecFromMask(di, hn::Lt(hn::Load(di, key), bound)));
    b = hn::Sub(b, hn::VecFromMask(di, hn::Lt(hn::Load(di, key + kStep), bound)));
    c = hn::Sub(c, hn::VecFromMask(di, hn::Lt(hn::Load(di, key + 2 * kStep), bound)));
    d = hn::Sub(d, hn::VecFromMask(di, hn::Lt(hn::Load(di, key + 3 * kStep), bound)));
  }
  for (; left > 0; --left, key += kStep) {
    a = hn::Sub(a, hn::VecFromMask(di, hn::Lt(hn::Load(di, key), bound)));
  }
  return hn::Add(hn::Add(a, b), hn::Add(c, d));
}

/// Sorts the keys of one vector of frames, channel by channel.
HWY_INLINE void sort_channels(std::int32_t* keys, std::size_t channels) {
  const Ints di;
  constexpr std::size_t kStep = ChannelCentre::kTile;
  std::size_t top = 1;
  while (2 * top < channels) top *= 2;
  for (std::size_t p = top; p > 0; p /= 2) {
    std::size_t r = 0;
    std::size_t d = p;
    for (std::size_t q = top;; q /= 2) {
      for (std::size_t i = 0; i + d < channels; ++i) {
        if ((i & p) != r) continue;
        std::int32_t* const a = keys + i * kStep;
        std::int32_t* const b = a + d * kStep;
        const auto x = hn::Load(di, a);
        const auto y = hn::Load(di, b);
        hn::Store(hn::Min(x, y), di, a);
        hn::Store(hn::Max(x, y), di, b);
      }
      if (q == p) break;
      d = q - p;
      r = p;
    }
  }
}

/// One vector of frames: the median of their keys, one line of keys a channel, which it may sort.
HWY_INLINE void median_of_vector(std::int32_t* keys, std::size_t channels, float* centre) {
  const Floats df;
  const Ints di;
  const auto one = hn::Set(di, 1);
  const auto none = hn::Set(di, std::numeric_limits<std::int32_t>::max());
  const auto count = count_below(keys, channels, none);
  if (channels <= kMostSorted && channels > 0 &&
      hn::AllTrue(di, hn::Eq(count, hn::Set(di, static_cast<std::int32_t>(channels))))) {
    sort_channels(keys, channels);
    const std::size_t half = channels / 2;
    const auto high = sample_of(hn::Load(di, keys + half * ChannelCentre::kTile));
    const auto low = channels % 2 == 1
                         ? high
                         : sample_of(hn::Load(di, keys + (half - 1) * ChannelCentre::kTile));
    hn::StoreU(middle_of(low, high), df, centre);
    return;
  }
  const auto rank = hn::ShiftRight<1>(hn::Sub(count, one));  // of the lower one, from 0 on
  auto lower = hn::Set(di, std::numeric_limits<std::int32_t>::min());
  for (int bit = 31; bit >= 0; --bit) {
    const auto step = hn::Set(di, static_cast<std::int32_t>(std::uint32_t{1} << bit));
    const auto candidate = hn::Add(lower, step);
    const auto below = count_below(keys, channels, candidate);
    lower = hn::IfThenElse(hn::Gt(below, rank), lower, candidate);
  }
  // The upper one of an even number: the same again, or the next key.
  auto next = none;
  auto up_to = hn::Zero(di);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto key = hn::Load(di, keys + c * ChannelCentre::kTile);
    const auto above = hn::Gt(key, lower);
    up_to = hn::Sub(up_to, hn::VecFromMask(di, hn::Not(above)));
    next = hn::Min(next, hn::IfThenElse(above, key, none));
  }
  const auto is_odd = hn::Eq(hn::And(count, one), one);
  const auto again = hn::Gt(up_to, hn::Add(rank, one));
  const auto upper = hn::IfThenElse(hn::Or(is_odd, again), lower, next);
  const auto value = middle_of(sample_of(lower), sample_of(upper));
  hn::StoreU(hn::IfThenElseZero(hn::RebindMask(df, hn::Gt(count, hn::Zero(di))), value), df,
             centre);
}

inline void mean_of_channels(const float* const* planes, std::size_t channels, std::size_t first,
                             std::size_t frames, float largest, std::int32_t* work,
                             float* centre) noexcept {
  std::size_t n = 0;
  for (; n + kCentreLanes <= frames; n += kCentreLanes) {
    mean_of_vector(planes, channels, first + n, largest, centre + n);
  }
  if (n < frames) {
    scalar_channel_centre()->mean(planes, channels, first + n, frames - n, largest, work,
                                  centre + n);
  }
}

inline void median_of_channels(const float* const* planes, std::size_t channels, std::size_t first,
                               std::size_t frames, float largest, std::int32_t* work,
                               float* centre) noexcept {
  const Floats df;
  const Ints di;
  const auto limit = hn::Set(df, largest);
  for (std::size_t n = 0; n < frames; n += ChannelCentre::kTile) {
    const std::size_t count = std::min(ChannelCentre::kTile, frames - n);
    const bool whole = count == ChannelCentre::kTile;
    HWY_ALIGN float padded[ChannelCentre::kTile] = {};
    for (std::size_t c = 0; c < channels; ++c) {
      const float* samples = planes[c] + first + n;
      if (!whole) samples = std::copy_n(samples, count, padded) - count;
      for (std::size_t v = 0; v < kCentreVectors; ++v) {
        const auto x = hn::LoadU(df, samples + v * kCentreLanes);
        hn::Store(ordered(x, limit), di, work + c * ChannelCentre::kTile + v * kCentreLanes);
      }
    }
    HWY_ALIGN float tile[ChannelCentre::kTile];
    float* const to = whole ? centre + n : tile;
    for (std::size_t v = 0; v * kCentreLanes < count; ++v) {
      median_of_vector(work + v * kCentreLanes, channels, to + v * kCentreLanes);
    }
    if (!whole) std::copy_n(tile, count, centre + n);
  }
}

inline const ChannelCentre* channel_centre_kernel() noexcept {
  static constexpr ChannelCentre kKernel = {&mean_of_channels, &median_of_channels};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
