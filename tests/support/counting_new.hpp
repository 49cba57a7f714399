// Counts the bytes that a test binary holds through operator new. Sanitizers have an operator new
// of their own: the count stays 0 under them.
//
// Thread: any.
#pragma once

#include <cstddef>

namespace firbank::test {

/// Bytes asked for and not given back.
std::size_t heap_bytes() noexcept;

/// Calls so far.
std::size_t heap_allocations() noexcept;

}  // namespace firbank::test
