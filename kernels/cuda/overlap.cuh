// Overlap-save on the device: windows of the input to spectra, and sums of spectra to output
// frames.
//
// Samples that come from staging slots, and answers that go there, may cross the bus, where what a
// warp asks for at once travels in lines of 128 bytes, or in smaller pieces at a fraction of the
// rate (Min et al., "EMOGI", PVLDB 14(2), 2020). The threads of a short transform are too few to
// meet a line each, but in a slot the samples of all inputs and of all outputs follow one another:
// a thread block then brings those of all its transforms by way of shared memory.
#pragma once

#include <cstdint>

#include "kernels/cuda/command.cuh"
#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/real_fft.cuh"
#include "kernels/cuda/spectral_mac.cuh"

namespace firbank::cuda {

inline constexpr std::uint32_t kLineBytes = 128;
/// Loads that a thread asks for before it looks at the first one, since over the bus each of them
/// takes a microsecond or more.
inline constexpr std::uint32_t kLoadsAhead = 8;

/// Whether the threads of an inner transform are too few to meet a line each.
template <class Real>
FIRBANK_HD bool shares_lines(const Transform<Real>& transform) {
  return (sizeof(Real) << (transform.log2_inner - 3)) < kLineBytes;
}

/// Two narrow samples.
struct alignas(4) NarrowPair {
  std::int16_t sample[2];
};

/// The window of one input that a command transforms: 2 M frames, the older half first.
template <class Real>
struct Window {
  Real* ring;
  std::uint32_t mask;    // ring frames - 1
  std::uint32_t first;   // in the ring
  std::uint32_t silent;  // of the window, like all that follows
  Range fresh;
  const Real* fresh_samples;           // the first of them, or
  const std::int16_t* narrow_samples;  // of them, where they are narrow; else null
  const Real* gathered;                // of them, in shared memory and in the ring; or null
  bool stays;                          // fresh frames go into the ring
};

template <class Real, class Ctx>
FIRBANK_HD Window<Real> window_of(Ctx& ctx, const ForwardParams<Real>& params,
                                  std::uint32_t input) {
  const std::uint32_t slot = ctx.load(&params.current->stage_in);
  Window<Real> window;
  window.ring = params.rings + static_cast<std::uint64_t>(input) * params.ring_frames;
  window.mask = params.ring_frames - 1;
  window.first = ctx.load(&params.current->window);
  window.silent = ctx.load(&params.current->silent);
  window.fresh = ctx.load(&params.current->fresh);
  const Real* const staged = params.stage_in + ((static_cast<std::uint64_t>(slot) * params.inputs)
                                                << (params.transform.log2_bins + 1));
  const std::uint64_t before =
      static_cast<std::uint64_t>(input) * (window.fresh.last - window.fresh.first);
  const bool is_narrow = ctx.load(&params.current->narrow) != 0;
  window.fresh_samples = staged + before;
  window.narrow_samples =
      is_narrow ? reinterpret_cast<const std::int16_t*>(staged) + before : nullptr;
  window.gathered = nullptr;
  window.stays = true;
  return window;
}

template <class Real>
FIRBANK_HD Real widened(std::int16_t narrow) {
  return static_cast<Real>(narrow) * static_cast<Real>(kNarrowScale);
}

/// Puts the fresh samples of `inputs` inputs, the first of which has `window`, into shared memory
/// one after another, and into their rings. All threads of the thread block come here.
template <class Real, class Ctx>
FIRBANK_HD void gather_fresh(Ctx& ctx, const Window<Real>& window, std::uint32_t inputs) {
  Real* const shared = ctx.template shared<Real>();
  const std::uint32_t count = window.fresh.last - window.fresh.first;
  const std::uint32_t samples = inputs * count;
  const auto take = [&](std::uint32_t i, Real sample) {
    shared[i] = sample;
    const std::uint64_t input = i / count;
    const std::uint32_t frame = window.first + window.fresh.first + i % count;
    ctx.store(window.ring + input * (window.mask + 1) + (frame & window.mask), sample);
  };
  if (window.narrow_samples == nullptr) {
    for (std::uint32_t i = ctx.thread(); i < samples; i += kLoadsAhead * ctx.threads()) {
      Real sample[kLoadsAhead] = {};
      FIRBANK_UNROLL
      for (std::uint32_t a = 0; a < kLoadsAhead; ++a) {
        const std::uint32_t n = i + a * ctx.threads();
        if (n < samples) sample[a] = ctx.load(window.fresh_samples + n);
      }
      FIRBANK_UNROLL
      for (std::uint32_t a = 0; a < kLoadsAhead; ++a) {
        const std::uint32_t n = i + a * ctx.threads();
        if (n < samples) take(n, sample[a]);
      }
    }
  } else {
    // In pairs, as half a line would be asked for otherwise; the first one may begin too early.
    const auto address = reinterpret_cast<std::uintptr_t>(window.narrow_samples);
    const auto early = static_cast<std::uint32_t>(address / sizeof(std::int16_t) % 2);
    const auto* pairs = reinterpret_cast<const NarrowPair*>(window.narrow_samples - early);
    const std::uint32_t all = (samples + early + 1) / 2;
    for (std::uint32_t p = ctx.thread(); p < all; p += kLoadsAhead * ctx.threads()) {
      NarrowPair pair[kLoadsAhead] = {};
      FIRBANK_UNROLL
      for (std::uint32_t a = 0; a < kLoadsAhead; ++a) {
        const std::uint32_t n = p + a * ctx.threads();
        if (n < all) pair[a] = ctx.load(pairs + n);
      }
      FIRBANK_UNROLL
      for (std::uint32_t a = 0; a < kLoadsAhead; ++a) {
        FIRBANK_UNROLL
        for (std::uint32_t k = 0; k < 2; ++k) {
          // Beyond all samples where it is too early.
          const std::uint32_t i = 2 * (p + a * ctx.threads()) + k - early;
          if (i < samples) take(i, widened<Real>(pair[a].sample[k]));
        }
      }
    }
  }
  ctx.sync();
}

/// One frame of the window. Each of those that are fresh is asked for once.
template <class Real, class Ctx>
FIRBANK_HD Real frame_of(Ctx& ctx, const Window<Real>& window, std::uint32_t frame) {
  if (frame < window.silent || frame >= window.fresh.last) return 0;
  if (frame < window.fresh.first) {
    return ctx.load(window.ring + ((window.first + frame) & window.mask));
  }
  const std::uint32_t n = frame - window.fresh.first;
  if (window.gathered != nullptr) return window.gathered[n];
  return window.narrow_samples != nullptr ? widened<Real>(ctx.load(window.narrow_samples + n))
                                          : ctx.load(window.fresh_samples + n);
}

/// Puts it into the ring when it is fresh and stays, and is not there yet.
template <class Real, class Ctx>
FIRBANK_HD void keep_frame(Ctx& ctx, const Window<Real>& window, std::uint32_t frame, Real sample) {
  if (!window.stays || window.gathered != nullptr) return;
  if (frame < window.silent || frame < window.fresh.first || frame >= window.fresh.last) return;
  ctx.store(window.ring + ((window.first + frame) & window.mask), sample);
}

/// Coefficients n + r stride of the window's polynomial; the newer half begins at 8 stride = M. All
/// are asked for before the first one is kept, which waits for it.
template <class Real, class Ctx>
FIRBANK_HD void take_coefficients(Ctx& ctx, const Window<Real>& window, std::uint32_t n,
                                  std::uint32_t stride, Complex<Real> (&v)[8]) {
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    v[r].re = frame_of(ctx, window, n + r * stride);
    v[r].im = frame_of(ctx, window, n + (r + 8) * stride);
  }
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    keep_frame(ctx, window, n + r * stride, v[r].re);
    keep_frame(ctx, window, n + (r + 8) * stride, v[r].im);
  }
}

/// Where an input's or an output's spectrum between passes is kept.
template <class Real>
FIRBANK_HD Complex<Real>* work_of(const Transform<Real>& transform, Complex<Real>* work,
                                  std::uint32_t which) {
  return work + (static_cast<std::uint64_t>(which) << transform.log2_bins);
}

/// An outer pass of the forward transform; the first one takes the window.
template <class Real, class Ctx>
FIRBANK_HD void forward_outer_body(Ctx& ctx, const ForwardParams<Real>& params) {
  const Range inputs = ctx.load(&params.current->inputs);
  const std::uint32_t items = (inputs.last - inputs.first) << (params.transform.log2_bins - 3);
  for (std::uint32_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const OuterPlace place = outer_place(params.transform, item, params.outer_pass);
    const std::uint32_t input = inputs.first + place.transform;
    Complex<Real>* work = work_of(params.transform, params.work, input) + place.first;
    Complex<Real> v[8];
    if (params.outer_pass == 0) {
      take_coefficients(ctx, window_of(ctx, params, input), place.first, place.stride, v);
    } else {
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) v[r] = ctx.load_coherent(work + r * place.stride);
    }
    outer_butterfly<false>(ctx, params.transform, place, params.outer_pass, v);
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) ctx.store(work + r * place.stride, v[r]);
  }
}

/// The inner transforms, to the delay line; without outer passes they take the window.
template <class Real, class Ctx>
FIRBANK_HD void forward_body(Ctx& ctx, const ForwardParams<Real>& params) {
  const Range inputs = ctx.load(&params.current->inputs);
  const std::uint32_t count = inputs.last - inputs.first;
  const std::uint32_t blocks = inner_blocks(params.transform, count);
  const bool gathers = shares_lines(params.transform);
  for (std::uint32_t block = ctx.block_x(); block < blocks; block += ctx.blocks_x()) {
    if (block != ctx.block_x()) ctx.sync();  // shared memory has been read
    const InnerPlace place = inner_place(params.transform, block, count, ctx.thread());
    const std::uint32_t input = inputs.first + place.transform;
    Complex<Real> v[8] = {};
    if (params.transform.outer == 0) {
      Window<Real> window = window_of(ctx, params, input);
      if (gathers) {
        const Members members = members_of(params.transform, block, count);
        gather_fresh(ctx, window_of(ctx, params, inputs.first + members.first), members.count);
        const std::uint32_t fresh = window.fresh.last - window.fresh.first;
        window.gathered = ctx.template shared<Real>() + member_of(params.transform, place) * fresh;
      }
      if (place.works) take_coefficients(ctx, window, place.first, place.threads, v);
      if (gathers) ctx.sync();  // shared memory has been read
    } else if (place.works) {
      const Complex<Real>* work = work_of(params.transform, params.work, input) + place.first;
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) v[r] = ctx.load(work + r * place.threads);
    }
    forward_inner(ctx, params.transform, place, v);
    if (!place.works) continue;
    const std::uint64_t spectrum =
        static_cast<std::uint64_t>(input) * params.slots + ctx.load(&params.current->slot);
    Complex<Real>* to = params.delay_lines + (spectrum << params.transform.log2_bins) + place.first;
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) ctx.store(to + r * place.threads, v[r]);
  }
}

/// Adds what the later levels have answered to what an inverse leaves in v of the window's newer
/// half, frames n + r stride. The answers of a level are asked for together.
template <class Real, class Ctx>
FIRBANK_HD void add_later_answers(Ctx& ctx, const RenderParams<Real>& params, std::uint32_t output,
                                  std::uint32_t n, std::uint32_t stride, Complex<Real> (&v)[8]) {
  const Range frames = ctx.load(&params.current->frames);
  const std::uint32_t newer = n + (1U << params.transform.log2_bins);
  for (std::uint32_t k = 0; k < params.later_levels; ++k) {
    const LaterAnswers<Real>& later = params.later[k];
    if (ctx.load(&later.current->add) == 0) continue;
    const std::uint64_t place = ctx.load(&later.current->add_place);
    const Real* const from = later.answers +
                             ((place * params.bank.outputs + output) << later.log2_bins) +
                             ctx.load(&later.current->add_first);
    Real answer[8] = {};
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) {
      const std::uint32_t frame = newer + r * stride;
      if (frame >= frames.first && frame < frames.last) {
        answer[r] = ctx.load(from + (frame - frames.first));
      }
    }
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) v[r].im += answer[r];
  }
}

/// Where the frames go that are wanted of each output: of the window's 2 M.
template <class Real>
struct Answers {
  Range frames;
  std::uint32_t count;  // of them
  Real* samples;        // of output 0; those of the others follow
};

template <class Real, class Ctx>
FIRBANK_HD Answers<Real> answers_of(Ctx& ctx, const RenderParams<Real>& params) {
  const std::uint32_t slot = ctx.load(&params.current->stage_out);
  Answers<Real> answers;
  answers.frames = ctx.load(&params.current->frames);
  answers.count = answers.frames.last - answers.frames.first;
  answers.samples = params.stage_out +
                    static_cast<std::uint64_t>(slot) * params.bank.outputs * params.answer_frames;
  return answers;
}

/// Gives each of the frames that are wanted of those an inverse leaves in v, frames n + r stride of
/// the window's older half and of its newer one, to store(number among those that are wanted,
/// sample).
template <class Real, class Store>
FIRBANK_HD void give_frames(const RenderParams<Real>& params, Range frames, std::uint32_t n,
                            std::uint32_t stride, const Complex<Real> (&v)[8], Store store) {
  const std::uint32_t bins = 1U << params.transform.log2_bins;
  FIRBANK_UNROLL
  for (unsigned r = 0; r < 8; ++r) {
    const std::uint32_t older = n + r * stride;
    if (older >= frames.first && older < frames.last) store(older - frames.first, v[r].re);
    const std::uint32_t newer = older + bins;
    if (newer >= frames.first && newer < frames.last) {
      store(newer - frames.first, v[r].im);
    }
  }
}

/// The same to where they go.
template <class Real, class Ctx>
FIRBANK_HD void store_frames(Ctx& ctx, const RenderParams<Real>& params, std::uint32_t output,
                             std::uint32_t n, std::uint32_t stride, const Complex<Real> (&v)[8]) {
  const Answers<Real> answers = answers_of(ctx, params);
  Real* const to = answers.samples + static_cast<std::uint64_t>(output) * answers.count;
  give_frames(params, answers.frames, n, stride, v,
              [&](std::uint32_t wanted, Real sample) { ctx.store(to + wanted, sample); });
}

/// The same for all transforms of a thread block, by way of shared memory. All its threads come
/// here.
template <class Real, class Ctx>
FIRBANK_HD void store_lines(Ctx& ctx, const RenderParams<Real>& params, const InnerPlace& place,
                            std::uint32_t first_output, const Members& members,
                            const Complex<Real> (&v)[8]) {
  Real* const shared = ctx.template shared<Real>();
  const Answers<Real> answers = answers_of(ctx, params);
  ctx.sync();  // shared memory has been read
  if (place.works) {
    Real* const mine = shared + member_of(params.transform, place) * answers.count;
    give_frames(params, answers.frames, place.first, place.threads, v,
                [mine](std::uint32_t wanted, Real sample) { mine[wanted] = sample; });
  }
  ctx.sync();
  Real* const to =
      answers.samples + static_cast<std::uint64_t>(first_output + members.first) * answers.count;
  const std::uint32_t samples = members.count * answers.count;
  for (std::uint32_t i = ctx.thread(); i < samples; i += ctx.threads()) {
    ctx.store(to + i, shared[i]);
  }
}

/// Adds up what the ways of an inner transform have summed; way 0 gets the sum.
template <class Real, class Ctx>
FIRBANK_HD void join_ways(Ctx& ctx, const RenderParams<Real>& params, const InnerPlace& place,
                          std::uint32_t way, Complex<Real> (&v)[8]) {
  Complex<Real>* shared = ctx.template shared<Complex<Real>>();
  const std::uint32_t region = params.transform.batch << params.transform.log2_inner;
  for (std::uint32_t half = params.ways / 2; half > 0; half /= 2) {
    if (way >= half && way < 2 * half) {
      put(shared, (way - half) * region + place.shared + place.t, place.threads, v);
    }
    ctx.sync();
    if (way < half) {
      Complex<Real> other[8];
      get(shared, way * region + place.shared + place.t, place.threads, other);
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) v[r] = v[r] + other[r];
    }
    ctx.sync();
  }
}

/// The last sum and the inner transforms of the inverse: to output frames, or to the outer passes.
template <class Real, class Ctx>
FIRBANK_HD void render_body(Ctx& ctx, const RenderParams<Real>& params) {
  const Range outputs = ctx.load(&params.current->outputs);
  const std::uint32_t count = outputs.last - outputs.first;
  if (count == 0) return;
  const Transform<Real>& transform = params.transform;
  const std::uint32_t members = transform.batch << (transform.log2_inner - 3);
  const std::uint32_t way = ctx.thread() / members;
  const std::uint32_t blocks = inner_blocks(transform, count);
  for (std::uint32_t block = ctx.block_x(); block < blocks; block += ctx.blocks_x()) {
    if (block != ctx.block_x()) ctx.sync();  // shared memory has been read
    InnerPlace place = inner_place(transform, block, count, ctx.thread() % members);
    const std::uint32_t output = outputs.first + place.transform;
    Complex<Real> v[8] = {};
    if (place.works) {
      bool is_compact = false;
      if constexpr (sizeof(Real) == sizeof(float)) {
        is_compact = params.bank.multiples != nullptr;
        if (is_compact) last_sum<true>(ctx, params, output, way, place.first, place.threads, v);
      }
      if (!is_compact) last_sum<false>(ctx, params, output, way, place.first, place.threads, v);
    }
    join_ways(ctx, params, place, way, v);
    if (way > 0) place.works = false;
    inverse_inner(ctx, transform, place, v);
    if (place.works && transform.outer == 0) {
      add_later_answers(ctx, params, output, place.first, place.threads, v);
    }
    if (shares_lines(transform)) {
      store_lines(ctx, params, place, outputs.first, members_of(transform, block, count), v);
    } else if (place.works && transform.outer == 0) {
      store_frames(ctx, params, output, place.first, place.threads, v);
    } else if (place.works) {
      Complex<Real>* work = work_of(transform, params.work, output) + place.first;
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) ctx.store(work + r * place.threads, v[r]);
    }
  }
  tell_rendered(ctx, params);
}

/// An outer pass of the inverse; the last one, number 0, gives the output frames.
template <class Real, class Ctx>
FIRBANK_HD void inverse_outer_body(Ctx& ctx, const RenderParams<Real>& params) {
  const Range outputs = ctx.load(&params.current->outputs);
  if (outputs.first == outputs.last) return;
  const std::uint32_t items = (outputs.last - outputs.first) << (params.transform.log2_bins - 3);
  for (std::uint32_t item = first_item(ctx); item < items; item += all_threads(ctx)) {
    const OuterPlace place = outer_place(params.transform, item, params.outer_pass);
    const std::uint32_t output = outputs.first + place.transform;
    Complex<Real>* work = work_of(params.transform, params.work, output) + place.first;
    Complex<Real> v[8];
    FIRBANK_UNROLL
    for (unsigned r = 0; r < 8; ++r) v[r] = ctx.load_coherent(work + r * place.stride);
    outer_butterfly<true>(ctx, params.transform, place, params.outer_pass, v);
    if (params.outer_pass == 0) {
      add_later_answers(ctx, params, output, place.first, place.stride, v);
      store_frames(ctx, params, output, place.first, place.stride, v);
    } else {
      FIRBANK_UNROLL
      for (unsigned r = 0; r < 8; ++r) ctx.store(work + r * place.stride, v[r]);
    }
  }
  tell_rendered(ctx, params);
}

}  // namespace firbank::cuda
