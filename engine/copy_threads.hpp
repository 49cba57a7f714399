// How many threads a stream of files wants beside a GPU.
//
// Thread:   any.
// Realtime: no: set-up only.
#pragma once

#include <cstddef>

namespace firbank {

/// EngineConfig::threads for GpuMode::kThroughput, unless there is a reason for another number: as
/// many as the processor has, up to 8. By computation, not measured yet: a thread copies some 10
/// GB/s, and a bus of 55 GB/s each way is waiting for all of the copies together.
std::size_t copy_threads() noexcept;

}  // namespace firbank
