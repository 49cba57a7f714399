#include "engine/stages/decimator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "engine/engine.hpp"
#include "engine/input_history.hpp"
#include "io/error.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/denormals.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostFactor = 65'536;
constexpr std::size_t kMostBlock = 65'536;

void check(const DecimatorConfig& config, const FilterBank& bank) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, "decimator: " + message);
  };
  if (config.channels == 0) refuse("channels is 0; at least 1 is needed");
  if (config.factor < 1 || config.factor > kMostFactor) {
    refuse(fmt::format("factor is {}; allowed: 1 to {}", config.factor, kMostFactor));
  }
  if (config.block_frames < 1 || config.block_frames > kMostBlock) {
    refuse(fmt::format("block_frames is {}; allowed: 1 to {}", config.block_frames, kMostBlock));
  }
  if (bank.size() != 1 && bank.size() != config.channels) {
    refuse(
        fmt::format("{} filters do not fit {} channels; give 1 filter for all, or {}, one a "
                    "channel",
                    bank.size(), config.channels, config.channels));
  }
}

/// From `first_frame` on, frames to the next multiple of `factor`: 0 to factor - 1.
std::size_t to_next_kept(std::int64_t first_frame, std::size_t factor) {
  const auto m = static_cast<std::int64_t>(factor);
  const std::int64_t past = (first_frame % m + m) % m;
  return static_cast<std::size_t>(past == 0 ? 0 : m - past);
}

}  // namespace

/// Takes a stretch of input of up to piece() frames, `kept` frames before the first one that is
/// put out, and writes all that it keeps to `out`, `put` frames on.
class Decimator::Form {
 public:
  virtual ~Form() = default;
  virtual std::size_t piece() const noexcept = 0;
  virtual void take(const float* const* in, std::size_t offset, std::size_t frames,
                    std::size_t kept, float* const* out, std::size_t put) noexcept = 0;
  virtual void forget() noexcept = 0;
};

class Decimator::Direct final : public Decimator::Form {
 public:
  Direct(const DecimatorConfig& config, const FilterBank& bank)
      : factor_(config.factor),
        longest_(bank.longest()),
        fir_(*direct_fir<float>(best_instruction_set())),
        history_(config.channels, bank.longest() + kPiece, bank.longest()) {
    for (std::size_t f = 0; f < bank.size(); ++f) {
      const auto taps = bank.taps(f);
      auto& reversed = reversed_.emplace_back(taps.size());
      std::transform(taps.rbegin(), taps.rend(), reversed.begin(),
                     [](double tap) { return static_cast<float>(tap); });
    }
  }

  std::size_t piece() const noexcept override { return kPiece; }

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
      float* to = out[c] + put;
      for (std::size_t n = kept; n < frames; n += factor_, ++to) {
        float sum = 0;
        const float* const newest =
            history_.at(c, clock + static_cast<std::int64_t>(n), reversed.size() - 1);
        fir_.add(newest, reversed.data(), reversed.size(), &sum, 1);
        *to = std::isfinite(sum) ? sum : std::numeric_limits<float>::quiet_NaN();
      }
    }
    history_.advance(frames);
  }

  void forget() noexcept override { history_.clear_past(longest_ - 1); }

 private:
  static constexpr std::size_t kPiece = 4'096;

  std::size_t factor_;
  std::size_t longest_;
  const DirectFir<float>& fir_;
  InputHistory<float> history_;
  std::vector<AlignedVector<float>> reversed_;  // of each filter, last tap first
};

class Decimator::Polyphase final : public Decimator::Form {
 public:
  Polyphase(const DecimatorConfig& config, const FilterBank& bank)
      : channels_(config.channels),
        factor_(config.factor),
        phases_(std::min(config.factor, bank.longest())),
        most_(std::max(config.block_frames / config.factor, std::min<std::size_t>(64, kPiece))),
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
  static constexpr std::size_t kPiece = 64;  // columns

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

Decimator::Decimator(const DecimatorConfig& config, const FilterBank& bank)
    : channels_(config.channels), factor_(config.factor), chosen_(config.form) {
  check(config, bank);
  if (chosen_ == DecimatorForm::kAuto) {
    chosen_ = DecimatorForm::kDirect;
  }
  if (chosen_ == DecimatorForm::kDirect) {
    form_ = std::make_unique<Direct>(config, bank);
  } else {
    form_ = std::make_unique<Polyphase>(config, bank);
  }
}

Decimator::~Decimator() = default;

void Decimator::reset() noexcept {
  form_->forget();
  position_.forget();
}

DecimatedFrames Decimator::process(const float* const* in, std::size_t frames,
                                   std::int64_t first_frame, float* const* out) noexcept {
  if (frames > 0 && !position_.take(first_frame, frames)) form_->forget();
  std::size_t kept = to_next_kept(first_frame, factor_);
  DecimatedFrames result;
  result.first_frame = first_frame + static_cast<std::int64_t>(kept);
  for (std::size_t offset = 0; offset < frames;) {
    const std::size_t count = std::min(frames - offset, form_->piece());
    form_->take(in, offset, count, kept, out, result.frames);
    const std::size_t put = kept < count ? (count - 1 - kept) / factor_ + 1 : 0;
    result.frames += put;
    kept = kept + put * factor_ - count;
    offset += count;
  }
  return result;
}

}  // namespace firbank
