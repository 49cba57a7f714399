// Overlap-save in one kernel, where a level has a single partition and each output hears one input
// at the most: an input's window to its spectrum, which stays in registers; and then, for each of
// some outputs that hear it, the product with the output's response, and back to frames. Device
// memory gives the window once and takes the frames; nothing lies there between the two.
#pragma once

#include <cstdint>

#include "kernels/cuda/compact.cuh"
#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/overlap.cuh"
#include "kernels/cuda/real_fft.cuh"
#include "kernels/cuda/spectral_mac.cuh"

namespace firbank::cuda {

/// The multiples of a group, which has one scale.
struct alignas(16) MultipleGroup {
  Multiple bin[kGroupBins];
};

/// v[r] = x[r] times bin r of a thread's own in spectrum `response`, which is read 16 bytes at a
/// time (kConvolveRun).
template <bool kCompact, class Real, class Ctx>
FIRBANK_HD void meet_response(Ctx& ctx, const Bank<Real>& bank, std::uint32_t response,
                              const InnerPlace& place, const Complex<Real> (&x)[8],
                              Complex<Real> (&v)[8]) {
  const std::uint64_t spectrum = static_cast<std::uint64_t>(response) * bank.bins;
  if constexpr (kCompact) {
    constexpr unsigned kRun = kConvolveRun<Multiple>;
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; r += kRun) {
      const std::uint64_t at = spectrum + r * place.threads + kRun * place.t;
      const MultipleGroup group =
          ctx.load(reinterpret_cast<const MultipleGroup*>(bank.multiples + at));
      const float scale = scale_value(ctx.load(bank.scales + at / kGroupBins));
      FIRBANK_UNROLL
      for (unsigned i = 0; i < kRun; ++i) v[r + i] = x[r + i] * value_of(group.bin[i], scale);
    }
  } else {
    constexpr unsigned kRun = kConvolveRun<Complex<Real>>;
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; r += kRun) {
      const std::uint64_t at = spectrum + r * place.threads + kRun * place.t;
      const Bins<Real> run = ctx.load(as_bins(bank.responses + at));
      FIRBANK_UNROLL
      for (unsigned i = 0; i < kRun; ++i) v[r + i] = x[r + i] * run.bin[i];
    }
  }
}

/// One of an item's outputs: its response met by the input's spectrum x.
template <class Real, class Ctx>
FIRBANK_HD void meet_listener(Ctx& ctx, const Bank<Real>& bank, const Listener& listener,
                              const InnerPlace& place, const Complex<Real> (&x)[8],
                              Complex<Real> (&v)[8]) {
  if (listener.response == kNone) return;
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (bank.multiples != nullptr) {
      return meet_response<true>(ctx, bank, listener.response, place, x, v);
    }
  }
  meet_response<false>(ctx, bank, listener.response, place, x, v);
}

/// A thread block has as many items as it has inner transforms at a time, and does an output of
/// each in turns; the first of them has the most.
template <class Real, class Ctx>
FIRBANK_HD void convolve_body(Ctx& ctx, const ConvolveParams<Real>& params) {
  const Transform<Real>& transform = params.forward.transform;
  const InnerPlace place = inner_place(transform, ctx.block_x(), params.items, ctx.thread());
  ConvolveItem item{kNone, 0, 0, 0};
  if (place.works) item = ctx.load(params.item + place.transform);
  Complex<Real> spectrum[8] = {};
  if (item.input != kNone) {
    Window<Real> window = window_of(ctx, params.forward, item.input);
    window.stays = item.keeps != 0;
    take_coefficients(ctx, window, place.first, place.threads, spectrum);
  }
  const Range outputs = ctx.load(&params.render.current->outputs);
  if (outputs.first == outputs.last) return;
  forward_inner(ctx, transform, place, spectrum);

  const ConvolveItem* first = params.item + std::uint64_t{ctx.block_x()} * transform.batch;
  const std::uint32_t turns = ctx.load(&first->listeners);
  for (std::uint32_t turn = 0; turn < turns; ++turn) {
    // What a thread reads last of the forward it overwrites first itself.
    if (turn > 0) ctx.sync();  // shared memory has been read
    InnerPlace now = place;
    now.works = place.works && turn < item.listeners;
    Listener listener{0, kNone};
    if (now.works) listener = ctx.load(params.listener + item.first + turn);
    Complex<Real> v[8] = {};
    if (now.works) meet_listener(ctx, params.render.bank, listener, place, spectrum, v);
    inverse_inner(ctx, transform, now, v);
    if (now.works) store_frames(ctx, params.render, listener.output, place.first, place.threads, v);
  }
  tell_rendered(ctx, params.render);
}

/// What is asked of the same inputs while nobody is heard: their fresh samples go into the rings.
template <class Real, class Ctx>
FIRBANK_HD void listen_body(Ctx& ctx, const ForwardParams<Real>& params) {
  const Range inputs = ctx.load(&params.current->inputs);
  const Range fresh = ctx.load(&params.current->fresh);
  const std::uint32_t frames = fresh.last - fresh.first;
  const std::uint64_t items = static_cast<std::uint64_t>(inputs.last - inputs.first) * frames;
  for (std::uint64_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const Window<Real> window =
        window_of(ctx, params, inputs.first + static_cast<std::uint32_t>(item / frames));
    const std::uint32_t frame = fresh.first + static_cast<std::uint32_t>(item % frames);
    keep_frame(ctx, window, frame, frame_of(ctx, window, frame));
  }
}

}  // namespace firbank::cuda
