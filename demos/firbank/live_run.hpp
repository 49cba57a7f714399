// A live run: devices opened, filters heard, keys obeyed, until it is ended.
#pragma once

#include "demos/firbank/live_report.hpp"
#include "demos/firbank/live_settings.hpp"

namespace firbank::program {

/// Plays until a key, a signal or --seconds ends it. A device that goes away in mid-stream is tried
/// again until it is back; one line says so each time. Throws: Error when it cannot begin, or the
/// record cannot be completed.
LiveReport run_live(const LiveSettings& settings);

}  // namespace firbank::program
