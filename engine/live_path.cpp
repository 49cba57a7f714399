#include "engine/live_path.hpp"

#include <algorithm>

namespace firbank {
namespace {

/// `sum` += `sign` x `counts`; of positions the earlier one stays.
void add(Stats& sum, const Stats& counts, std::int64_t sign) noexcept {
  const auto add_one = [sign](auto& total, auto count) {
    using Count = decltype(count);
    total = sign > 0 ? static_cast<Count>(total + count) : static_cast<Count>(total - count);
  };
  add_one(sum.frames, counts.frames);
  add_one(sum.calls, counts.calls);
  add_one(sum.spoiled_frames, counts.spoiled_frames);
  add_one(sum.gaps, counts.gaps);
  add_one(sum.gap_frames, counts.gap_frames);
  add_one(sum.swaps, counts.swaps);
  add_one(sum.lost_frames, counts.lost_frames);
  add_one(sum.truncated_frames, counts.truncated_frames);
  add_one(sum.late_frames, counts.late_frames);
}

/// Of what is heard now, unless there was one before.
void keep_first(std::int64_t& first, std::int64_t own, std::int64_t origin) noexcept {
  if (first == Stats::kNone && own != Stats::kNone) first = own + origin;
}

}  // namespace

LivePath::LivePath(const LivePathConfig& config, const FilterBank& bank, const Routing& routing,
                   std::uint64_t tickets)
    : sample_rate_hz_(config.engine.sample_rate_hz),
      block_frames_(config.engine.block_frames),
      engine_(config.engine, bank, routing),
      on_gpu_(!engine_.backend().starts_with("cpu")),
      slack_frames_(config.gpu_slack_frames != 0 ? config.gpu_slack_frames
                                                 : config.engine.block_frames),
      latency_frames_(on_gpu_ ? engine_.latency_frames() + slack_frames_ : 0),
      tickets_before_(tickets),
      dry_(engine_.inputs(), engine_.outputs(), latency_frames_ + config.dry_delay_frames,
           engine_.max_frames()),
      wet_samples_(engine_.outputs() * engine_.max_frames()),
      wet_(engine_.outputs()) {
  for (std::size_t c = 0; c < wet_.size(); ++c) {
    wet_[c] = wet_samples_.data() + c * engine_.max_frames();
  }
}

void LivePath::begin_at(std::int64_t first_frame) noexcept {
  frame_ = first_frame;
  origin_ = first_frame;
}

void LivePath::hear_past(const float* const* in, std::size_t frames) noexcept {
  dry_.process(in, frames);
  engine_.process(in, wet_.data(), frames);
  frame_ += static_cast<std::int64_t>(frames);
}

void LivePath::start() {
  if (on_gpu_) rings_ = std::make_unique<RingDrive>(engine_, slack_frames_);
}

void LivePath::process(const float* const* in, std::size_t frames) noexcept {
  dry_.process(in, frames);
  if (rings_) {
    rings_->process(in, wet_.data(), frames);
    frames_started_ += frames;
  } else {
    engine_.process(in, wet_.data(), frames);
  }
  frame_ += static_cast<std::int64_t>(frames);
}

void LivePath::restart(std::int64_t first_frame) {
  if (rings_) {
    rings_->restart();
  } else {
    engine_.reset();
  }
  dry_.reset();
  frame_ = first_frame;
  origin_ = first_frame - engine_.position();
}

std::uint64_t LivePath::swap(const FilterBank& bank, std::size_t crossfade_frames) {
  // Two blocks more than needed: some come while the spectra are made here.
  const std::size_t lead = engine_.plan().swap_lead_frames() + 2 * block_frames_;
  return tickets_before_ +
         engine_.swap(bank, engine_.position() + static_cast<std::int64_t>(lead), crossfade_frames);
}

std::optional<std::int64_t> LivePath::live_frame(std::uint64_t ticket) const noexcept {
  if (ticket <= tickets_before_) return heard_from();
  const auto frame = engine_.live_frame(ticket - tickets_before_);
  if (!frame) return std::nullopt;
  return *frame + origin_.load();
}

LivePathCounts LivePath::own_counts() const noexcept {
  LivePathCounts counts;
  counts.engine = engine_.stats();
  counts.late_frames = rings_ ? rings_->late_frames() : 0;
  counts.refused_frames = rings_ ? rings_->refused_frames() : 0;
  return counts;
}

void LivePath::carry(const LivePathCounts& before) noexcept {
  const LivePathCounts own = own_counts();
  carried_ = before;
  add(carried_.engine, own.engine, -1);
  carried_.late_frames -= own.late_frames;
  carried_.refused_frames -= own.refused_frames;
}

LivePathCounts LivePath::counts() const noexcept {
  const LivePathCounts own = own_counts();
  const std::int64_t origin = origin_.load();
  LivePathCounts counts = carried_;
  add(counts.engine, own.engine, 1);
  counts.late_frames += own.late_frames;
  counts.refused_frames += own.refused_frames;
  Stats& stats = counts.engine;
  keep_first(stats.first_spoiled_frame, own.engine.first_spoiled_frame, origin);
  keep_first(stats.first_gap_frame, own.engine.first_gap_frame, origin);
  keep_first(stats.first_lost_frame, own.engine.first_lost_frame, origin);
  keep_first(stats.first_late_frame, own.engine.first_late_frame, origin);
  keep_first(stats.fail_over_frame, own.engine.fail_over_frame, origin);
  stats.truncated_taps = own.engine.truncated_taps;
  return counts;
}

std::int64_t LivePath::missing_frames() const noexcept {
  return rings_ ? counts().missing_frames() : carried_.missing_frames();
}

}  // namespace firbank
