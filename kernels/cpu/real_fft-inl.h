// The right-angle transform in Highway's vectors; arithmetic only. See transform_plan.hpp.

#if defined(FIRBANK_REAL_FFT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FIRBANK_REAL_FFT_INL_H
#undef FIRBANK_REAL_FFT_INL_H
#else
#define FIRBANK_REAL_FFT_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace firbank {
namespace HWY_NAMESPACE {
#if FIRBANK_SIMD_TARGET
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
struct Complex {
  hn::Vec<D> re;
  hn::Vec<D> im;
};

template <class D>
HWY_INLINE Complex<D> add(Complex<D> a, Complex<D> b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> sub(Complex<D> a, Complex<D> b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> add_i(Complex<D> a, Complex<D> b) {  // a + i b
  return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)};
}
template <class D>
HWY_INLINE Complex<D> sub_i(Complex<D> a, Complex<D> b) {  // a - i b
  return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)};
}
template <class D>
HWY_INLINE Complex<D> mul(Complex<D> a, Complex<D> w) {
  return {hn::MulSub(a.re, w.re, hn::Mul(a.im, w.im)), hn::MulAdd(a.re, w.im, hn::Mul(a.im, w.re))};
}
template <class D>
HWY_INLINE Complex<D> mul_conj(Complex<D> a, Complex<D> w) {  // a * conj(w)
  return {hn::MulAdd(a.re, w.re, hn::Mul(a.im, w.im)), hn::MulSub(a.im, w.re, hn::Mul(a.re, w.im))};
}

// Butterflies: y_k = sum_j x_j exp(+-2 pi i j k / R), + forward and - inverse.

template <bool kInverse, class D>
HWY_INLINE void butterfly4(Complex<D>& a, Complex<D>& b, Complex<D>& c, Complex<D>& e) {
  const Complex<D> s0 = add(a, c), d0 = sub(a, c), s1 = add(b, e), d1 = sub(b, e);
  a = add(s0, s1);
  c = sub(s0, s1);
  if constexpr (kInverse) {
    b = sub_i(d0, d1);
    e = add_i(d0, d1);
  } else {
    b = add_i(d0, d1);
    e = sub_i(d0, d1);
  }
}

template <bool kInverse, class D>
HWY_INLINE void butterfly8(Complex<D>* x) {
  const D d;
  Complex<D> e0 = x[0], e1 = x[2], e2 = x[4], e3 = x[6];
  Complex<D> o0 = x[1], o1 = x[3], o2 = x[5], o3 = x[7];
  butterfly4<kInverse>(e0, e1, e2, e3);
  butterfly4<kInverse>(o0, o1, o2, o3);
  const auto h = hn::Set(d, static_cast<hn::TFromD<D>>(0.70710678118654752440));
  x[0] = add(e0, o0);
  x[4] = sub(e0, o0);
  if constexpr (kInverse) {
    // w^-1 = (1 - i) h, w^-3 = (-1 - i) h
    const auto t1 = hn::Add(o1.re, o1.im), u1 = hn::Sub(o1.im, o1.re);
    const auto t3 = hn::Sub(o3.im, o3.re), u3 = hn::Add(o3.im, o3.re);
    x[1] = {hn::MulAdd(t1, h, e1.re), hn::MulAdd(u1, h, e1.im)};
    x[5] = {hn::NegMulAdd(t1, h, e1.re), hn::NegMulAdd(u1, h, e1.im)};
    x[2] = sub_i(e2, o2);
    x[6] = add_i(e2, o2);
    x[3] = {hn::MulAdd(t3, h, e3.re), hn::NegMulAdd(u3, h, e3.im)};
    x[7] = {hn::NegMulAdd(t3, h, e3.re), hn::MulAdd(u3, h, e3.im)};
  } else {
    // w = (1 + i) h, w^3 = (-1 + i) h
    const auto t1 = hn::Sub(o1.re, o1.im), u1 = hn::Add(o1.re, o1.im);
    const auto t3 = hn::Add(o3.re, o3.im), u3 = hn::Sub(o3.re, o3.im);
    x[1] = {hn::MulAdd(t1, h, e1.re), hn::MulAdd(u1, h, e1.im)};
    x[5] = {hn::NegMulAdd(t1, h, e1.re), hn::NegMulAdd(u1, h, e1.im)};
    x[2] = add_i(e2, o2);
    x[6] = sub_i(e2, o2);
    x[3] = {hn::NegMulAdd(t3, h, e3.re), hn::MulAdd(u3, h, e3.im)};
    x[7] = {hn::MulAdd(t3, h, e3.re), hn::NegMulAdd(u3, h, e3.im)};
  }
}

template <int R, bool kInverse, class D>
HWY_INLINE void butterfly(Complex<D>* x) {
  if constexpr (R == 2) {
    const Complex<D> sum = add(x[0], x[1]);
    x[1] = sub(x[0], x[1]);
    x[0] = sum;
  } else if constexpr (R == 4) {
    butterfly4<kInverse>(x[0], x[1], x[2], x[3]);
  } else if constexpr (R == 8) {
    butterfly8<kInverse>(x);
  }
}

// Transpositions of neighbouring vectors; each is its own inverse.

template <int R, class D, class V = hn::Vec<D>>
HWY_INLINE void transpose_blocks(D d, V* v) {
  if constexpr (R == 2) {
    const V low = hn::ConcatLowerLower(d, v[1], v[0]);
    v[1] = hn::ConcatUpperUpper(d, v[1], v[0]);
    v[0] = low;
  } else if constexpr (R == 4) {
#if HWY_TARGET <= HWY_AVX3
    const V t0 = hn::ConcatLowerLower(d, v[1], v[0]), t1 = hn::ConcatUpperUpper(d, v[1], v[0]);
    const V t2 = hn::ConcatLowerLower(d, v[3], v[2]), t3 = hn::ConcatUpperUpper(d, v[3], v[2]);
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
      v[0] = V{_mm512_shuffle_f32x4(t0.raw, t2.raw, 0x88)};
      v[1] = V{_mm512_shuffle_f32x4(t0.raw, t2.raw, 0xDD)};
      v[2] = V{_mm512_shuffle_f32x4(t1.raw, t3.raw, 0x88)};
      v[3] = V{_mm512_shuffle_f32x4(t1.raw, t3.raw, 0xDD)};
    } else {
      v[0] = V{_mm512_shuffle_f64x2(t0.raw, t2.raw, 0x88)};
      v[1] = V{_mm512_shuffle_f64x2(t0.raw, t2.raw, 0xDD)};
      v[2] = V{_mm512_shuffle_f64x2(t1.raw, t3.raw, 0x88)};
      v[3] = V{_mm512_shuffle_f64x2(t1.raw, t3.raw, 0xDD)};
    }
#endif
  }
}

template <int R, class D, class V = hn::Vec<D>>
HWY_INLINE void transpose_lanes(D d, V* v) {
  if constexpr (R == 2) {
    const V low = hn::InterleaveLower(d, v[0], v[1]);
    v[1] = hn::InterleaveUpper(d, v[0], v[1]);
    v[0] = low;
  } else if constexpr (R == 4) {
    const hn::RepartitionToWide<D> wide;
    const auto t0 = hn::BitCast(wide, hn::InterleaveLower(d, v[0], v[1]));
    const auto t1 = hn::BitCast(wide, hn::InterleaveUpper(d, v[0], v[1]));
    const auto t2 = hn::BitCast(wide, hn::InterleaveLower(d, v[2], v[3]));
    const auto t3 = hn::BitCast(wide, hn::InterleaveUpper(d, v[2], v[3]));
    v[0] = hn::BitCast(d, hn::InterleaveLower(wide, t0, t2));
    v[1] = hn::BitCast(d, hn::InterleaveUpper(wide, t0, t2));
    v[2] = hn::BitCast(d, hn::InterleaveLower(wide, t1, t3));
    v[3] = hn::BitCast(d, hn::InterleaveUpper(wide, t1, t3));
  }
}

/// All passes of one plan shape: vectors of D, `kSpread` of them to a plane of the spectrum.
template <class D, std::size_t kSpread>
class Transform {
  using S = hn::TFromD<D>;
  using C = Complex<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  static constexpr std::size_t kPlane = kLanes * kSpread;
  static constexpr int kLaneRadix = kLanes == 1 ? 1 : static_cast<int>(16 / sizeof(S));
  static constexpr int kBlockRadix = static_cast<int>(kLanes) / kLaneRadix;
  static constexpr int kGroup = kBlockRadix > kLaneRadix ? kBlockRadix : kLaneRadix;
  // Complex vectors of twiddles in a group's tail.
  static constexpr int kTailSteps =
      (kGroup / kBlockRadix) * (kBlockRadix - 1) + (kGroup / kLaneRadix) * (kLaneRadix - 1);

 public:
  using Plan = TransformPlan<S>;

  Transform(const Plan& plan, S* work, S* spectrum, std::size_t chunk_stride)
      : plan_(plan), work_(work), spectrum_(spectrum), chunk_stride_(chunk_stride) {}

  HWY_INLINE void forward(const S* older, const S* newer, std::size_t first_step,
                          std::size_t last_step) {
    if (!plan_.whole_passes || last_step - first_step < plan_.pass_count) {
      return forward_steps(*this, older, newer, first_step, last_step);
    }
    forward_pass<true>({0, 0, 1, 0, plan_.passes[0].stride}, older, newer);
    for (std::size_t p = 1; p < plan_.pass_count; ++p) {
      forward_pass<false>(all_of(p), nullptr, nullptr);
    }
  }

  // In place on `work_`; `older` is null where only the newest half is wanted.
  HWY_INLINE void inverse(S* older, S* newer, std::size_t first_step, std::size_t last_step) {
    if (!plan_.whole_passes || last_step - first_step < plan_.pass_count) {
      return inverse_steps(*this, older, newer, first_step, last_step);
    }
    for (std::size_t p = plan_.pass_count - 1; p > 0; --p) {
      inverse_pass<Output::kWork>(all_of(p), nullptr, nullptr);
    }
    if (older == nullptr) {
      inverse_pass<Output::kNewer>({0, 0, 1, 0, plan_.passes[0].stride}, nullptr, newer);
    } else {
      inverse_pass<Output::kBoth>({0, 0, 1, 0, plan_.passes[0].stride}, older, newer);
    }
  }

 private:
  using Step = typename Plan::Step;
  enum class Output { kWork, kNewer, kBoth };

  HWY_INLINE Step all_of(std::size_t pass) const {
    return {pass, 0, plan_.passes[pass].blocks, 0, plan_.passes[pass].stride};
  }

  static HWY_INLINE std::size_t offset(std::size_t vector) {
    return vector / kSpread * (2 * kPlane) + vector % kSpread * kLanes;
  }
  static HWY_INLINE C load(const S* data, std::size_t vector) {
    const D d;
    const S* at = data + offset(vector);
    return {hn::Load(d, at), hn::Load(d, at + kPlane)};
  }
  static HWY_INLINE void store(C x, S* data, std::size_t vector) {
    const D d;
    S* at = data + offset(vector);
    hn::Store(x.re, d, at);
    hn::Store(x.im, d, at + kPlane);
  }
  HWY_INLINE void store_spectrum(C x, std::size_t vector) const {
    const D d;
    const std::size_t plane = vector / kSpread;
    S* at = spectrum_ + plane / 4 * chunk_stride_ + plane % 4 * (2 * kPlane) +
            vector % kSpread * kLanes;
    hn::Store(x.re, d, at);
    hn::Store(x.im, d, at + kPlane);
  }
  static HWY_INLINE C broadcast(const S* twiddle) {
    const D d;
    return {hn::Set(d, twiddle[0]), hn::Set(d, twiddle[1])};
  }
  static HWY_INLINE C load_twiddle(const S* twiddle) {
    const D d;
    return {hn::Load(d, twiddle), hn::Load(d, twiddle + kLanes)};
  }

  static HWY_INLINE void transpose_blocks_of(C* x) {
    const D d;
    hn::Vec<D> plane[kBlockRadix];
    for (int j = 0; j < kBlockRadix; ++j) plane[j] = x[j].re;
    transpose_blocks<kBlockRadix>(d, plane);
    for (int j = 0; j < kBlockRadix; ++j) x[j].re = plane[j];
    for (int j = 0; j < kBlockRadix; ++j) plane[j] = x[j].im;
    transpose_blocks<kBlockRadix>(d, plane);
    for (int j = 0; j < kBlockRadix; ++j) x[j].im = plane[j];
  }
  static HWY_INLINE void transpose_lanes_of(C* x) {
    const D d;
    hn::Vec<D> plane[kLaneRadix];
    for (int j = 0; j < kLaneRadix; ++j) plane[j] = x[j].re;
    transpose_lanes<kLaneRadix>(d, plane);
    for (int j = 0; j < kLaneRadix; ++j) x[j].re = plane[j];
    for (int j = 0; j < kLaneRadix; ++j) plane[j] = x[j].im;
    transpose_lanes<kLaneRadix>(d, plane);
    for (int j = 0; j < kLaneRadix; ++j) x[j].im = plane[j];
  }

  static HWY_INLINE void tail_forward(C* x, const S* twiddle) {
    if constexpr (kBlockRadix > 1) {
      HWY_UNROLL(8)
      for (int set = 0; set < kGroup; set += kBlockRadix) {
        transpose_blocks_of(x + set);
        for (int j = 1; j < kBlockRadix; ++j, twiddle += 2 * kLanes) {
          x[set + j] = mul(x[set + j], load_twiddle(twiddle));
        }
        butterfly<kBlockRadix, false>(x + set);
      }
    }
    HWY_UNROLL(8)
    for (int set = 0; set < kGroup; set += kLaneRadix) {
      transpose_lanes_of(x + set);
      for (int j = 1; j < kLaneRadix; ++j, twiddle += 2 * kLanes) {
        x[set + j] = mul(x[set + j], load_twiddle(twiddle));
      }
      butterfly<kLaneRadix, false>(x + set);
    }
  }

  static HWY_INLINE void tail_inverse(C* x, const S* twiddle) {
    const S* lane_twiddle =
        twiddle + 2 * kLanes * static_cast<std::size_t>((kGroup / kBlockRadix) * (kBlockRadix - 1));
    HWY_UNROLL(8)
    for (int set = 0; set < kGroup; set += kLaneRadix) {
      butterfly<kLaneRadix, true>(x + set);
      for (int j = 1; j < kLaneRadix; ++j, lane_twiddle += 2 * kLanes) {
        x[set + j] = mul_conj(x[set + j], load_twiddle(lane_twiddle));
      }
      transpose_lanes_of(x + set);
    }
    if constexpr (kBlockRadix > 1) {
      HWY_UNROLL(8)
      for (int set = 0; set < kGroup; set += kBlockRadix) {
        butterfly<kBlockRadix, true>(x + set);
        for (int j = 1; j < kBlockRadix; ++j, twiddle += 2 * kLanes) {
          x[set + j] = mul_conj(x[set + j], load_twiddle(twiddle));
        }
        transpose_blocks_of(x + set);
      }
    }
  }

  /// Radix R; what a butterfly joins lies `stride` vectors apart.
  template <int R, bool kFirst>
  HWY_INLINE void vertical_forward(Step step, const S* older, const S* newer) {
    const D d;
    const std::size_t stride = plan_.passes[step.pass].stride;
    const S* twiddle = plan_.passes[step.pass].twiddle.data() + step.first_block * 2 * (R - 1);
    std::size_t start = step.first_block * R * stride;
    for (std::size_t b = 0; b < step.blocks; ++b, twiddle += 2 * (R - 1), start += R * stride) {
      C w[R];
      HWY_UNROLL(8)
      for (int j = 1; j < R; ++j) w[j] = broadcast(twiddle + 2 * (j - 1));
      for (std::size_t n = start + step.first_column; n < start + step.last_column; ++n) {
        C x[R];
        HWY_UNROLL(8)
        for (int j = 0; j < R; ++j) {
          const std::size_t v = n + static_cast<std::size_t>(j) * stride;
          if constexpr (kFirst) {
            x[j] = {hn::LoadU(d, older + v * kLanes), hn::LoadU(d, newer + v * kLanes)};
          } else {
            x[j] = load(work_, v);
          }
          if (j > 0) x[j] = mul(x[j], w[j]);
        }
        butterfly<R, false>(x);
        HWY_UNROLL(8)
        for (int j = 0; j < R; ++j) store(x[j], work_, n + static_cast<std::size_t>(j) * stride);
      }
    }
  }

  /// The last radix (stride 1) and the tail, straight into the spectrum.
  template <int R, bool kFirst>
  HWY_INLINE void last_forward(Step step, const S* older, const S* newer) {
    const D d;
    const S* twiddle = plan_.passes[step.pass].twiddle.data() + step.first_block * 2 * (R - 1);
    for (std::size_t b = step.first_block; b < step.first_block + step.blocks;
         ++b, twiddle += 2 * (R - 1)) {
      C x[R];
      HWY_UNROLL(8)
      for (int j = 0; j < R; ++j) {
        const std::size_t v = b * R + static_cast<std::size_t>(j);
        if constexpr (kFirst) {
          x[j] = {hn::LoadU(d, older + v * kLanes), hn::LoadU(d, newer + v * kLanes)};
        } else {
          x[j] = load(work_, v);
        }
        if (j > 0) x[j] = mul(x[j], broadcast(twiddle + 2 * (j - 1)));
      }
      butterfly<R, false>(x);
      if constexpr (kLanes > 1) {
        HWY_UNROLL(8)
        for (int g = 0; g + kGroup <= R; g += kGroup) tail_forward(x + g, tail_of(b * R + g));
      }
      HWY_UNROLL(8)
      for (int j = 0; j < R; ++j) store_spectrum(x[j], b * R + static_cast<std::size_t>(j));
    }
  }

  template <int R, Output kOutput>
  static HWY_INLINE void emit(const C* x, const C* w, S* work, S* older, S* newer,
                              std::size_t vector, std::size_t stride) {
    const D d;
    HWY_UNROLL(8)
    for (int j = 0; j < R; ++j) {
      const std::size_t v = vector + static_cast<std::size_t>(j) * stride;
      if constexpr (kOutput == Output::kNewer) {
        const auto im = j == 0 ? x[0].im : hn::MulSub(x[j].im, w[j].re, hn::Mul(x[j].re, w[j].im));
        hn::StoreU(im, d, newer + v * kLanes);
      } else {
        const C y = j == 0 ? x[0] : mul_conj(x[j], w[j]);
        if constexpr (kOutput == Output::kWork) {
          store(y, work, v);
        } else {
          hn::StoreU(y.re, d, older + v * kLanes);
          hn::StoreU(y.im, d, newer + v * kLanes);
        }
      }
    }
  }

  template <int R, Output kOutput>
  HWY_INLINE void vertical_inverse(Step step, S* older, S* newer) {
    const std::size_t stride = plan_.passes[step.pass].stride;
    const S* twiddle = plan_.passes[step.pass].twiddle.data() + step.first_block * 2 * (R - 1);
    std::size_t start = step.first_block * R * stride;
    for (std::size_t b = 0; b < step.blocks; ++b, twiddle += 2 * (R - 1), start += R * stride) {
      C w[R];
      HWY_UNROLL(8)
      for (int j = 1; j < R; ++j) w[j] = broadcast(twiddle + 2 * (j - 1));
      for (std::size_t n = start + step.first_column; n < start + step.last_column; ++n) {
        C x[R];
        HWY_UNROLL(8)
        for (int j = 0; j < R; ++j) x[j] = load(work_, n + static_cast<std::size_t>(j) * stride);
        butterfly<R, true>(x);
        emit<R, kOutput>(x, w, work_, older, newer, n, stride);
      }
    }
  }

  template <int R, Output kOutput>
  HWY_INLINE void last_inverse(Step step, S* older, S* newer) {
    const S* twiddle = plan_.passes[step.pass].twiddle.data() + step.first_block * 2 * (R - 1);
    for (std::size_t b = step.first_block; b < step.first_block + step.blocks;
         ++b, twiddle += 2 * (R - 1)) {
      C x[R];
      HWY_UNROLL(8)
      for (int j = 0; j < R; ++j) x[j] = load(work_, b * R + static_cast<std::size_t>(j));
      if constexpr (kLanes > 1) {
        HWY_UNROLL(8)
        for (int g = 0; g + kGroup <= R; g += kGroup) tail_inverse(x + g, tail_of(b * R + g));
      }
      butterfly<R, true>(x);
      C w[R];
      HWY_UNROLL(8)
      for (int j = 1; j < R; ++j) w[j] = broadcast(twiddle + 2 * (j - 1));
      emit<R, kOutput>(x, w, work_, older, newer, b * R, 1);
    }
  }

  HWY_INLINE const S* tail_of(std::size_t vector) const {
    return plan_.tail.data() + vector / kGroup * (2 * kLanes * kTailSteps);
  }

  template <bool kFirst>
  HWY_INLINE void forward_pass(Step step, const S* older, const S* newer) {
    const bool last = step.pass + 1 == plan_.pass_count;
    switch (plan_.passes[step.pass].radix) {
      case 2:
        return last ? last_forward<2, kFirst>(step, older, newer)
                    : vertical_forward<2, kFirst>(step, older, newer);
      case 4:
        return last ? last_forward<4, kFirst>(step, older, newer)
                    : vertical_forward<4, kFirst>(step, older, newer);
      default:
        return last ? last_forward<8, kFirst>(step, older, newer)
                    : vertical_forward<8, kFirst>(step, older, newer);
    }
  }

  template <Output kOutput>
  HWY_INLINE void inverse_pass(Step step, S* older, S* newer) {
    const bool last = step.pass + 1 == plan_.pass_count;
    switch (plan_.passes[step.pass].radix) {
      case 2:
        return last ? last_inverse<2, kOutput>(step, older, newer)
                    : vertical_inverse<2, kOutput>(step, older, newer);
      case 4:
        return last ? last_inverse<4, kOutput>(step, older, newer)
                    : vertical_inverse<4, kOutput>(step, older, newer);
      default:
        return last ? last_inverse<8, kOutput>(step, older, newer)
                    : vertical_inverse<8, kOutput>(step, older, newer);
    }
  }

  // `self` is a copy, which may live in registers.
  static HWY_NOINLINE void forward_steps(Transform self, const S* older, const S* newer,
                                         std::size_t first_step, std::size_t last_step) {
    for (std::size_t s = first_step; s < last_step; ++s) {
      const Step& step = self.plan_.steps[s];
      if (step.pass == 0) {
        self.forward_pass<true>(step, older, newer);
      } else {
        self.forward_pass<false>(step, nullptr, nullptr);
      }
    }
  }

  static HWY_NOINLINE void inverse_steps(Transform self, S* older, S* newer, std::size_t first_step,
                                         std::size_t last_step) {
    for (std::size_t s = first_step; s < last_step; ++s) {
      const Step& step = self.plan_.steps[self.plan_.steps.size() - 1 - s];
      if (step.pass > 0) {
        self.inverse_pass<Output::kWork>(step, nullptr, nullptr);
      } else if (older == nullptr) {
        self.inverse_pass<Output::kNewer>(step, nullptr, newer);
      } else {
        self.inverse_pass<Output::kBoth>(step, older, newer);
      }
    }
  }

  const Plan& plan_;
  S* work_;
  S* spectrum_;
  std::size_t chunk_stride_;
};

/// A part of a whole vector, for sizes too small for more.
template <class S, std::size_t kDivide>
using PartTag = hn::CappedTag<S, (hn::MaxLanes(hn::ScalableTag<S>()) > kDivide)
                                     ? hn::MaxLanes(hn::ScalableTag<S>()) / kDivide
                                     : 1>;

/// Runs `task` with the Transform of the plan's shape: one of the few that TransformPlan chooses.
template <class S, class Task>
HWY_INLINE void with_shape_of(const TransformPlan<S>& plan, const Task& task) {
  constexpr std::size_t kFull = hn::MaxLanes(hn::ScalableTag<S>());
  constexpr std::size_t kBlock = 16 / sizeof(S);
  if (plan.lanes == kFull) return task.template run<Transform<hn::ScalableTag<S>, 1>>();
  if constexpr (kFull >= 2 * kBlock) {
    if (plan.lanes == kFull / 2) return task.template run<Transform<PartTag<S, 2>, 2>>();
  }
  if constexpr (kFull >= 4 * kBlock && kBlock > 2) {
    if (plan.lanes == kFull / 4) return task.template run<Transform<PartTag<S, 4>, 4>>();
  }
  if constexpr (kBlock > 2) {
    task.template run<Transform<hn::CappedTag<S, 1>, (kFull < 8 ? kFull : 8)>>();
  }
}

template <class S>
struct ForwardTask {
  template <class Shape>
  HWY_INLINE void run() const {
    Shape(plan, work, spectrum, chunk_stride).forward(older, newer, first_step, last_step);
  }
  const TransformPlan<S>& plan;
  const S* older;
  const S* newer;
  S* work;
  S* spectrum;
  std::size_t chunk_stride;
  std::size_t first_step;
  std::size_t last_step;
};

template <class S>
struct InverseTask {
  template <class Shape>
  HWY_INLINE void run() const {
    Shape(plan, spectrum, nullptr, 0).inverse(older, newer, first_step, last_step);
  }
  const TransformPlan<S>& plan;
  S* spectrum;
  S* older;
  S* newer;
  std::size_t first_step;
  std::size_t last_step;
};

template <class S>
void forward(const TransformPlan<S>& plan, const S* older, const S* newer, S* work, S* spectrum,
             std::size_t chunk_stride, std::size_t first_step, std::size_t last_step) noexcept {
  with_shape_of(plan, ForwardTask<S>{plan, older, newer, work, spectrum, chunk_stride, first_step,
                                     last_step});
}

template <class S>
void inverse_both(const TransformPlan<S>& plan, S* spectrum, S* older, S* newer,
                  std::size_t first_step, std::size_t last_step) noexcept {
  with_shape_of(plan, InverseTask<S>{plan, spectrum, older, newer, first_step, last_step});
}

template <class S>
void inverse(const TransformPlan<S>& plan, S* spectrum, S* newer, std::size_t first_step,
             std::size_t last_step) noexcept {
  inverse_both<S>(plan, spectrum, nullptr, newer, first_step, last_step);
}

template <class S>
const RealFft<S>* real_fft_kernel() noexcept {
  static constexpr RealFft<S> kKernel = {
      {hn::MaxLanes(hn::ScalableTag<S>()),
       // A radix-8 butterfly wants more than sixteen registers.
       HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON ? 8u : 4u, 16 / sizeof(S)},
      &forward<S>,
      &inverse<S>,
      &inverse_both<S>};
  return &kKernel;
}
#endif  // FIRBANK_SIMD_TARGET
}  // namespace HWY_NAMESPACE
}  // namespace firbank
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
