// What a block's own work waits for, tried with this and that changed: pages that are not there
// yet, small pages, and subnormal numbers. A trial that is not possible here, or was stopped, gives
// nothing.
//
// Thread:   one.
// Realtime: no.
#pragma once

#include <optional>

#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/trial.hpp"

namespace firbank::program {

/// The first touch of a MiB of fresh memory against one whose pages are there: by mlockall, as
/// real-time programs have it, or where that is not permitted by asking for this memory's.
std::optional<Trial> try_locked_memory(const TrialRules& rules);

/// A MiB of a sweep over 64 MiB in huge pages, as the engine asks for, against small ones. None
/// where the kernel gives no huge ones; `files` tell.
std::optional<Trial> try_huge_pages(const TrialRules& rules, const SystemFiles& files);

/// 65,536 steps of a recursion that has decayed to subnormal numbers: flushed to zero, as the
/// engine does, against computed.
std::optional<Trial> try_subnormals(const TrialRules& rules);

}  // namespace firbank::program
