// measure_costs: what a plan is chosen by, measured on this machine.
//
// A program measures once, keeps the result, and gives it to every engine as EngineConfig::costs.
#pragma once

#include <functional>

#include "engine/cost_model.hpp"
#include "kernels/backend.hpp"

namespace firbank {

/// Measures every constant of the model through the backend's bulk operations, in CPU time of the
/// calling thread, in about a second. Other work on the machine disturbs it little: of several
/// repetitions the least counts, or, where memory is what is waited for, the median. All values are
/// finite and above 0; those of transforms and products never fall. Takes up to 160 MiB of memory,
/// and no more than an eighth of the machine's: products that would need more are taken to cost as
/// much as those that do not. `Sample` is float or double, as in the engine.
///
/// `progress` is told the share that is done, 0 to 1.
///
/// Thread:   any; with nothing else to do meanwhile.
/// Realtime: no.
/// Throws:   Error when the backend has no shares, as on a GPU, whose time is not the thread's;
///           BackendError; std::bad_alloc.
template <class Sample>
CostModel measure_costs(const Backend& backend,
                        const std::function<void(double done)>& progress = {});

extern template CostModel measure_costs<float>(const Backend&, const std::function<void(double)>&);
extern template CostModel measure_costs<double>(const Backend&, const std::function<void(double)>&);

}  // namespace firbank
