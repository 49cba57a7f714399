// BlockQueue: a lock-free ring of preallocated blocks between two threads.
//
// All memory is taken from the given resource at construction (a backend hands out pinned memory
// this way), but for the two index queues; afterwards nothing allocates, locks or waits. Block
// storage never moves: indices travel through two moodycamel queues, one of filled blocks and one
// of free ones. A block belongs to exactly one side at a time, so its samples are never torn.
//
// BasicBlockQueue has one producer and one consumer. For several producers see
// shared_block_queue.hpp.
//
// Thread:   try_acquire and publish: one producer. try_take and release: one consumer.
// Realtime: everything but construction is safe.
#pragma once

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
  BasicBlockQueue(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
                  std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : pool_(channels, frames_per_block, blocks, memory), free_(blocks), filled_(blocks) {
    for (std::size_t block = 0; block < blocks; ++block) {
      free_.try_enqueue(static_cast<std::uint32_t>(block));
    }
  }

  std::size_t channels() const noexcept { return pool_.channels(); }
  std::size_t frames_per_block() const noexcept { return pool_.frames_per_block(); }
  std::size_t blocks() const noexcept { return pool_.blocks(); }

  /// A free block at full capacity with empty marks, or null. The producer fills it, sets frames
  /// and marks, and publishes it, at once or later.
  BasicBlock<Sample>* try_acquire() noexcept {
    std::uint32_t index = 0;
    return free_.try_dequeue(index) ? pool_.renew(index) : nullptr;
  }

  /// Hands an acquired block to the consumer, in the order of these calls.
  void publish(BasicBlock<Sample>* block) noexcept { filled_.try_enqueue(pool_.index_of(block)); }

  /// The oldest published block, or null. The consumer releases it when done.
  BasicBlock<Sample>* try_take() noexcept {
    std::uint32_t index = 0;
    return filled_.try_dequeue(index) ? pool_.at(index) : nullptr;
  }

  /// Gives a taken block back to the producer.
  void release(BasicBlock<Sample>* block) noexcept { free_.try_enqueue(pool_.index_of(block)); }

  /// Published blocks that nobody has taken; exact only while both sides rest.
  std::size_t filled_approx() const noexcept { return filled_.size_approx(); }

 private:
  BlockPool<Sample> pool_;
  // Each can hold every block, so that enqueueing never fails and never allocates.
  moodycamel::ReaderWriterQueue<std::uint32_t> free_;
  moodycamel::ReaderWriterQueue<std::uint32_t> filled_;
};

using BlockQueue = BasicBlockQueue<float>;

}  // namespace firbank
