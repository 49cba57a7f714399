// BlockQueue: a lock-free ring of preallocated blocks between two threads.
//
// All samples live in memory taken from the given resource at construction (a backend hands out
// pinned memory this way); afterwards nothing allocates, locks or waits. Block storage never moves:
// indices travel through two moodycamel queues, one of filled blocks and one of free ones. A block
// belongs to exactly one side at a time, so its samples are never torn.
//
// The rules:
//   - One producer and one consumer. A role may pass to another thread when something orders the
//     two (a join, a mutex).
//   - A block is handed back exactly once, to the queue it came from, and not touched afterwards.
//   - The producer may hold several acquired blocks and publish them later, in any order; they are
//     taken in the order of publishing. The consumer may likewise hold several.
//   - Blocks that are held when the queue is destroyed die with it.
//
// For several producers see shared_block_queue.hpp.
//
// Realtime: everything but construction and destruction is safe.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

#include <readerwriterqueue/readerwriterqueue.h>

#include "io/block.hpp"
#include "io/block_pool.hpp"

namespace firbank {

template <class Sample>
class BasicBlockQueue {
 public:
  /// `memory` must outlive the queue.
  /// Throws: Error when a count is 0 or all of them together do not fit in memory; what `memory`
  /// throws.
  BasicBlockQueue(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
                  std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : pool_(channels, frames_per_block, blocks, memory), free_(blocks), filled_(blocks) {
    for (std::size_t block = 0; block < blocks; ++block) {
      put(free_, static_cast<std::uint32_t>(block));
    }
  }

  /// Thread:   any.
  std::size_t channels() const noexcept { return pool_.channels(); }
  std::size_t frames_per_block() const noexcept { return pool_.frames_per_block(); }
  std::size_t blocks() const noexcept { return pool_.blocks(); }

  /// A free block of frames_per_block() frames with empty marks, or null when there is none. Its
  /// samples are those of an earlier round. The producer fills it, sets frames and marks, and
  /// publishes it.
  /// Thread:   the producer.
  BasicBlock<Sample>* try_acquire() noexcept {
    std::uint32_t index = 0;
    return free_.try_dequeue(index) ? pool_.renew(index) : nullptr;
  }

  /// Hands an acquired block to the consumer.
  /// Thread:   the producer.
  void publish(BasicBlock<Sample>* block) noexcept { put(filled_, pool_.index_of(block)); }

  /// The oldest published block, or null when there is none.
  /// Thread:   the consumer.
  BasicBlock<Sample>* try_take() noexcept {
    std::uint32_t index = 0;
    return filled_.try_dequeue(index) ? pool_.at(index) : nullptr;
  }

  /// Gives a taken block back to the producer.
  /// Thread:   the consumer.
  void release(BasicBlock<Sample>* block) noexcept { put(free_, pool_.index_of(block)); }

  /// Published blocks that nobody has taken; exact only while both sides rest.
  /// Thread:   any.
  std::size_t filled_approx() const noexcept { return filled_.size_approx(); }

 private:
  using Indices = moodycamel::ReaderWriterQueue<std::uint32_t>;

  // Each queue has room for every block, so this neither fails nor allocates.
  static void put(Indices& queue, std::uint32_t index) noexcept {
    [[maybe_unused]] const bool had_room = queue.try_enqueue(index);
    assert(had_room);
  }

  BlockPool<Sample> pool_;
  Indices free_;
  Indices filled_;
};

using BlockQueue = BasicBlockQueue<float>;

}  // namespace firbank
