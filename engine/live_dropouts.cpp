#include "engine/live_dropouts.hpp"

#include <chrono>
#include <cmath>

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void add_one(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(kRelaxed) + 1, kRelaxed);
}

}  // namespace

LiveDropouts::LiveDropouts(double sample_rate_hz) noexcept
    : sample_rate_hz_(sample_rate_hz), made_ns_(now_ns()) {}

void LiveDropouts::note_glitch(const DeviceGlitches& glitches) noexcept {
  glitches_.input_overflow |= glitches.input_overflow;
  glitches_.input_underflow |= glitches.input_underflow;
  glitches_.output_underflow |= glitches.output_underflow;
  glitches_.output_overflow |= glitches.output_overflow;
}

void LiveDropouts::begin_call(std::int64_t frame, double lasts_ns) noexcept {
  begun_ns_ = now_ns();
  lasts_ns_ = lasts_ns;
  frame_ = frame;
  times_.begin(begun_ns_, lasts_ns);
  settle_glitches();
}

/// Which stage took the time is known only once the call has come, late or not.
void LiveDropouts::settle_glitches() noexcept {
  if (!glitches_.any()) return;
  const LiveBlame blame = times_.blame();
  add_one(xruns_);
  count(blame.stage);
  if (glitches_.input_overflow) note(LiveEventKind::kInputOverflow, blame);
  if (glitches_.input_underflow) note(LiveEventKind::kInputUnderflow, blame);
  if (glitches_.output_underflow) note(LiveEventKind::kOutputUnderflow, blame);
  if (glitches_.output_overflow) note(LiveEventKind::kOutputOverflow, blame);
  glitches_ = {};
}

void LiveDropouts::end_call(std::int64_t missing_frames) noexcept {
  const std::int64_t missing = missing_frames - missing_frames_;
  missing_frames_ = missing_frames;
  if (missing > 0) {
    const double excess_ns = 1e9 * static_cast<double>(missing) / sample_rate_hz_;
    count(LiveStage::kDevice);
    note(LiveEventKind::kLateAnswer, {LiveStage::kDevice, std::llround(excess_ns)});
  }
  const std::int64_t now = now_ns();
  load_.record(now - begun_ns_, lasts_ns_);
  if (times_.end(now)) note(LiveEventKind::kLateCall, times_.blame());
}

void LiveDropouts::note_gap(std::int64_t frame, double seconds) noexcept {
  frame_ = frame;
  note(LiveEventKind::kGap, {LiveStage::kCard, std::llround(1e9 * seconds)});
  add_one(gaps_);
  gap_seconds_.store(gap_seconds_.load(kRelaxed) + seconds, kRelaxed);
  glitches_ = {};
  times_.restart();
}

void LiveDropouts::tell(LiveStatus& status) const noexcept {
  status.seconds = 1e-9 * static_cast<double>(now_ns() - made_ns_);
  status.xruns = xruns_.load(kRelaxed);
  for (std::size_t i = 0; i < kLiveStages; ++i) status.dropouts[i] = dropouts_[i].load(kRelaxed);
  status.gaps = gaps_.load(kRelaxed);
  status.gap_seconds = gap_seconds_.load(kRelaxed);
  status.load = load_.reading();
}

void LiveDropouts::count(LiveStage stage) noexcept {
  add_one(dropouts_[static_cast<std::size_t>(stage)]);
}

void LiveDropouts::note(LiveEventKind kind, const LiveBlame& blame) noexcept {
  LiveEvent event;
  event.kind = kind;
  event.frame = frame_;
  event.time_ns = now_ns() - made_ns_;
  event.blame = blame;
  events_.add(event);
}

}  // namespace firbank
