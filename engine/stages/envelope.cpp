#include "engine/stages/envelope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "engine/engine.hpp"
#include "engine/input_history.hpp"
#include "io/error.hpp"
#include "kernels/aligned_vector.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostTaps = std::size_t{1} << 20;
constexpr std::size_t kMostBlock = 65'536;
constexpr std::size_t kPiece = 256;

void check(const EnvelopeConfig& config) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, "envelope: " + message);
  };
  if (config.channels == 0) refuse("channels is 0; at least 1 is needed");
  if (config.taps < 1 || config.taps > kMostTaps) {
    refuse(fmt::format("taps is {}; allowed: 1 to {}", config.taps, kMostTaps));
  }
  if (config.kind == EnvelopeKind::kAnalytic && (config.taps < 3 || config.taps % 2 == 0)) {
    refuse(fmt::format("taps is {}; the analytic one needs an odd number, 3 or more", config.taps));
  }
  if (config.block_frames < 1 || config.block_frames > kMostBlock) {
    refuse(fmt::format("block_frames is {}; allowed: 1 to {}", config.block_frames, kMostBlock));
  }
}

/// Above 0 at both ends, as a tap that is 0 would be one in name only.
double window_value(EnvelopeWindow window, std::size_t k, std::size_t taps) {
  if (window == EnvelopeWindow::kBoxcar) return 1;
  const double phase = static_cast<double>(k + 1) / static_cast<double>(taps + 1);
  return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * phase);
}

std::vector<double> weights(const EnvelopeConfig& config) {
  std::vector<double> taps(config.taps);
  double sum = 0;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    taps[k] = window_value(config.window, k, taps.size());
    sum += taps[k];
  }
  for (double& tap : taps) tap /= sum;
  return taps;
}

std::vector<double> hilbert_transformer(const EnvelopeConfig& config) {
  std::vector<double> taps(config.taps);
  const std::size_t middle = config.taps / 2;
  double gain = 0;  // at a quarter of the rate: taps of distance m count by sin(pi m / 2)
  for (std::size_t m = 1; m <= middle; m += 2) {
    const double tap = 2 / (std::numbers::pi * static_cast<double>(m)) *
                       window_value(config.window, middle + m, config.taps);
    taps[middle + m] = tap;
    taps[middle - m] = -tap;
    gain += 2 * tap * (m % 4 == 1 ? 1 : -1);
  }
  for (double& tap : taps) tap /= gain;
  return taps;
}

EngineConfig engine_config(const EnvelopeConfig& config) {
  EngineConfig engine;
  engine.block_frames = config.block_frames;
  engine.max_frames = std::max(config.block_frames, kPiece);
  return engine;
}

}  // namespace

class Envelope::Impl {
 public:
  explicit Impl(const EnvelopeConfig& config)
      : kind_(config.kind),
        taps_(config.taps),
        delay_(config.kind == EnvelopeKind::kAnalytic ? config.taps / 2 : 0),
        piece_(std::max(config.block_frames, kPiece)),
        engine_(engine_config(config),
                FilterBank({config.kind == EnvelopeKind::kAnalytic ? hilbert_transformer(config)
                                                                   : weights(config)}),
                Routing::rows(config.channels, 1)),
        history_(is_analytic() ? config.channels : 0, delay_ + piece_, piece_),
        sizes_(is_analytic() ? 0 : config.channels * piece_),
        in_(config.channels),
        out_(config.channels) {}

  std::size_t channels() const noexcept { return in_.size(); }
  std::size_t taps() const noexcept { return taps_; }
  std::size_t piece() const noexcept { return piece_; }

  void take(const float* const* in, float* const* out, std::size_t offset,
            std::size_t frames) noexcept {
    for (std::size_t c = 0; c < channels(); ++c) {
      out_[c] = out[c] + offset;
      if (is_analytic()) {
        in_[c] = in[c] + offset;
        remember(c, frames);
      } else {
        in_[c] = sizes(c, in[c] + offset, frames);
      }
    }
    engine_.process(in_.data(), out_.data(), frames);
    for (std::size_t c = 0; c < channels(); ++c) finish(c, frames);
    history_.advance(frames);
  }

  void forget() noexcept {
    engine_.reset();
    history_.clear_past(delay_);
  }

 private:
  bool is_analytic() const noexcept { return kind_ == EnvelopeKind::kAnalytic; }

  void remember(std::size_t channel, std::size_t frames) noexcept {
    const float* const from = in_[channel];
    history_.write(channel, history_.clock(), frames,
                   [from](float* to, std::size_t first, std::size_t count) {
                     std::copy_n(from + first, count, to);
                   });
  }

  const float* sizes(std::size_t channel, const float* x, std::size_t frames) noexcept {
    float* const to = &sizes_[channel * piece_];
    if (kind_ == EnvelopeKind::kRectified) {
      for (std::size_t n = 0; n < frames; ++n) to[n] = std::abs(x[n]);
    } else {
      for (std::size_t n = 0; n < frames; ++n) to[n] = x[n] * x[n];
    }
    return to;
  }

  /// Sums of positive terms may come out of a transform a rounding error below 0.
  void finish(std::size_t channel, std::size_t frames) noexcept {
    float* const y = out_[channel];
    if (is_analytic()) {
      const auto delay = static_cast<std::int64_t>(delay_);
      const float* const x = history_.at(channel, history_.clock() - delay);
      for (std::size_t n = 0; n < frames; ++n) y[n] = std::sqrt(x[n] * x[n] + y[n] * y[n]);
    } else {
      for (std::size_t n = 0; n < frames; ++n) y[n] = y[n] < 0 ? 0 : y[n];
      if (kind_ != EnvelopeKind::kRms) return;
      for (std::size_t n = 0; n < frames; ++n) y[n] = std::sqrt(y[n]);
    }
  }

  EnvelopeKind kind_;
  std::size_t taps_;
  std::size_t delay_;  // of the real part
  std::size_t piece_;
  Engine engine_;
  InputHistory<float> history_;
  AlignedVector<float> sizes_;
  std::vector<const float*> in_;
  std::vector<float*> out_;
};

Envelope::Envelope(const EnvelopeConfig& config) {
  check(config);
  impl_ = std::make_unique<Impl>(config);
}

Envelope::~Envelope() = default;

void Envelope::process(const float* const* in, float* const* out, std::size_t frames,
                       std::int64_t first_frame) noexcept {
  if (frames > 0 && !position_.take(first_frame, frames)) impl_->forget();
  for (std::size_t offset = 0; offset < frames; offset += impl_->piece()) {
    impl_->take(in, out, offset, std::min(frames - offset, impl_->piece()));
  }
}

void Envelope::reset() noexcept {
  impl_->forget();
  position_.forget();
}

double Envelope::group_delay_frames() const noexcept {
  return 0.5 * static_cast<double>(impl_->taps() - 1);
}

std::size_t Envelope::channels() const noexcept {
  return impl_->channels();
}

}  // namespace firbank
