#include "engine/call_times.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

// Of the frames of a call: what a waking may vary by without being to blame.
constexpr double kUsualJitter = 0.5;
// Of the time that passes: how fast the schedule follows calls that come early, which is more than
// two clocks differ by and less than matters within one period of a device.
constexpr double kFollows = 0.02;

}  // namespace

void CallTimes::begin(std::int64_t now_ns, double lasts_ns) noexcept {
  ++calls_;
  const auto now = static_cast<double>(now_ns);
  if (calls_ > 1) {
    const double late = now - due_ns_;
    // What the call before took too long is not the waking's fault.
    const double waited = late - overrun_ns_;
    if (waited > kUsualJitter * lasts_ns_) note(LiveStage::kWait, waited);
    // Late calls are the new schedule: what was lost does not come back.
    due_ns_ = std::max(now, due_ns_ - kFollows * lasts_ns_);
  } else {
    due_ns_ = now;
  }
  due_ns_ += lasts_ns;
  lasts_ns_ = lasts_ns;
  begun_ns_ = now_ns;
  overrun_ns_ = 0;
}

bool CallTimes::end(std::int64_t now_ns) noexcept {
  const double excess = static_cast<double>(now_ns - begun_ns_) - lasts_ns_;
  if (excess <= 0) return false;
  overrun_ns_ = excess;
  note(LiveStage::kCompute, excess);
  return true;
}

void CallTimes::note(LiveStage stage, double excess_ns) noexcept {
  newest_ = {stage, std::llround(excess_ns)};
  newest_call_ = calls_;
}

LiveBlame CallTimes::blame() const noexcept {
  const bool is_recent = newest_call_ > 0 && calls_ - newest_call_ < kBlamedCalls;
  return is_recent ? newest_ : LiveBlame{};
}

}  // namespace firbank
