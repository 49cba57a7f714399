// What this process is permitted: real time, locked memory, and how much of real time there is.
//
// Thread: any.
#pragma once

#include <optional>

#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

/// `tried`: what came of asking for it, which is what counts; without it the limits tell.
Reading real_time_right(const SystemFiles& files, const std::optional<Grant>& tried);
Reading memory_lock_right(const SystemFiles& files, const std::optional<Grant>& tried);

/// How much of each period real-time threads may take.
Reading real_time_share(const SystemFiles& files);

}  // namespace firbank::program
