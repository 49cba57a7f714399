#include "engine/stages/decimator.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "engine/stages/decimation_form.hpp"
#include "io/error.hpp"

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

Decimator::Decimator(const DecimatorConfig& config, const FilterBank& bank)
    : channels_(config.channels), factor_(config.factor), chosen_(config.form) {
  check(config, bank);
  if (chosen_ == DecimatorForm::kAuto) chosen_ = cheapest_form(config, bank);
  form_ = make_form(chosen_, config, bank);
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
  result.first_frame = frame_after(first_frame, kept);
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
