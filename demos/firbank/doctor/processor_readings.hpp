// How this machine's processors run, rest and tell the time.
//
// Thread: any.
#pragma once

#include <string>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

Reading governor_reading(const SystemFiles& files);

/// The deepest state that is allowed, and how long it takes to leave it. `request_refused`: why
/// /dev/cpu_dma_latency cannot be held; empty where it can.
Reading idle_reading(const SystemFiles& files, const std::string& request_refused);

/// Whether processors share a core's arithmetic.
Reading sibling_reading(const SystemFiles& files);

/// Whether some processors are kept free of other threads.
Reading isolation_reading(const SystemFiles& files);

Reading preemption_reading(const SystemFiles& files);

/// How late the kernel may let a timer of this process be, to serve several at once.
Reading timer_slack_reading(const SystemFiles& files);

/// What a reading of the clock costs; the laboratory takes dozens a block.
Reading clock_reading(const SystemFiles& files, const ClockFacts& clock);

}  // namespace firbank::program
