// What a thread waits for when it sleeps until a block is due, tried with this and that changed.
//
// Each measures how late a thread wakes that has nothing else to do than to wake every millisecond.
// Nothing is changed but this thread, or what the kernel forgets with it. A trial that is not
// permitted here, or was stopped, gives nothing.
//
// Thread:   one.
// Realtime: no.
#pragma once

#include <optional>

#include "demos/firbank/doctor/trial.hpp"

namespace firbank::program {

/// The ordinary scheduler against SCHED_FIFO.
std::optional<Trial> try_real_time(const TrialRules& rules);

/// The timer slack that the thread has against 1 ns, under the ordinary scheduler: a real-time one
/// knows none.
std::optional<Trial> try_timer_slack(const TrialRules& rules);

/// Idle states as the kernel chooses them against none deeper than polling. In real time, where
/// that is permitted.
std::optional<Trial> try_shallow_idle(const TrialRules& rules);

/// Sleeping until a block is due against looking at the clock for the last 0.3 ms. In real time,
/// where that is permitted.
std::optional<Trial> try_spinning(const TrialRules& rules);

}  // namespace firbank::program
