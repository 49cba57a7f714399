// MachineFloor: what one core of this machine can do at most, measured: reads by the size of what
// is read, and single-precision multiply-adds; and how much two cores do together.
#pragma once

#include <vector>

namespace peers {

struct ReadRate {
  double bytes = 0;             // gone through in turn
  double bytes_per_second = 0;  // one thread
  double two_threads = 0;       // both together, each through its own, in times one thread
};

struct MachineFloor {
  std::vector<ReadRate> reads;  // by size, rising
  double peak_flops = 0;        // a second, one thread; a multiply-add is two
  double two_threads = 0;       // both together, in times one thread

  /// Between the measured sizes, on a logarithmic scale.
  double read_bytes_per_second(double bytes) const;
  double two_thread_reads(double bytes) const;
};

/// Takes a few seconds; `quick` measures a few sizes badly.
MachineFloor measure_machine(bool quick);

}  // namespace peers
