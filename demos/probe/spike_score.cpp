#include "demos/probe/spike_score.hpp"

#include <algorithm>
#include <cstdlib>

namespace firbank::probe {
namespace {

bool has_match(const Mark& mark, const std::vector<Mark>& others, const ScoreRules& rules) {
  auto at =
      std::lower_bound(others.begin(), others.end(), mark.frame - rules.tolerance_frames,
                       [](const Mark& other, std::int64_t frame) { return other.frame < frame; });
  for (; at != others.end() && at->frame <= mark.frame + rules.tolerance_frames; ++at) {
    if (std::abs(at->channel - mark.channel) <= rules.neighbours) return true;
  }
  return false;
}

bool is_near(std::int64_t frame, const std::vector<LostFrames>& losses, std::int64_t margin) {
  auto at = std::lower_bound(losses.begin(), losses.end(), frame - margin,
                             [](const LostFrames& loss, std::int64_t first) {
                               return loss.first_frame + loss.frames <= first;
                             });
  return at != losses.end() && at->first_frame <= frame + margin;
}

}  // namespace

Score score(const std::vector<Mark>& spikes, const std::vector<Mark>& events,
            const std::vector<LostFrames>& losses, const ScoreRules& rules) {
  Score result;
  for (const Mark& event : events) {
    if (event.frame < rules.skip_frames) continue;
    ++result.events;
    if (has_match(event, spikes, rules)) ++result.true_events;
  }
  for (const Mark& spike : spikes) {
    if (spike.frame < rules.skip_frames) continue;
    if (is_near(spike.frame, losses, rules.loss_margin_frames)) continue;
    ++result.spikes;
    if (has_match(spike, events, rules)) ++result.found_spikes;
  }
  return result;
}

}  // namespace firbank::probe
