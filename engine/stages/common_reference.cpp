#include "engine/stages/common_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "io/error.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/channel_centre.hpp"

namespace firbank {
namespace {

constexpr std::size_t kPieceFrames = 256;  // one reference, which stays in the first cache

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kConfiguration, message);
}

}  // namespace

struct CommonReference::Scratch {
  explicit Scratch(std::size_t most_channels)
      : work(most_channels * ChannelCentre::kTile), centre(kPieceFrames) {
    counting.reserve(most_channels);
  }

  std::vector<float*> counting;  // planes of a group that are not bad
  AlignedVector<std::int32_t> work;
  AlignedVector<float> centre;
};

CommonReference::CommonReference(const CommonReferenceConfig& config)
    : channels_(config.channels),
      kind_(config.kind),
      groups_(config.groups),
      largest_(config.largest),
      kernel_(channel_centre(best_instruction_set())) {
  if (channels_ == 0) refuse("reference: channels is 0; at least 1 is needed");
  if (!(largest_ > 0) || !std::isfinite(largest_)) {
    refuse(fmt::format("reference: largest is {}; a finite number above 0 is needed", largest_));
  }
  if (groups_.empty()) {
    groups_.emplace_back(channels_);
    std::iota(groups_[0].begin(), groups_[0].end(), std::size_t{0});
  }
  std::vector<bool> taken(channels_, false);
  std::size_t most = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].empty()) {
      refuse(fmt::format("reference: group {} has no channels; at least 1 is needed", g));
    }
    for (const std::size_t channel : groups_[g]) {
      if (channel >= channels_) {
        refuse(fmt::format("reference: channel {} of group {} is not there; 0 to {} are allowed",
                           channel, g, channels_ - 1));
      }
      if (taken[channel]) {
        refuse(
            fmt::format("reference: channel {} of group {} is in a group already; each may be "
                        "in one group, once",
                        channel, g));
      }
      taken[channel] = true;
    }
    most = std::max(most, groups_[g].size());
  }
  bad_ = std::make_unique<std::atomic<bool>[]>(channels_);
  scratch_ = std::make_unique<Scratch>(most);
}

CommonReference::~CommonReference() = default;

void CommonReference::set_bad(std::size_t channel, bool is_bad) noexcept {
  if (channel < channels_) bad_[channel].store(is_bad, std::memory_order_relaxed);
}

bool CommonReference::is_bad(std::size_t channel) const noexcept {
  return channel < channels_ && bad_[channel].load(std::memory_order_relaxed);
}

void CommonReference::process(float* const* planes, std::size_t frames) noexcept {
  for (const auto& group : groups_) process_group(group, planes, frames);
}

void CommonReference::process_group(const std::vector<std::size_t>& group, float* const* planes,
                                    std::size_t frames) noexcept {
  auto& counting = scratch_->counting;
  counting.clear();
  for (const std::size_t channel : group) {
    if (!is_bad(channel)) counting.push_back(planes[channel]);
  }
  const auto run = kind_ == ReferenceKind::kMean ? kernel_->mean : kernel_->median;
  float* const centre = scratch_->centre.data();
  for (std::size_t first = 0; first < frames; first += kPieceFrames) {
    const std::size_t count = std::min(kPieceFrames, frames - first);
    run(counting.data(), counting.size(), first, count, largest_, scratch_->work.data(), centre);
    for (float* const plane : counting) {
      for (std::size_t n = 0; n < count; ++n) plane[first + n] -= centre[n];
    }
  }
}

}  // namespace firbank
