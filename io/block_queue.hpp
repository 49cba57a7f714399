// BlockQueue: a lock-free ring of preallocated blocks between two threads.
//
// All memory is taken from the given resource at construction (a backend hands out pinned memory
// this way); afterwards nothing allocates, locks or waits. Block storage never moves: indices
// travel through two moodycamel queues, one of filled blocks and one of free ones. A block belongs
// to exactly one side at a time, so its samples are never torn.
//
// BasicBlockQueue has one producer and one consumer. For several producers see SharedBlockQueue.
#pragma once

#include <readerwriterqueue/readerwriterqueue.h>

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "io/block.hpp"

namespace firbank {

// (interface sketch; the io owner completes it)
template <class Sample>
class BasicBlockQueue;

}  // namespace firbank
