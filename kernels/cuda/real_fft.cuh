// The transform of a real signal: values of z(t) = sum_n (older[n] + i newer[n]) t^n at the M roots
// of t^M = i, and back (engine/README.md, "The transform").
//
// A block of m coefficients is a remainder modulo t^m - exp(2 pi i theta), with theta = 1/4 for the
// whole of them. A pass of radix R turns it into R blocks of m / R coefficients: with
// w = exp(2 pi i theta / R), block k is
//
//   z_k[j] = sum_r z[j + r m/R] w^r exp(2 pi i k r / R)
//
// which is a remainder modulo t^(m/R) - exp(2 pi i (theta + k) / R) and takes the place of part k.
// So each block has its w, nothing is reordered, and block k of block b has number R b + k. A block
// of one coefficient is a value.
//
// `outer` passes of radix 8 run over global memory, a thread to a butterfly. They leave inner
// transforms of S = 2^log2_inner coefficients: T = S / 8 threads with 8 values each, one pass of
// radix 2, 4 or 8 such that passes of radix 8 remain, which exchange values in shared memory. A
// thread begins with the coefficients t + r T and ends with the values of 8 neighbouring roots,
// which are kept at offsets r T + t: wherever threads meet global memory, neighbouring threads
// meet neighbouring addresses. The inverse is the mirror image and returns M times the
// coefficients.
#pragma once

#include <cstdint>

#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

/// What a block of a pass is twisted by: w, w^2, w^3 and w^4, each rounded once. Powers of a
/// rounded w would be off by as many times its error.
template <class Real>
struct alignas(16) Twiddle {
  Complex<Real> power[4];
};

/// Rows follow pass by pass, block by block.
template <class Real, class Ctx>
FIRBANK_HD Twiddle<Real> twiddle(Ctx& ctx, const Transform<Real>& transform, std::uint32_t row) {
  return ctx.load(reinterpret_cast<const Twiddle<Real>*>(transform.twiddles) + row);
}

template <class Real>
FIRBANK_HD Complex<Real> operator+(Complex<Real> a, Complex<Real> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class Real>
FIRBANK_HD Complex<Real> operator-(Complex<Real> a, Complex<Real> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class Real>
FIRBANK_HD Complex<Real> operator*(Complex<Real> a, Complex<Real> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/// a times i, or times -i in the inverse.
template <bool kInverse, class Real>
FIRBANK_HD Complex<Real> quarter_turn(Complex<Real> a) {
  if constexpr (kInverse) {
    return {a.im, -a.re};
  } else {
    return {-a.im, a.re};
  }
}

/// a times exp(+-2 pi i / 8).
template <bool kInverse, class Real>
FIRBANK_HD Complex<Real> eighth_turn(Complex<Real> a) {
  const Real half_root = static_cast<Real>(0.70710678118654752440);
  const Complex<Real> turned = quarter_turn<kInverse>(a);
  return {(a.re + turned.re) * half_root, (a.im + turned.im) * half_root};
}

// Butterflies: y[k] = sum_r v[r] exp(+-2 pi i k r / R), + forward and - inverse. Those of radix 2
// and 4 join the values at First, First + Step, and so on.

template <unsigned kFirst, unsigned kStep, class Real>
FIRBANK_HD void butterfly2(Complex<Real> (&v)[8]) {
  const Complex<Real> sum = v[kFirst] + v[kFirst + kStep];
  v[kFirst + kStep] = v[kFirst] - v[kFirst + kStep];
  v[kFirst] = sum;
}

template <bool kInverse, unsigned kFirst, unsigned kStep, class Real>
FIRBANK_HD void butterfly4(Complex<Real> (&v)[8]) {
  constexpr unsigned k0 = kFirst, k1 = kFirst + kStep, k2 = kFirst + 2 * kStep,
                     k3 = kFirst + 3 * kStep;
  const Complex<Real> even_sum = v[k0] + v[k2], even_difference = v[k0] - v[k2];
  const Complex<Real> odd_sum = v[k1] + v[k3];
  const Complex<Real> odd_difference = quarter_turn<kInverse>(v[k1] - v[k3]);
  v[k0] = even_sum + odd_sum;
  v[k1] = even_difference + odd_difference;
  v[k2] = even_sum - odd_sum;
  v[k3] = even_difference - odd_difference;
}

template <bool kInverse, class Real>
FIRBANK_HD void butterfly8(Complex<Real> (&v)[8]) {
  butterfly4<kInverse, 0, 2>(v);
  butterfly4<kInverse, 1, 2>(v);
  const Complex<Real> odd[4] = {v[1], eighth_turn<kInverse>(v[3]), quarter_turn<kInverse>(v[5]),
                                eighth_turn<kInverse>(quarter_turn<kInverse>(v[7]))};
  const Complex<Real> even[4] = {v[0], v[2], v[4], v[6]};
  FIRBANK_UNROLL
  for (unsigned k = 0; k < 4; ++k) {
    v[k] = even[k] + odd[k];
    v[k + 4] = even[k] - odd[k];
  }
}

/// v[i] times w^(i / (8 / R)), or its conjugate: values of part i / (8 / R) of a block of radix R.
template <bool kInverse, unsigned kRadix, class Real>
FIRBANK_HD void twist(Complex<Real> (&v)[8], Twiddle<Real> w) {
  constexpr unsigned kCount = 8 / kRadix;  // butterflies
  Complex<Real> power[8];
  FIRBANK_UNROLL
  for (unsigned r = 1; r < 5; ++r) {
    power[r] = w.power[r - 1];
    if constexpr (kInverse) power[r].im = -power[r].im;
  }
  FIRBANK_UNROLL
  for (unsigned r = 5; r < 8; ++r) power[r] = power[4] * power[r - 4];
  FIRBANK_UNROLL
  for (unsigned i = kCount; i < 8; ++i) v[i] = v[i] * power[i / kCount];
}

/// One pass over a thread's 8 values, which are 8 / kRadix butterflies of one block.
template <bool kInverse, unsigned kRadix, class Real>
FIRBANK_HD void pass(Complex<Real> (&v)[8], const Twiddle<Real>& w) {
  if constexpr (!kInverse) twist<kInverse, kRadix>(v, w);
  if constexpr (kRadix == 2) {
    butterfly2<0, 4>(v);
    butterfly2<1, 4>(v);
    butterfly2<2, 4>(v);
    butterfly2<3, 4>(v);
  } else if constexpr (kRadix == 4) {
    butterfly4<kInverse, 0, 2>(v);
    butterfly4<kInverse, 1, 2>(v);
  } else {
    butterfly8<kInverse>(v);
  }
  if constexpr (kInverse) twist<kInverse, kRadix>(v, w);
}

// Threads of a grid take items in turns: thread i of n takes items i, i + n, i + 2 n, and so on.

template <class Ctx>
FIRBANK_HD std::uint32_t first_item(const Ctx& ctx) {
  return ctx.block_x() * ctx.threads() + ctx.thread();
}
template <class Ctx>
FIRBANK_HD std::uint32_t all_threads(const Ctx& ctx) {
  return ctx.blocks_x() * ctx.threads();
}

/// One butterfly of an outer pass: values first + r stride, of block `block` of the pass.
struct OuterPlace {
  std::uint32_t transform;
  std::uint32_t block;
  std::uint32_t first;  // in the transform
  std::uint32_t stride;
};

/// Butterfly `item` of those of all transforms.
template <class Real>
FIRBANK_HD OuterPlace outer_place(const Transform<Real>& transform, std::uint32_t item,
                                  std::uint32_t outer_pass) {
  const std::uint32_t log2_each = transform.log2_bins - 3;  // butterflies of a transform
  const std::uint32_t log2_stride = log2_each - 3 * outer_pass;
  OuterPlace place;
  place.transform = item >> log2_each;
  const std::uint32_t butterfly = item & ((1U << log2_each) - 1);
  place.stride = 1U << log2_stride;
  place.block = butterfly >> log2_stride;
  place.first = (place.block << (log2_stride + 3)) + (butterfly & (place.stride - 1));
  return place;
}

/// Blocks of the outer passes before pass `outer_pass`: (8^outer_pass - 1) / 7.
FIRBANK_HD std::uint32_t outer_blocks_before(std::uint32_t outer_pass) {
  return ((1U << (3 * outer_pass)) - 1) / 7;
}

template <bool kInverse, class Real, class Ctx>
FIRBANK_HD void outer_butterfly(Ctx& ctx, const Transform<Real>& transform, const OuterPlace& place,
                                std::uint32_t outer_pass, Complex<Real> (&v)[8]) {
  pass<kInverse, 8>(v, twiddle(ctx, transform, outer_blocks_before(outer_pass) + place.block));
}

/// A thread of an inner transform, which holds values t + r T of its coefficients and keeps its
/// results at r T + t as well: `first` + r `threads` in memory.
struct InnerPlace {
  bool works;               // false: it has no transform, but comes to the barriers
  std::uint32_t transform;  // the transform it is part of; 0 without one
  std::uint32_t block;      // which of the 8^outer inner ones
  std::uint32_t t;
  std::uint32_t threads;  // T
  std::uint32_t first;    // of its values in the transform
  std::uint32_t shared;   // where the inner transform begins in shared memory
};

/// Thread blocks' worth of inner transforms that `transforms` have.
template <class Real>
FIRBANK_HD std::uint32_t inner_blocks(const Transform<Real>& transform, std::uint32_t transforms) {
  return ((transforms << (3 * transform.outer)) + transform.batch - 1) / transform.batch;
}

/// `block` counts thread blocks; `member` its threads that have inner transforms, `batch` T of
/// them.
template <class Real>
FIRBANK_HD InnerPlace inner_place(const Transform<Real>& transform, std::uint32_t block,
                                  std::uint32_t transforms, std::uint32_t member) {
  const std::uint32_t log2_threads = transform.log2_inner - 3;
  const std::uint32_t in_batch = member >> log2_threads;
  const std::uint32_t inner = block * transform.batch + in_batch;
  InnerPlace place;
  place.threads = 1U << log2_threads;
  place.t = member & (place.threads - 1);
  place.works = in_batch < transform.batch && inner >> (3 * transform.outer) < transforms;
  place.transform = place.works ? inner >> (3 * transform.outer) : 0;
  place.block = inner & ((1U << (3 * transform.outer)) - 1);
  place.first = (place.block << transform.log2_inner) + place.t;
  place.shared = in_batch << transform.log2_inner;
  return place;
}

/// The transforms of a thread block, where each is one inner transform.
struct Members {
  std::uint32_t first;
  std::uint32_t count;
};

template <class Real>
FIRBANK_HD Members members_of(const Transform<Real>& transform, std::uint32_t block,
                              std::uint32_t transforms) {
  const std::uint32_t first = block * transform.batch;
  const std::uint32_t left = transforms - first;
  return {first, left < transform.batch ? left : transform.batch};
}

/// Which of them a thread is part of.
template <class Real>
FIRBANK_HD std::uint32_t member_of(const Transform<Real>& transform, const InnerPlace& place) {
  return place.shared >> transform.log2_inner;
}

/// Where value i lies in shared memory. Threads meet it in steps of 1 and, in the last passes, of 8
/// and of 64 with 8 neighbours each: always in all banks (16 of 8 bytes, or 8 of 16).
FIRBANK_HD std::uint32_t shared_slot(std::uint32_t i) {
  return i ^ ((i >> 3) & 15U);
}

/// Values base + r stride in shared memory.
template <class Real>
FIRBANK_HD void put(Complex<Real>* shared, std::uint32_t base, std::uint32_t stride,
                    const Complex<Real> (&v)[8]) {
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) shared[shared_slot(base + r * stride)] = v[r];
}
template <class Real>
FIRBANK_HD void get(const Complex<Real>* shared, std::uint32_t base, std::uint32_t stride,
                    Complex<Real> (&v)[8]) {
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) v[r] = shared[shared_slot(base + r * stride)];
}

/// What the first pass leaves to passes of radix 8: log2 of the coefficients of a block.
FIRBANK_HD std::uint32_t log2_after_first(std::uint32_t log2_inner) {
  return (log2_inner - 1) / 3 * 3;
}

/// The pass that meets coefficients t + r T.
template <bool kInverse, class Real>
FIRBANK_HD void first_pass(std::uint32_t log2_inner, Complex<Real> (&v)[8],
                           const Twiddle<Real>& w) {
  switch (log2_inner % 3) {
    case 0:
      return pass<kInverse, 8>(v, w);
    case 1:
      return pass<kInverse, 2>(v, w);
    default:
      return pass<kInverse, 4>(v, w);
  }
}

/// A pass of radix 8 over blocks of 2^log2_block coefficients of an inner transform.
struct InnerPass {
  std::uint32_t stride;
  std::uint32_t block;  // of the thread, in its inner transform
  std::uint32_t base;   // of the thread's values, in shared memory
};

FIRBANK_HD InnerPass inner_pass(const InnerPlace& place, std::uint32_t log2_block) {
  const std::uint32_t log2_stride = log2_block - 3;
  InnerPass now;
  now.stride = 1U << log2_stride;
  now.block = place.t >> log2_stride;
  now.base = place.shared + (now.block << log2_block) + (place.t & (now.stride - 1));
  return now;
}

/// v: coefficients t + r T of the thread's inner transform in, its values out. All threads of the
/// thread block come here; those without a transform touch no memory.
template <class Real, class Ctx>
FIRBANK_HD void forward_inner(Ctx& ctx, const Transform<Real>& transform, const InnerPlace& place,
                              Complex<Real> (&v)[8]) {
  Complex<Real>* shared = ctx.template shared<Complex<Real>>();
  const std::uint32_t log2_inner = transform.log2_inner;
  std::uint32_t log2_blocks = 3 * transform.outer;           // of the pass, in the whole transform
  std::uint32_t row = outer_blocks_before(transform.outer);  // of the pass's first block
  if (place.works) first_pass<false>(log2_inner, v, twiddle(ctx, transform, row + place.block));

  std::uint32_t base = place.shared + place.t;
  std::uint32_t stride = place.threads;
  for (std::uint32_t log2_block = log2_after_first(log2_inner); log2_block > 0; log2_block -= 3) {
    row += 1U << log2_blocks;
    log2_blocks = 3 * transform.outer + log2_inner - log2_block;
    if (place.works) put(shared, base, stride, v);
    ctx.sync();
    if (!place.works) continue;
    const InnerPass now = inner_pass(place, log2_block);
    base = now.base;
    stride = now.stride;
    get(shared, base, stride, v);
    pass<false, 8>(
        v, twiddle(ctx, transform, row + (place.block << (log2_inner - log2_block)) + now.block));
  }
}

/// The mirror image: v holds values in, and S times the coefficients t + r T out.
template <class Real, class Ctx>
FIRBANK_HD void inverse_inner(Ctx& ctx, const Transform<Real>& transform, const InnerPlace& place,
                              Complex<Real> (&v)[8]) {
  Complex<Real>* shared = ctx.template shared<Complex<Real>>();
  const std::uint32_t log2_inner = transform.log2_inner;
  const std::uint32_t log2_last = log2_after_first(log2_inner);
  const std::uint32_t first_row = outer_blocks_before(transform.outer);

  // Pass with blocks of 2^log2_block: its twiddles follow those of the longer blocks, which are
  // 2^(3 outer) for the first pass and 8 times as many from pass to pass after it.
  const std::uint32_t log2_outer = 3 * transform.outer;
  for (std::uint32_t log2_block = 3; log2_block <= log2_last; log2_block += 3) {
    const InnerPass now = inner_pass(place, log2_block);
    if (place.works) {
      const std::uint32_t passes = (log2_last - log2_block) / 3;
      const std::uint32_t row =
          first_row + (1U << log2_outer) +
          (outer_blocks_before(passes) << (log2_outer + log2_inner - log2_last));
      if (log2_block > 3) get(shared, now.base, now.stride, v);
      pass<true, 8>(
          v, twiddle(ctx, transform, row + (place.block << (log2_inner - log2_block)) + now.block));
      put(shared, now.base, now.stride, v);
    }
    ctx.sync();
  }
  if (!place.works) return;
  if (log2_last > 0) get(shared, place.shared + place.t, place.threads, v);
  first_pass<true>(log2_inner, v, twiddle(ctx, transform, first_row + place.block));
}

}  // namespace firbank::cuda
