#include "engine/stages/template_distance.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "engine/engine.hpp"
#include "engine/input_history.hpp"
#include "engine/stages/centred_templates.hpp"
#include "engine/stages/loudness.hpp"
#include "engine/stages/window_energy.hpp"
#include "kernels/aligned_vector.hpp"

namespace firbank {
namespace {

constexpr std::size_t kPiece = 256;
constexpr double kSpareWindows = 32;

constexpr double kUnit = 0x1p-53;
/// Of a correlation, relative to the norms of the template and of all that its transforms have
/// read: sums of at most 64 products in a row, or some units for each of the passes of three
/// transforms.
constexpr double kCorrelationError = 2e-14;
/// A square that is within twice this is a root that is within it; half of it is kept in reserve.
constexpr double kSquareTolerance = 1e-4;

EngineConfig engine_config(const TemplateDistanceConfig& config) {
  EngineConfig engine;
  engine.block_frames = config.block_frames;
  engine.max_frames = std::max(config.block_frames, kPiece);
  return engine;
}

/// Frames before the newest ones of a call whose rounding errors a correlation may hear of.
std::size_t reach(const PartitionPlan& plan, std::size_t length) {
  std::size_t longest = 0;
  for (const LevelPlan& level : plan.levels) longest = std::max(longest, level.transform_frames);
  return length + 2 * longest;
}

}  // namespace

class TemplateDistance::Impl {
 public:
  explicit Impl(const TemplateDistanceConfig& config)
      : channels_(config.channels),
        share_(config.exact_share),
        piece_(std::max(config.block_frames, kPiece)),
        parts_(config),
        engine_(engine_config(config), parts_.bank(), parts_.routing()),
        history_(parts_.used.size(), parts_.length + piece_, std::max(parts_.length, piece_)),
        energy_(parts_.used.size(), parts_.length),
        loudness_(parts_.used.size(), reach(engine_.plan(), parts_.length) + piece_),
        spare_(parts_.templates.size(), kSpareWindows),
        squares_(piece_),
        least_(piece_) {
    const auto planes = [this](AlignedVector<double>& samples, std::vector<double*>& pointers,
                               std::size_t count) {
      samples.resize(count * piece_);
      for (std::size_t i = 0; i < count; ++i) pointers.push_back(&samples[i * piece_]);
    };
    planes(centred_samples_, centred_, parts_.used.size());
    planes(energy_samples_, energies_, parts_.used.size());
    planes(correlation_samples_, correlations_, parts_.templates.size());
  }

  std::size_t channels() const noexcept { return channels_; }
  std::size_t templates() const noexcept { return parts_.templates.size(); }
  std::size_t length() const noexcept { return parts_.length; }
  std::size_t piece() const noexcept { return piece_; }
  std::uint64_t exact() const noexcept { return exact_.load(std::memory_order_relaxed); }
  std::uint64_t unrefined() const noexcept { return unrefined_.load(std::memory_order_relaxed); }

  void take(const float* const* in, float* const* out, std::size_t offset,
            std::size_t frames) noexcept {
    for (std::size_t i = 0; i < parts_.used.size(); ++i) {
      const float* const x = in[parts_.used[i]] + offset;
      double* const to = centred_[i];
      for (std::size_t n = 0; n < frames; ++n) {
        to[n] = static_cast<double>(x[n]) - parts_.offsets[i];
      }
      history_.write(i, history_.clock(), frames,
                     [to](double* ring, std::size_t first, std::size_t count) {
                       std::copy_n(to + first, count, ring);
                     });
      energy_.add(i, to, frames, energies_[i]);
      loudness_.add(i, to, frames);
    }
    loudness_.advance(frames);
    engine_.process(centred_.data(), correlations_.data(), frames);
    for (std::size_t k = 0; k < templates(); ++k) measure(k, out[k] + offset, frames);
    history_.advance(frames);
    filled_ = std::min(filled_ + frames, length() - 1);
  }

  void forget() noexcept {
    engine_.reset();
    energy_.reset();
    loudness_.reset();
    filled_ = 0;
  }

 private:
  /// The three terms, and again by differences what they do not tell well enough.
  void measure(std::size_t k, float* out, std::size_t frames) noexcept {
    const Template& one = parts_.templates[k];
    double* const square = squares_.data();
    std::copy_n(energies_[one.channels[0]], frames, square);
    double loud = loudness_.energy(one.channels[0]);
    for (std::size_t i = 1; i < one.channels.size(); ++i) {
      const double* const energy = energies_[one.channels[i]];
      for (std::size_t n = 0; n < frames; ++n) square[n] += energy[n];
      loud += loudness_.energy(one.channels[i]);
    }
    const double norm = parts_.energies[k];
    const double* const correlation = correlations_[k];
    const double fixed =
        2 * kCorrelationError * std::sqrt(norm) * std::sqrt(loud) / kSquareTolerance;
    const double relative =
        kUnit * static_cast<double>(length() + one.channels.size() + 8) / kSquareTolerance;
    std::size_t near = 0;
    for (std::size_t n = 0; n < frames; ++n) {
      const double sum = square[n] + norm;
      square[n] = sum - 2 * correlation[n];
      least_[n] = fixed + relative * sum;
      near += square[n] < least_[n] ? 1 : 0;
    }
    spare_[k] += share_ * static_cast<double>(frames);
    if (near > 0) refine(k, frames);
    spare_[k] = std::min(spare_[k], kSpareWindows);
    const std::size_t silent = std::min(frames, length() - 1 - filled_);
    std::fill_n(out, silent, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t n = silent; n < frames; ++n) {
      out[n] = static_cast<float>(std::sqrt(square[n] < 0 ? 0 : square[n]));
    }
  }

  void refine(std::size_t k, std::size_t frames) noexcept {
    std::uint64_t exact = 0;
    std::uint64_t unrefined = 0;
    for (std::size_t n = length() - 1 - filled_; n < frames; ++n) {
      if (!(squares_[n] < least_[n])) continue;
      if (spare_[k] < 1) {
        ++unrefined;
        continue;
      }
      spare_[k] -= 1;
      ++exact;
      squares_[n] = by_differences(parts_.templates[k], n);
    }
    exact_.store(this->exact() + exact, std::memory_order_relaxed);
    unrefined_.store(this->unrefined() + unrefined, std::memory_order_relaxed);
  }

  double by_differences(const Template& one, std::size_t frame) const noexcept {
    const std::size_t before = length() - 1;
    const std::int64_t clock = history_.clock() + static_cast<std::int64_t>(frame);
    double sum = 0;
    for (std::size_t i = 0; i < one.channels.size(); ++i) {
      const double* const x = history_.at(one.channels[i], clock, before) - before;
      const double* const t = one.samples[i].data();
      double part[4] = {};  // sums that do not wait for one another
      std::size_t n = 0;
      for (; n + 4 <= length(); n += 4) {
        for (std::size_t j = 0; j < 4; ++j) {
          const double difference = x[n + j] - t[n + j];
          part[j] += difference * difference;
        }
      }
      for (; n < length(); ++n) part[0] += (x[n] - t[n]) * (x[n] - t[n]);
      sum += (part[0] + part[1]) + (part[2] + part[3]);
    }
    return sum;
  }

  std::size_t channels_;
  double share_;
  std::size_t piece_;
  CentredTemplates parts_;
  BasicEngine<double> engine_;
  InputHistory<double> history_;
  WindowEnergy energy_;
  Loudness loudness_;
  std::size_t filled_ = 0;     // frames since the start, as far as a window hears them
  std::vector<double> spare_;  // windows that each template may still have computed exactly

  // Scratch of one piece.
  AlignedVector<double> centred_samples_, energy_samples_, correlation_samples_;
  std::vector<double*> centred_, energies_, correlations_;
  AlignedVector<double> squares_;
  AlignedVector<double> least_;  // what a square must be for its three terms to be good enough

  std::atomic<std::uint64_t> exact_{0};
  std::atomic<std::uint64_t> unrefined_{0};
};

TemplateDistance::TemplateDistance(const TemplateDistanceConfig& config) {
  check_templates(config);
  impl_ = std::make_unique<Impl>(config);
}

TemplateDistance::~TemplateDistance() = default;

void TemplateDistance::process(const float* const* in, float* const* out, std::size_t frames,
                               std::int64_t first_frame) noexcept {
  if (frames > 0 && !position_.take(first_frame, frames)) impl_->forget();
  for (std::size_t offset = 0; offset < frames; offset += impl_->piece()) {
    impl_->take(in, out, offset, std::min(frames - offset, impl_->piece()));
  }
}

void TemplateDistance::reset() noexcept {
  impl_->forget();
  position_.forget();
}

std::size_t TemplateDistance::channels() const noexcept {
  return impl_->channels();
}
std::size_t TemplateDistance::templates() const noexcept {
  return impl_->templates();
}
std::size_t TemplateDistance::length() const noexcept {
  return impl_->length();
}
std::uint64_t TemplateDistance::exact_windows() const noexcept {
  return impl_->exact();
}
std::uint64_t TemplateDistance::unrefined_windows() const noexcept {
  return impl_->unrefined();
}

}  // namespace firbank
