// With whom this process shares the machine's time: a host, other programs, limits of its group.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>

#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

/// What all processors have done since the machine was started, in ticks of 10 ms or so each.
struct ProcessorTicks {
  std::uint64_t busy = 0;  // of this machine's own
  std::uint64_t stolen = 0;
  std::uint64_t idle = 0;

  std::uint64_t all() const { return busy + stolen + idle; }
};

std::optional<ProcessorTicks> processor_ticks(const SystemFiles& files);

/// What passed between two readings; none where there is not enough of it to tell a percent.
std::optional<ProcessorTicks> ticks_between(const std::optional<ProcessorTicks>& begin,
                                            const std::optional<ProcessorTicks>& end);

/// The share of `meanwhile` that neither was idle nor this process's own, which used `own_seconds`.
double percent_of_others(const ProcessorTicks& meanwhile, double own_seconds);

Reading hypervisor_reading(const SystemFiles& files);

/// `meanwhile`: while the trials ran.
Reading stolen_time_reading(const std::optional<ProcessorTicks>& meanwhile);

Reading load_reading(const SystemFiles& files);
Reading pressure_reading(const SystemFiles& files);
Reading cgroup_reading(const SystemFiles& files);

/// Whether a program moves interrupts from processor to processor.
Reading interrupt_reading(const SystemFiles& files);

}  // namespace firbank::program
