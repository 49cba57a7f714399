// How well events match the spikes that there were.
//
// An event and a spike match when they are at most `tolerance_frames` apart, on the same channel or
// its neighbours. Precision is the share of events that match a spike; recall the share of spikes
// that an event matches. Spikes near lost frames, which nobody could have seen whole, and all in
// the first `skip_frames`, in which the noise is not known yet, do not count in recall.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace firbank::probe {

struct Mark {
  std::int64_t frame = 0;
  std::int64_t channel = 0;
};

struct LostFrames {
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;

  bool operator==(const LostFrames&) const = default;
};

struct ScoreRules {
  std::int64_t tolerance_frames = 15;
  std::int64_t neighbours = 1;
  std::int64_t skip_frames = 0;
  std::int64_t loss_margin_frames = 60;
};

struct Score {
  std::size_t events = 0;
  std::size_t true_events = 0;
  std::size_t spikes = 0;
  std::size_t found_spikes = 0;

  double precision() const { return ratio(true_events, events); }
  double recall() const { return ratio(found_spikes, spikes); }

 private:
  static double ratio(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

/// All lists in the order of their frames.
Score score(const std::vector<Mark>& spikes, const std::vector<Mark>& events,
            const std::vector<LostFrames>& losses, const ScoreRules& rules);

}  // namespace firbank::probe
