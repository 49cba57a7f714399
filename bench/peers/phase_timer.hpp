// The load's shape: the least time seen at each phase of a cycle of calls, which the machine's
// noise does not reach, and from these the mean call and the worst one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace peers {

struct PhaseTimes {
  std::size_t cycle = 0;    // calls
  std::size_t repeats = 0;  // of the cycle
  double mean_seconds = 0;
  double worst_seconds = 0;
};

/// Times `call()` over at least `repeats` cycles and `least_seconds`.
template <class Call>
PhaseTimes time_phases(std::size_t cycle, std::size_t repeats, double least_seconds, Call&& call) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  double reading = std::numeric_limits<double>::infinity();  // of the clock itself
  for (int n = 0; n < 1'000; ++n) {
    const Clock::time_point begin = Clock::now();
    reading = std::min(reading, Seconds(Clock::now() - begin).count());
  }
  std::vector<double> least(cycle, std::numeric_limits<double>::infinity());
  PhaseTimes times;
  times.cycle = cycle;
  const Clock::time_point start = Clock::now();
  while (times.repeats < repeats || Seconds(Clock::now() - start).count() < least_seconds) {
    for (double& phase : least) {
      const Clock::time_point begin = Clock::now();
      call();
      phase = std::min(phase, Seconds(Clock::now() - begin).count() - reading);
    }
    ++times.repeats;
  }
  times.mean_seconds =
      std::accumulate(least.begin(), least.end(), 0.0) / static_cast<double>(cycle);
  times.worst_seconds = *std::max_element(least.begin(), least.end());
  return times;
}

}  // namespace peers
