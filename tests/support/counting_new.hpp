// Counts what a test binary allocates through operator new. Sanitizers have an operator new of
// their own: the count stays 0 under them.
#pragma once

#include <atomic>
#include <cstddef>

namespace firbank::io_test {

extern std::atomic<std::size_t> allocations;

}  // namespace firbank::io_test
