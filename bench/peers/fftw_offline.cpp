#include "bench/peers/fftw_offline.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bench/peers/noise.hpp"
#include "bench/peers/stopwatch.hpp"

namespace peers {

FftwOffline::FftwOffline(std::size_t longest_taps) {
  const Planes in(1, 2'000'000), out(1, 2'000'000);
  fill_noise(0, in[0], in.frames());
  const std::vector<std::vector<float>> filters{noise_taps(0, longest_taps)};
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  for (const std::size_t size : {32'768, 49'152, 65'536, 98'304, 131'072}) {
    if (size < 2 * longest_taps) continue;
    plan(size, longest_taps);
    for (int round = 0; round < 3; ++round) {
      const double begin = cpu_seconds();
      filter(in, filters, out);
      const double spent = cpu_seconds() - begin;
      if (spent >= least) continue;
      least = spent;
      best = size;
    }
  }
  plan(best, longest_taps);
}

void FftwOffline::plan(std::size_t size, std::size_t longest_taps) {
  size_ = size;
  overlap_ = (longest_taps - 1 + 15) / 16 * 16;
  transforms_ = std::make_unique<FftwPair>(size);
  time_ = fftw_floats(size);
  spectrum_ = fftw_floats(size + 2);
  response_ = fftw_floats(size + 2);
}

void FftwOffline::filter(const Planes& in, const std::vector<std::vector<float>>& filters,
                         const Planes& out) {
  const std::size_t step = size_ - overlap_;
  for (std::size_t c = 0; c < in.channels(); ++c) {
    std::fill_n(time_.get(), size_, 0.0f);
    std::copy(filters[c].begin(), filters[c].end(), time_.get());
    transforms_->forward(time_.get(), response_.get());
    const float scale = 1.0f / static_cast<float>(size_);
    for (std::size_t k = 0; k < size_ + 2; ++k) response_[k] *= scale;
    for (std::size_t frame = 0; frame < in.frames(); frame += step) {
      const std::size_t frames = std::min(step, in.frames() - frame);
      if (frame >= overlap_ && frames == step) {
        transforms_->forward(in[c] + frame - overlap_, spectrum_.get());
      } else {
        const std::size_t before = std::min(frame, overlap_);
        std::fill_n(time_.get(), size_, 0.0f);
        std::memcpy(&time_[overlap_ - before], in[c] + frame - before,
                    (before + frames) * sizeof(float));
        transforms_->forward(time_.get(), spectrum_.get());
      }
      float* __restrict x = spectrum_.get();
      const float* __restrict h = response_.get();
      for (std::size_t k = 0; k < size_ / 2 + 1; ++k) {
        const float re = x[2 * k] * h[2 * k] - x[2 * k + 1] * h[2 * k + 1];
        const float im = x[2 * k] * h[2 * k + 1] + x[2 * k + 1] * h[2 * k];
        x[2 * k] = re;
        x[2 * k + 1] = im;
      }
      transforms_->inverse(spectrum_.get(), time_.get());
      std::memcpy(out[c] + frame, &time_[overlap_], frames * sizeof(float));
    }
  }
}

}  // namespace peers
