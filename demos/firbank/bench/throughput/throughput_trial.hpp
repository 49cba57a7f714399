// ThroughputTrial: an engine of one row, proven right and then driven back to back, stretch by
// stretch.
//
// On a CPU a call is process(); with blocks under way, as a GPU wants them, submit() and collect().
// A stretch is a whole number of the plan's cycles, so that each holds the same work.
//
// Thread:   one at a time.
// Realtime: no.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "demos/firbank/bench/throughput/throughput_row.hpp"
#include "engine/partition_plan.hpp"
#include "engine/plan_floor.hpp"

namespace firbank::program {

/// What was computed at once, and what it took.
struct Stretch {
  double frames = 0;
  double processor_s = 0;  // of all threads of this process
  double clock_s = 0;
};

class ThroughputTrial {
 public:
  virtual ~ThroughputTrial() = default;

  /// The worst relative L2 error of a few outputs of `bank`, every tap of whose filters is heard;
  /// the engine's own bank unless it is to be found wrong. To be called before anything else.
  virtual double error_against(const FilterBank& bank) = 0;

  /// Fills the filters, and finds out how many frames a stretch of `seconds` has.
  virtual void warm_up(double seconds) = 0;

  /// Some frames that are not counted, and a stretch that is.
  virtual Stretch measure() = 0;

  virtual std::size_t call_frames() const = 0;
  virtual std::size_t warm_up_frames() const = 0;  // before the first stretch
  virtual const PartitionPlan& plan() const = 0;
  virtual const PlanFloor& floor() const = 0;
  virtual const std::string& backend() const = 0;
  virtual const std::string& instruction_set() const = 0;
  virtual bool on_cpu() const = 0;
};

/// `stopped` is asked from cycle to cycle; once it is true, what is under way ends early.
/// Throws: Error, BackendError, std::bad_alloc; Error also later, when a device is lost.
std::unique_ptr<ThroughputTrial> make_throughput_trial(const ThroughputRow& row,
                                                       std::function<bool()> stopped);

/// The largest error that a row's arithmetic may have.
double error_limit(const ThroughputRow& row);

}  // namespace firbank::program
