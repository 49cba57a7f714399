#include "engine/stages/decimation_form.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/input_history.hpp"
#include "engine/planner.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/denormals.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {
namespace {

class Direct final : public DecimationForm {
 public:
  Direct(const DecimatorConfig& config, const FilterBank& bank)
      : factor_(config.factor),
        longest_(bank.longest()),
        piece_(std::clamp<std::size_t>(config.block_frames, 64, 1'024)),
        fir_(*direct_fir<float>(best_instruction_set())),
        history_(config.channels, bank.longest() + piece_ + kSpare, bank.longest() + piece_) {
    for (std::size_t f = 0; f < bank.size(); ++f) {
      const auto taps = bank.taps(f);
      auto& reversed = reversed_.emplace_back(taps.size());
      std::transform(taps.rbegin(), taps.rend(), reversed.begin(),
                     [](double tap) { return static_cast<float>(tap); });
    }
  }

  std::size_t piece() const noexcept override { return piece_; }

  void take(const float* const* in, std::size_t offset, std::size_t frames, std::size_t kept,
            float* const* out, std::size_t put) noexcept override {
    const FlushDenormals flush;
    const std::int64_t clock = history_.clock();
    for (std::size_t c = 0; c < history_.channels(); ++c) {
      const float* const from = in[c] + offset;
      history_.write(c, clock, frames, [from](float* to, std::size_t first, std::size_t count) {
        std::copy_n(from + first, count, to);
      });
      const auto& reversed = reversed_[reversed_.size() == 1 ? 0 : c];
      if (kept >= frames) continue;
      const std::size_t count = (frames - 1 - kept) / factor_ + 1;
      float* const to = out[c] + put;
      const float* const oldest =
          history_.at(c, clock + static_cast<std::int64_t>(kept), reversed.size() - 1) -
          (reversed.size() - 1);
      fir_.decimate(oldest, reversed.data(), reversed.size(), factor_, to, count);
      for (std::size_t k = 0; k < count; ++k) {
        if (!std::isfinite(to[k])) to[k] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    history_.advance(frames);
  }

  void forget() noexcept override { history_.clear_past(longest_ - 1); }

 private:
  // A ring that is hardly longer than its window is written twice throughout, and what was written
  // a moment ago is read from the copy, for which a processor has to wait.
  static constexpr std::size_t kSpare = 4'096;

  std::size_t factor_;
  std::size_t longest_;
  std::size_t piece_;
  const DirectFir<float>& fir_;
  InputHistory<float> history_;
  std::vector<AlignedVector<float>> reversed_;  // of each filter, last tap first
};

class Whole final : public DecimationForm {
 public:
  Whole(const DecimatorConfig& config, const FilterBank& bank)
      : factor_(config.factor),
        piece_(std::max<std::size_t>(config.block_frames, 256)),
        samples_(config.channels * piece_),
        in_(config.channels),
        engine_(engine_config(config), bank, Routing::rows(config.channels, bank.size())) {
    for (std::size_t c = 0; c < config.channels; ++c) planes_.push_back(&samples_[c * piece_]);
  }

  static EngineConfig engine_config(const DecimatorConfig& config) {
    EngineConfig engine;
    engine.block_frames = config.block_frames;
    engine.max_frames = std::max<std::size_t>(config.block_frames, 256);
    return engine;
  }

  std::size_t piece() const noexcept override { return piece_; }

  void take(const float* const* in, std::size_t offset, std::size_t frames, std::size_t kept,
            float* const* out, std::size_t put) noexcept override {
    for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = in[c] + offset;
    engine_.process(in_.data(), planes_.data(), frames);
    for (std::size_t c = 0; c < in_.size(); ++c) {
      float* to = out[c] + put;
      for (std::size_t n = kept; n < frames; n += factor_) *to++ = planes_[c][n];
    }
  }

  void forget() noexcept override { engine_.reset(); }

 private:
  std::size_t factor_;
  std::size_t piece_;
  AlignedVector<float> samples_;
  std::vector<float*> planes_;
  std::vector<const float*> in_;
  Engine engine_;
};

class Polyphase final : public DecimationForm {
 public:
  Polyphase(const DecimatorConfig& config, const FilterBank& bank)
      : channels_(config.channels),
        factor_(config.factor),
        phases_(std::min(config.factor, bank.longest())),
        most_(most_columns(config)),
        stride_(most_ + 1),
        samples_(channels_ * phases_ * stride_),
        engine_(engine_config(config, most_), phase_bank(config.factor, bank),
                phase_routing(config, bank)) {
    for (std::size_t i = 0; i < channels_ * phases_; ++i) planes_.push_back(&samples_[i * stride_]);
    out_.resize(channels_);
  }

  /// Frames that complete at most `most_` columns.
  std::size_t piece() const noexcept override { return (most_ - 1) * factor_ + 1; }

  void take(const float* const* in, std::size_t offset, std::size_t frames, std::size_t kept,
            float* const* out, std::size_t put) noexcept override {
    const std::size_t columns = kept < frames ? (frames - 1 - kept) / factor_ + 1 : 0;
    for (std::size_t c = 0; c < channels_; ++c) {
      float* const* const phase = &planes_[c * phases_];
      const float* x = in[c] + offset;
      // Frame by frame to the column of the next kept frame, at its distance from it.
      std::size_t column = 0;
      std::size_t distance = kept;
      for (std::size_t n = 0; n < frames; ++n) {
        if (distance < phases_) phase[distance][column] = x[n];
        if (distance == 0) {
          ++column;
          distance = factor_;
        }
        --distance;
      }
      out_[c] = out[c] + put;
    }
    if (columns == 0) return;
    engine_.process(planes_.data(), out_.data(), columns);
    for (float* const plane : planes_) plane[0] = plane[columns];
  }

  void forget() noexcept override {
    engine_.reset();
    for (float* const plane : planes_) plane[0] = 0;
  }

 private:
 public:
  static std::size_t most_columns(const DecimatorConfig& config) {
    return std::max<std::size_t>(config.block_frames / config.factor, 64);
  }

  static EngineConfig engine_config(const DecimatorConfig& config, std::size_t most) {
    EngineConfig engine;
    engine.block_frames = std::max<std::size_t>(1, config.block_frames / config.factor);
    engine.max_frames = most;
    return engine;
  }

  /// Phases of a filter one behind the other, as far as it has taps for them.
  static FilterBank phase_bank(std::size_t factor, const FilterBank& bank) {
    std::vector<std::vector<double>> phases;
    for (std::size_t f = 0; f < bank.size(); ++f) {
      const auto taps = bank.taps(f);
      for (std::size_t r = 0; r < std::min(factor, taps.size()); ++r) {
        auto& phase = phases.emplace_back();
        for (std::size_t k = r; k < taps.size(); k += factor) phase.push_back(taps[k]);
      }
    }
    return FilterBank(std::move(phases));
  }

  static Routing phase_routing(const DecimatorConfig& config, const FilterBank& bank) {
    const std::size_t phases = std::min(config.factor, bank.longest());
    std::vector<Edge> edges;
    std::size_t first = 0;  // phase of the channel's filter
    for (std::size_t c = 0; c < config.channels; ++c) {
      const std::size_t filter = bank.size() == 1 ? 0 : c;
      const std::size_t count = std::min(config.factor, bank.taps(filter).size());
      for (std::size_t r = 0; r < count; ++r) {
        edges.push_back({.input = c * phases + r, .filter = first + r, .output = c});
      }
      if (bank.size() > 1) first += count;
    }
    return Routing(config.channels * phases, config.channels, std::move(edges));
  }

 private:
  std::size_t channels_;
  std::size_t factor_;
  std::size_t phases_;
  std::size_t most_;  // columns that are computed at once; one more begins
  std::size_t stride_;
  AlignedVector<float> samples_;
  std::vector<float*> planes_;  // of each phase of each channel
  std::vector<float*> out_;
  Engine engine_;
};

}  // namespace

/// By what each form is estimated to take of an input sample. The constants are those of one
/// processor, as CostModel's are; stages/README.md has what they were taken from.
DecimatorForm cheapest_form(const DecimatorConfig& config, const FilterBank& bank) {
  // Of what the plans estimate, whose figures are only meant to be compared with each other.
  constexpr double kWholeNs = 1.9;
  constexpr double kPhasesNs = 3.2;
  constexpr std::size_t kMostPhases = 8;
  const auto channels = static_cast<double>(config.channels);
  const auto factor = static_cast<double>(config.factor);
  double taps = 0;  // of a channel, in the mean
  for (std::size_t f = 0; f < bank.size(); ++f) taps += static_cast<double>(bank.taps(f).size());
  taps /= static_cast<double>(bank.size());
  // Taps are read once for four kept frames, where a call has as many.
  const double product_ns = config.block_frames >= 4 * config.factor ? 0.026 : 0.06;
  double least_ns = 0.9 + product_ns * taps / factor;
  DecimatorForm form = DecimatorForm::kDirect;
  const auto offer = [&](DecimatorForm other, double ns) {
    if (ns < least_ns) form = other;
    least_ns = std::min(least_ns, ns);
  };
  const PartitionPlan whole =
      choose_plan(Whole::engine_config(config), bank, Routing::rows(config.channels, bank.size()));
  offer(DecimatorForm::kWhole, 0.3 + kWholeNs * whole.ns_per_frame / channels);
  // In calls of a few columns nothing is left to transform, and many phases are many small ones.
  if (config.factor <= kMostPhases && config.block_frames >= 16 * config.factor) {
    const PartitionPlan phases = choose_plan(
        Polyphase::engine_config(config, Polyphase::most_columns(config)),
        Polyphase::phase_bank(config.factor, bank), Polyphase::phase_routing(config, bank));
    offer(DecimatorForm::kPolyphase, 1 + kPhasesNs * phases.ns_per_frame / channels / factor);
  }
  return form;
}

std::unique_ptr<DecimationForm> make_form(DecimatorForm form, const DecimatorConfig& config,
                                          const FilterBank& bank) {
  switch (form) {
    case DecimatorForm::kPolyphase:
      return std::make_unique<Polyphase>(config, bank);
    case DecimatorForm::kWhole:
      return std::make_unique<Whole>(config, bank);
    default:
      return std::make_unique<Direct>(config, bank);
  }
}

}  // namespace firbank
