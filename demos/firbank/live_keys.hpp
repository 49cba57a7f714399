// What a key asks of a live run.
#pragma once

#include <cstddef>
#include <optional>

#include "demos/firbank/monitor/control_queue.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

/// Nothing for keys that ask for no change. `choice` of `choices` filters is the present one.
std::optional<ControlRequest> request_of(char key, const LiveStatus& status, std::size_t choice,
                                         std::size_t choices);

}  // namespace firbank::program
