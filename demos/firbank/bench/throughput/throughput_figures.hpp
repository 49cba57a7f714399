// ThroughputFigures: what a row's stretches come to, beside what its plan needs and the machine
// can do: a point of a roofline (S. Williams, A. Waterman, D. Patterson: "Roofline: an insightful
// visual performance model for multicore architectures", Communications of the ACM 52, 2009).
//
// Rates are of a second of processor time of all threads on a CPU, of the clock on a device: of
// the stretch in the middle when they are put in order.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/bench/throughput/throughput_run.hpp"

namespace firbank::program {

struct ThroughputFigures {
  Stretch median;     // the stretch that the rates are of
  double spread = 0;  // of all stretches' rates, the middle half's width over the median
  double sample_taps_per_s = 0;
  double times_realtime = 0;
  double clock_times_realtime = 0;  // by the clock in any case
  double flops_per_s = 0;           // the plan's floor
  double bytes_per_s = 0;           // likewise
  double bus_bytes_per_s = 0;       // samples to a device and home
  double working_set_bytes = 0;     // the largest that is gone through in turn

  /// Beside the machine's ceilings, where there are any.
  struct Roof {
    double flops_per_s = 0;         // that the plan could reach at most
    double share_of_peak = 0;       // of multiply-adds
    double share_of_bandwidth = 0;  // of the time, if all reads took what they must
    bool bound_by_reads = false;    // rather than by arithmetic
  };
  std::optional<Roof> roof;
};

/// Of a row that has a stretch.
ThroughputFigures throughput_figures(const ThroughputResult& result,
                                     const std::optional<MachineCeilings>& ceilings);

/// Why a report should not be relied on; empty where it may.
std::vector<std::string> throughput_doubts(const ThroughputReport& report);

/// Of all rows: the geometric mean of samples times taps a second; nothing where none was measured.
std::optional<double> throughput_headline(const ThroughputReport& report);

}  // namespace firbank::program
