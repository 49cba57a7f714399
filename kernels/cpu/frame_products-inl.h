// Sliding products of frames in Highway's vectors; arithmetic only. See frame_products.hpp.

#if defined(FIRBANK_FRAME_PRODUCTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_FRAME_PRODUCTS_INL_H
#undef FIRBANK_FRAME_PRODUCTS_INL_H
#else
#define FIRBANK_FRAME_PRODUCTS_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/frame_products.hpp"
#include "kernels/cpu/in_register-inl.h"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

/// What one call works on. Lanes run along a row.
template <class S>
struct FrameJob {
  const S* x;
  std::ptrdiff_t row_stride;
  std::size_t width;
  const S* h;
  std::size_t taps;

  HWY_INLINE const S* row(std::size_t n) const {
    return x + static_cast<std::ptrdiff_t>(n) * row_stride;
  }
  /// The row of `h` that meets row n + k of `x` in out[n].
  HWY_INLINE const S* tap(std::size_t k) const { return h + (taps - 1 - k) * width; }
};

// As many sums and taps as there are registers for.
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2
constexpr std::size_t kTileOutputs = 8;
constexpr std::size_t kTileTaps = 4;
#else
constexpr std::size_t kTileOutputs = 16;
constexpr std::size_t kTileTaps = 8;
#endif

/// The sums of kOutputs successive outputs. Row i of the tile meets tap t in output i - t, so that
/// each row that is loaded serves up to kTaps products, and a sum needs no lanes added but at last.
template <class D, std::size_t kOutputs, std::size_t kTileTaps>
struct FrameSums {
  using S = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());

  V total[kOutputs];

  HWY_INLINE FrameSums() {
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < kOutputs; ++j) total[j] = hn::Zero(D());
  }

  /// Column `c` to `c` + kLanes of the rows from `row` on, by the rows of taps from `tap` back. Of
  /// taps that `done` has, nothing is added.
  template <std::size_t kTaps, bool kMasked>
  static HWY_INLINE void add_column(const S* row, std::ptrdiff_t row_stride, const S* tap,
                                    std::size_t width, hn::Mask<D> done, V* sum) {
    const D d;
    V taps[kTaps];
    HWY_UNROLL(8)
    for (std::size_t t = 0; t < kTaps; ++t) {
      taps[t] = hn::LoadU(d, tap - t * width);
      if constexpr (kMasked) taps[t] = hn::IfThenZeroElse(done, taps[t]);
      taps[t] = in_register(taps[t]);
    }
    HWY_UNROLL(32)
    for (std::size_t i = 0; i < kOutputs + kTaps - 1; ++i) {
      const V x = in_register(hn::LoadU(d, row));
      row += row_stride;
      HWY_UNROLL(8)
      for (std::size_t t = 0; t < kTaps; ++t) {
        if (i < t || i >= t + kOutputs) continue;
        sum[i - t] = hn::MulAdd(taps[t], x, sum[i - t]);
      }
    }
  }

  /// Taps k to k + kTaps of columns `c` to `last`, at most kFrameProductsRun products a lane.
  /// Columns that do not fill a vector are the last ones of a whole vector, whose others `done`
  /// leaves out.
  template <std::size_t kTaps>
  HWY_INLINE void add_taps(const FrameJob<S>& job, std::size_t n, std::size_t k, std::size_t c,
                           std::size_t last, hn::Mask<D> done) {
    V sum[kOutputs];
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < kOutputs; ++j) sum[j] = hn::Zero(D());
    const S* row = job.row(n + k) + c;
    const S* tap = job.tap(k) + c;
    for (; c + kLanes <= last; c += kLanes, row += kLanes, tap += kLanes) {
      add_column<kTaps, false>(row, job.row_stride, tap, job.width, done, sum);
    }
    if (c < last) {
      const std::size_t back = kLanes - (last - c);
      add_column<kTaps, true>(row - back, job.row_stride, tap - back, job.width, done, sum);
    }
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < kOutputs; ++j) total[j] = hn::Add(total[j], sum[j]);
  }

  HWY_INLINE void add(const FrameJob<S>& job, std::size_t n) {
    constexpr std::size_t kColumns = kFrameProductsRun / kTileTaps * kLanes;
    const D d;
    const std::size_t rest = job.width % kLanes;
    const auto done = hn::FirstN(d, rest == 0 ? 0 : kLanes - rest);
    for (std::size_t c = 0; c < job.width; c += kColumns) {
      const std::size_t last = std::min(c + kColumns, job.width);
      for (std::size_t k = 0; k < job.taps;) {
        // Blocks of about the same size: a single tap would have too few products for its loads.
        const std::size_t left = job.taps - k;
        const std::size_t blocks = (left + kTileTaps - 1) / kTileTaps;
        const std::size_t taps = (left + blocks - 1) / blocks;
        add_block<kTileTaps>(taps, job, n, k, c, last, done);
        k += taps;
      }
    }
  }

  /// add_taps<taps>.
  template <std::size_t kTaps>
  HWY_INLINE void add_block(std::size_t taps, const FrameJob<S>& job, std::size_t n, std::size_t k,
                            std::size_t c, std::size_t last, hn::Mask<D> done) {
    if (kTaps == 1 || taps == kTaps) {
      add_taps<kTaps>(job, n, k, c, last, done);
    } else if constexpr (kTaps > 1) {
      add_block<kTaps - 1>(taps, job, n, k, c, last, done);
    }
  }

  HWY_INLINE void add_to(S* out) const {
    const Block block;
    constexpr std::size_t kAtOnce = 16 / sizeof(S);
    if constexpr (kOutputs % kAtOnce == 0) {
      HWY_UNROLL(8)
      for (std::size_t j = 0; j < kOutputs; j += kAtOnce) {
        const auto sums = sum_of_blocks(D(), sums_of_each(total + j));
        hn::StoreU(hn::Add(hn::LoadU(block, out + j), sums), block, out + j);
      }
    } else {
      for (std::size_t j = 0; j < kOutputs; ++j) {
        out[j] += hn::GetLane(hn::SumOfLanes(D(), total[j]));
      }
    }
  }

 private:
  using Block = hn::CappedTag<S, 16 / sizeof(S)>;

  /// In lane i of each block of 128 bits, the sum of that block of v[i].
  static HWY_INLINE V sums_of_each(const V* v) {
    const D d;
    if constexpr (sizeof(S) == sizeof(float)) {
      const V even =
          hn::Add(hn::InterleaveLower(d, v[0], v[2]), hn::InterleaveUpper(d, v[0], v[2]));
      const V odd = hn::Add(hn::InterleaveLower(d, v[1], v[3]), hn::InterleaveUpper(d, v[1], v[3]));
      return hn::Add(hn::InterleaveLower(d, even, odd), hn::InterleaveUpper(d, even, odd));
    } else {
      return hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1]));
    }
  }

  template <class DAny>
  static HWY_INLINE hn::Vec<Block> sum_of_blocks(DAny /*d*/, hn::Vec<DAny> v) {
    if constexpr (hn::MaxLanes(DAny()) * sizeof(S) == 16) {
      return v;
    } else {
      const hn::Half<DAny> half;
      return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    }
  }
};

template <class D, std::size_t kOutputs, std::size_t kTaps>
HWY_NOINLINE void frame_tile(const FrameJob<hn::TFromD<D>>& job, std::size_t n,
                             hn::TFromD<D>* out) {
  FrameSums<D, kOutputs, kTaps> sums;
  sums.add(job, n);
  sums.add_to(out + n);
}

template <class D, std::size_t kOutputs, std::size_t kTaps>
HWY_INLINE void frame_tiles(const FrameJob<hn::TFromD<D>>& job, hn::TFromD<D>* out,
                            std::size_t count) {
  std::size_t n = 0;
  for (; n + kOutputs <= count; n += kOutputs) frame_tile<D, kOutputs, kTaps>(job, n, out);
  for (; n + 4 <= count; n += 4) frame_tile<D, 4, kTaps>(job, n, out);
  for (; n < count; ++n) frame_tile<D, 1, kTaps>(job, n, out);
}

template <class S>
void frame_products_add(const S* x, std::ptrdiff_t row_stride, std::size_t width, const S* h,
                        std::size_t taps, S* out, std::size_t count) noexcept {
  using Whole = hn::ScalableTag<S>;
  using Block = hn::CappedTag<S, 16 / sizeof(S)>;
  const FrameJob<S> job{x, row_stride, width, h, taps};
  if (width >= hn::MaxLanes(Whole())) {
    frame_tiles<Whole, kTileOutputs, kTileTaps>(job, out, count);
  } else if (width >= hn::MaxLanes(Block())) {
    frame_tiles<Block, 8, kTileTaps>(job, out, count);
  } else {
    scalar_frame_products<S>()->add(x, row_stride, width, h, taps, out, count);
  }
}

template <class S>
const FrameProducts<S>* frame_products_kernel() noexcept {
  static constexpr FrameProducts<S> kKernel = {&frame_products_add<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
