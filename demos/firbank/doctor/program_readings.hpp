// This program itself: how it was built, and what the engine does about subnormal numbers.
//
// Thread: any.
#pragma once

#include <string>

#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

/// `slow_because`: as slow_build() tells.
Reading build_reading(const std::string& slow_because);

/// Whether a subnormal input is zero to a running engine: it is filtered here, and looked at.
bool engine_flushes_subnormals();

Reading subnormal_reading(bool flushed);

}  // namespace firbank::program
