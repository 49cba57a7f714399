// UncachedCopy: a copy past the caches, on one instruction set.
//
// What is stored as usual is read first, line by line, and pushes out of the caches what would be
// read from them. A target that the caches do not hold until it is read is better stored past them.
//
// Thread:   any.
// Realtime: copying is safe.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

/// to[n] = from[n] for n below `bytes`; they do not overlap. Other threads see it once they are
/// told of it, as with any store.
using UncachedCopy = void (*)(const void* from, void* to, std::size_t bytes) noexcept;

/// Null when this build has none for `set`; whether the processor runs it is the caller's to ask.
/// An instruction set without vectors copies as usual.
UncachedCopy uncached_copy(InstructionSet set) noexcept;

/// Of the processor's last level. A copy whose source and target together are more does not stay in
/// the caches. Set-up: it asks the system.
std::size_t last_level_cache_bytes() noexcept;

}  // namespace firbank
