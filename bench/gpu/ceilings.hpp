// The two halves of gpu_ceilings. Each prints its figures.
#pragma once

namespace firbank::bench {

/// Memory, level-2 cache and the way between host and device.
void tell_bandwidths(bool quick);

/// From the host to the device and back, with nothing to do there. `seconds` each.
void tell_round_trips(double seconds);

}  // namespace firbank::bench
