// Set-up: spectra of the partitions of responses.
#pragma once

#include <cstdint>

#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/real_fft.cuh"

namespace firbank::cuda {

/// Tap n of spectrum s, scaled, where there is one.
template <class Real, class Ctx>
FIRBANK_HD Real scaled_tap(Ctx& ctx, const LoadParams<Real>& params, std::uint32_t s,
                           std::uint32_t n) {
  const std::uint64_t tap = static_cast<std::uint64_t>(s) * params.hop + n;
  if (n >= params.hop || tap >= params.taps_count) return 0;
  return ctx.load(params.taps + tap) * params.scale;
}

/// Coefficient n of spectrum s: taps n and M + n.
template <class Real, class Ctx>
FIRBANK_HD Complex<Real> tap_coefficient(Ctx& ctx, const LoadParams<Real>& params, std::uint32_t s,
                                         std::uint32_t n) {
  return {scaled_tap(ctx, params, s, n),
          scaled_tap(ctx, params, s, n + (1U << params.transform.log2_bins))};
}

template <class Real>
FIRBANK_HD Complex<Real>* loaded_spectrum(const LoadParams<Real>& params, std::uint32_t s) {
  return params.spectra + (static_cast<std::uint64_t>(s) << params.transform.log2_bins);
}

/// An outer pass, in the place of the spectra.
template <class Real, class Ctx>
FIRBANK_HD void load_outer_body(Ctx& ctx, const LoadParams<Real>& params) {
  const std::uint32_t item = first_item(ctx);
  if (item >> (params.transform.log2_bins - 3) >= params.count) return;
  const OuterPlace place = outer_place(params.transform, item, params.outer_pass);
  Complex<Real>* spectrum = loaded_spectrum(params, place.transform) + place.first;
  Complex<Real> v[8];
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    v[r] = params.outer_pass == 0
               ? tap_coefficient(ctx, params, place.transform, place.first + r * place.stride)
               : ctx.load_coherent(spectrum + r * place.stride);
  }
  outer_butterfly<false>(ctx, params.transform, place, params.outer_pass, v);
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) ctx.store(spectrum + r * place.stride, v[r]);
}

template <class Real, class Ctx>
FIRBANK_HD void load_body(Ctx& ctx, const LoadParams<Real>& params) {
  const InnerPlace place = inner_place(params.transform, ctx.block_x(), params.count, ctx.thread());
  Complex<Real>* spectrum = loaded_spectrum(params, place.transform) + place.first;
  Complex<Real> v[8] = {};
  if (place.works) {
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) {
      v[r] = params.transform.outer == 0
                 ? tap_coefficient(ctx, params, place.transform, place.first + r * place.threads)
                 : ctx.load_coherent(spectrum + r * place.threads);
    }
  }
  forward_inner(ctx, params.transform, place, v);
  if (!place.works) return;
  const std::uint32_t others = (1U << params.log2_run) - 1;  // of a run
  spectrum += others * place.t;
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    ctx.store(spectrum + (r & ~others) * place.threads + (r & others), v[r]);
  }
}

}  // namespace firbank::cuda
