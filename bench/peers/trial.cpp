#include <algorithm>
#include <limits>

#include "bench/peers/feed.hpp"
#include "bench/peers/peer.hpp"
#include "bench/peers/stopwatch.hpp"

namespace peers {
namespace {

constexpr int kTrialRounds = 3;

/// The least processor time of a block, over a few rounds.
double trial_seconds(Peer& peer, const Setting& setting) {
  Feed feed(setting.routing, setting.block_frames);
  // At least one turn of the longest partition of any peer.
  const std::size_t least = 8'192 / setting.block_frames + 1;
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round <= kTrialRounds; ++round) {
    const double begin = cpu_seconds();
    double spent = 0;
    std::size_t blocks = 0;
    while (blocks < least || spent < setting.trial_seconds) {
      feed.run(peer, least);
      blocks += least;
      spent = cpu_seconds() - begin;
    }
    // The first round fills the caches.
    if (round > 0) best = std::min(best, spent / static_cast<double>(blocks));
  }
  return best;
}

}  // namespace

std::unique_ptr<Peer> fastest(const std::vector<MakePeer>& variants, const Setting& setting) {
  const MakePeer* best = &variants.front();
  double least = std::numeric_limits<double>::infinity();
  for (const MakePeer& make : variants) {
    if (variants.size() == 1) break;
    const double seconds = trial_seconds(*make(), setting);
    if (seconds >= least) continue;
    least = seconds;
    best = &make;
  }
  return (*best)();
}

}  // namespace peers
