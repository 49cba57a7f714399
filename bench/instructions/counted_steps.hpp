// The stretch of a run in which instructions are counted.
#pragma once

#include <cstddef>
#include <functional>

/// Calls `step` so many times. Callgrind is told to count while this function runs, and looks for
/// it by this name: hence C, and a source of its own, so that no compiler makes it part of its
/// caller or a copy with another name.
extern "C" void firbank_counted_steps(const std::function<void()>& step, std::size_t steps);
