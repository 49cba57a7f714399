// Clocks, in seconds.
#pragma once

#include <ctime>

namespace peers {

inline double clock_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Processor time of all threads of this process: a peer's own threads count.
inline double cpu_seconds() {
  return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}
inline double wall_seconds() {
  return clock_seconds(CLOCK_MONOTONIC);
}

}  // namespace peers
