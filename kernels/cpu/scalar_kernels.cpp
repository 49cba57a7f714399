#include "kernels/cpu/scalar_kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace firbank {
namespace {

// One pass is radix 2; a spectrum is {re, im} pairs (planes of one lane).

template <class Sample>
void twist(Sample& re, Sample& im, Sample w_re, Sample w_im) {
  const Sample r = re * w_re - im * w_im;
  im = re * w_im + im * w_re;
  re = r;
}

/// Calls `butterfly(n, half, twiddle)` for points n and n + half of a step.
template <class Sample, class Butterfly>
void for_points(const TransformPlan<Sample>& plan, const typename TransformPlan<Sample>::Step& step,
                const Butterfly& butterfly) {
  const std::size_t half = plan.passes[step.pass].stride;
  for (std::size_t block = step.first_block; block < step.first_block + step.blocks; ++block) {
    const Sample* twiddle = plan.passes[step.pass].twiddle.data() + 2 * block;
    const std::size_t start = block * 2 * half;
    for (std::size_t n = start + step.first_column; n < start + step.last_column; ++n) {
      butterfly(n, half, twiddle);
    }
  }
}

template <class Sample>
void forward_step(const TransformPlan<Sample>& plan,
                  const typename TransformPlan<Sample>::Step& step, const Sample* older,
                  const Sample* newer, Sample* work, Sample* spectrum, std::size_t chunk_stride) {
  const std::size_t chunk = plan.chunk_samples();
  for_points(plan, step, [&](std::size_t n, std::size_t half, const Sample* w) {
    Sample* a = work + 2 * n;
    Sample* b = work + 2 * (n + half);
    if (step.pass == 0) {
      a[0] = older[n];
      a[1] = newer[n];
      b[0] = older[n + half];
      b[1] = newer[n + half];
    }
    twist(b[0], b[1], w[0], w[1]);
    const Sample re = b[0];
    const Sample im = b[1];
    b[0] = a[0] - re;
    b[1] = a[1] - im;
    a[0] += re;
    a[1] += im;
    if (step.pass + 1 == plan.pass_count) {
      std::copy_n(a, 4, spectrum + 2 * n / chunk * chunk_stride + 2 * n % chunk);
    }
  });
}

template <class Sample>
void inverse_step(const TransformPlan<Sample>& plan,
                  const typename TransformPlan<Sample>::Step& step, Sample* spectrum, Sample* older,
                  Sample* newer) {
  for_points(plan, step, [&](std::size_t n, std::size_t half, const Sample* w) {
    Sample* a = spectrum + 2 * n;
    Sample* b = spectrum + 2 * (n + half);
    const Sample re = a[0] - b[0];
    const Sample im = a[1] - b[1];
    a[0] += b[0];
    a[1] += b[1];
    b[0] = re;
    b[1] = im;
    twist(b[0], b[1], w[0], -w[1]);
    if (step.pass > 0) return;
    if (older != nullptr) {
      older[n] = a[0];
      older[n + half] = b[0];
    }
    newer[n] = a[1];
    newer[n + half] = b[1];
  });
}

template <class Sample>
void forward(const TransformPlan<Sample>& plan, const Sample* older, const Sample* newer,
             Sample* work, Sample* spectrum, std::size_t chunk_stride, std::size_t first_step,
             std::size_t last_step) noexcept {
  for (std::size_t s = first_step; s < last_step; ++s) {
    forward_step(plan, plan.steps[s], older, newer, work, spectrum, chunk_stride);
  }
}

template <class Sample>
void inverse_both(const TransformPlan<Sample>& plan, Sample* spectrum, Sample* older, Sample* newer,
                  std::size_t first_step, std::size_t last_step) noexcept {
  for (std::size_t s = first_step; s < last_step; ++s) {
    inverse_step(plan, plan.steps[plan.steps.size() - 1 - s], spectrum, older, newer);
  }
}

template <class Sample>
void inverse(const TransformPlan<Sample>& plan, Sample* spectrum, Sample* newer,
             std::size_t first_step, std::size_t last_step) noexcept {
  inverse_both<Sample>(plan, spectrum, nullptr, newer, first_step, last_step);
}

/// {re, im} at place `at` of a partition of a response.
template <bool kCompact, class Sample>
std::array<Sample, 2> response_value(const MacTerm<Sample>& term, std::size_t chunk,
                                     std::size_t partition, std::size_t at) {
  if constexpr (kCompact) {
    const Sample scale = scale_of(term.scales[chunk * term.scale_stride + partition]);
    const std::int16_t* const value = term.compact + chunk * term.response_stride + at;
    return {static_cast<Sample>(value[0]) * scale, static_cast<Sample>(value[1]) * scale};
  } else {
    const Sample* const value = term.response + chunk * term.response_stride + at;
    return {value[0], value[1]};
  }
}

template <bool kCompact, class Sample>
void mac_sum(const MacJob<Sample>& job, const MacSum<Sample>& sum) {
  for (std::size_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
    for (std::size_t bin = 0; bin < job.chunk_samples; bin += 2) {
      const std::size_t at = chunk * job.chunk_samples + bin;
      Sample total_re = sum.from == nullptr ? Sample{0} : sum.from[at];
      Sample total_im = sum.from == nullptr ? Sample{0} : sum.from[at + 1];
      Sample re = 0;
      Sample im = 0;
      std::size_t products = 0;
      for (const MacTerm<Sample>& term : sum.terms) {
        const std::size_t last = std::min(job.last_partition, term.last_partition);
        for (std::size_t p = std::max(job.first_partition, term.first_partition); p < last; ++p) {
          const std::size_t slot = (job.newest + p) % job.slots;
          const Sample* x = term.input + chunk * job.input_stride + slot * job.chunk_samples + bin;
          const std::size_t partition = p - term.first_partition;
          const std::array<Sample, 2> h =
              response_value<kCompact>(term, chunk, partition, partition * job.chunk_samples + bin);
          re += x[0] * h[0] - x[1] * h[1];
          im += x[0] * h[1] + x[1] * h[0];
          if (++products % kMacRun == 0) {
            total_re += re;
            total_im += im;
            re = im = 0;
          }
        }
      }
      sum.to[at] = total_re + re;
      sum.to[at + 1] = total_im + im;
    }
  }
}

template <bool kCompact, class Sample>
void mac_run(const MacJob<Sample>& job, std::span<const MacSum<Sample>> sums) noexcept {
  for (const MacSum<Sample>& sum : sums) {
    mac_sum<kCompact>(job, sum);
    if (sum.next != nullptr) mac_sum<kCompact>(job.after(), sum.after());
  }
}

template <class Sample>
void fir_add(const Sample* newest, const Sample* reversed, std::size_t taps, Sample* out,
             std::size_t frames) noexcept {
  const Sample* oldest = newest - (taps - 1);
  for (std::size_t n = 0; n < frames; ++n) {
    Sample total = 0;
    for (std::size_t first = 0; first < taps; first += kDirectRun) {
      Sample sum = 0;
      for (std::size_t i = first; i < std::min(first + kDirectRun, taps); ++i) {
        sum += reversed[i] * oldest[n + i];
      }
      total += sum;
    }
    out[n] += total;
  }
}

template <class Sample>
void fir_set(const Sample* newest, const Sample* reversed, std::size_t taps, Sample* out,
             std::size_t frames) noexcept {
  std::fill_n(out, frames, Sample{0});
  fir_add(newest, reversed, taps, out, frames);
}

template <class Sample>
void fir_decimate(const Sample* oldest, const Sample* reversed, std::size_t taps, std::size_t step,
                  Sample* out, std::size_t count) noexcept {
  std::fill_n(out, count, Sample{0});
  for (std::size_t k = 0; k < count; ++k) {
    fir_add(oldest + k * step + taps - 1, reversed, taps, out + k, 1);
  }
}

template <class Sample>
bool copy_below(const Sample* from, Sample* to, std::size_t frames, Sample bound,
                bool /*past_caches*/) noexcept {
  using Bits = std::conditional_t<sizeof(Sample) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits kMagnitude = ~Bits{0} >> 1;
  const Bits limit = std::bit_cast<Bits>(bound);
  bool below = true;
  for (std::size_t n = 0; n < frames; ++n) {
    to[n] = from[n];
    below = below && (std::bit_cast<Bits>(from[n]) & kMagnitude) < limit;
  }
  return below;
}

template <class Sample>
bool copy_narrow(const Sample* from, std::int16_t* to, std::size_t frames,
                 bool /*past_caches*/) noexcept {
  bool all_fit = true;
  for (std::size_t n = 0; n < frames; ++n) {
    const Sample scaled = from[n] * 32'768;
    const bool is_near = scaled >= -32'768 && scaled <= 32'767;  // no NaN is
    to[n] = is_near ? static_cast<std::int16_t>(scaled) : std::int16_t{0};
    all_fit = all_fit && static_cast<Sample>(to[n]) == scaled;
  }
  return all_fit;
}

}  // namespace

template <class Sample>
const RealFft<Sample>* scalar_real_fft() noexcept {
  static constexpr RealFft<Sample> kKernel = {
      {1, 2, 1}, &forward<Sample>, &inverse<Sample>, &inverse_both<Sample>};
  return &kKernel;
}

template <class Sample>
const SpectralMac<Sample>* scalar_spectral_mac() noexcept {
  static constexpr SpectralMac<Sample> kKernel = {&mac_run<false, Sample>, &mac_run<true, Sample>};
  return &kKernel;
}

template <class Sample>
const DirectFir<Sample>* scalar_direct_fir() noexcept {
  static constexpr DirectFir<Sample> kKernel = {&fir_add<Sample>, &fir_set<Sample>,
                                                &fir_decimate<Sample>};
  return &kKernel;
}

template <class Sample>
const CheckedCopy<Sample>* scalar_checked_copy() noexcept {
  static constexpr CheckedCopy<Sample> kKernel = {&copy_below<Sample>};
  return &kKernel;
}

template <class Sample>
const NarrowCopy<Sample>* scalar_narrow_copy() noexcept {
  static constexpr NarrowCopy<Sample> kKernel = {&copy_narrow<Sample>};
  return &kKernel;
}

template const RealFft<float>* scalar_real_fft<float>() noexcept;
template const RealFft<double>* scalar_real_fft<double>() noexcept;
template const SpectralMac<float>* scalar_spectral_mac<float>() noexcept;
template const SpectralMac<double>* scalar_spectral_mac<double>() noexcept;
template const DirectFir<float>* scalar_direct_fir<float>() noexcept;
template const DirectFir<double>* scalar_direct_fir<double>() noexcept;
template const CheckedCopy<float>* scalar_checked_copy<float>() noexcept;
template const CheckedCopy<double>* scalar_checked_copy<double>() noexcept;
template const NarrowCopy<float>* scalar_narrow_copy<float>() noexcept;
template const NarrowCopy<double>* scalar_narrow_copy<double>() noexcept;

}  // namespace firbank
