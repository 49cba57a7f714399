// SharedBlockQueue: a lock-free ring of preallocated blocks from many producers to one consumer.
//
// Every producer has blocks of its own, which come back to it when the consumer releases them: a
// producer that fills its blocks and is not served starves nobody else. Filled blocks travel
// through one moodycamel ConcurrentQueue, free ones through a queue for each producer. All queues
// have room for every block that can be in them, so nothing allocates, locks or waits after
// construction.
//
// Blocks of one producer are taken in the order of publishing; those of different producers in
// any order, each producer being served in turn. The rules of BlockQueue for holding blocks apply.
//
// Realtime: everything but construction and destruction is safe.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory_resource>
#include <string>

#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include "io/block.hpp"
#include "io/block_pool.hpp"
#include "io/error.hpp"

namespace firbank {

template <class Sample>
class BasicSharedBlockQueue {
  struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    // Blocks taken from one producer before the next has its turn.
    static constexpr std::uint32_t EXPLICIT_CONSUMER_CONSUMPTION_QUOTA_BEFORE_ROTATE = 4;
  };
  using Filled = moodycamel::ConcurrentQueue<std::uint32_t, Traits>;
  using Free = moodycamel::ReaderWriterQueue<std::uint32_t>;
  struct Key {};  // only the queue makes producers

 public:
  /// One producer's end. Made with the queue; belongs to one thread at a time.
  class Producer {
   public:
    Producer(Key, BasicSharedBlockQueue& queue, std::size_t first_block, std::size_t blocks)
        : queue_(queue), token_(queue.filled_), free_(blocks) {
      for (std::size_t block = 0; block < blocks; ++block) {
        give_back(static_cast<std::uint32_t>(first_block + block));
      }
    }
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// One of this producer's free blocks, at full capacity with empty marks, or null.
    /// Thread:   the one that has this producer.
    BasicBlock<Sample>* try_acquire() noexcept {
      std::uint32_t index = 0;
      return free_.try_dequeue(index) ? queue_.pool_.renew(index) : nullptr;
    }

    /// Hands a block that this producer acquired to the consumer.
    /// Thread:   the one that has this producer.
    void publish(BasicBlock<Sample>* block) noexcept {
      [[maybe_unused]] const bool had_room =
          queue_.filled_.try_enqueue(token_, queue_.pool_.index_of(block));
      assert(had_room);
    }

   private:
    friend class BasicSharedBlockQueue;

    void give_back(std::uint32_t index) noexcept {
      [[maybe_unused]] const bool had_room = free_.try_enqueue(index);
      assert(had_room);
    }

    BasicSharedBlockQueue& queue_;
    moodycamel::ProducerToken token_;
    Free free_;
  };

  /// `memory` must outlive the queue.
  /// Throws: Error when a count is 0 or all of them together do not fit in memory; what `memory`
  /// throws.
  BasicSharedBlockQueue(std::size_t channels, std::size_t frames_per_block,
                        std::size_t blocks_per_producer, std::size_t producers,
                        std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : blocks_per_producer_(checked_blocks(blocks_per_producer, producers)),
        pool_(channels, frames_per_block, blocks_per_producer * producers, memory),
        filled_(blocks_per_producer, producers, 0),
        token_(filled_) {
    for (std::size_t i = 0; i < producers; ++i) {
      producers_.emplace_back(Key{}, *this, i * blocks_per_producer, blocks_per_producer);
    }
  }
  BasicSharedBlockQueue(const BasicSharedBlockQueue&) = delete;
  BasicSharedBlockQueue& operator=(const BasicSharedBlockQueue&) = delete;

  /// Thread:   any.
  std::size_t channels() const noexcept { return pool_.channels(); }
  std::size_t frames_per_block() const noexcept { return pool_.frames_per_block(); }
  std::size_t blocks() const noexcept { return pool_.blocks(); }
  std::size_t producers() const noexcept { return producers_.size(); }

  /// The producer's end number `index`, below producers().
  /// Thread:   any; what it returns belongs to one thread.
  Producer& producer(std::size_t index) noexcept { return producers_[index]; }

  /// A published block, or null when there is none.
  /// Thread:   the consumer.
  BasicBlock<Sample>* try_take() noexcept {
    std::uint32_t index = 0;
    return filled_.try_dequeue(token_, index) ? pool_.at(index) : nullptr;
  }

  /// Which producer published a taken block.
  /// Thread:   the consumer.
  std::size_t producer_of(const BasicBlock<Sample>* block) const noexcept {
    return pool_.index_of(block) / blocks_per_producer_;
  }

  /// Gives a taken block back to its producer.
  /// Thread:   the consumer.
  void release(BasicBlock<Sample>* block) noexcept {
    producers_[producer_of(block)].give_back(pool_.index_of(block));
  }

  /// Published blocks that nobody has taken; exact only while all sides rest.
  /// Thread:   any.
  std::size_t filled_approx() const noexcept { return filled_.size_approx(); }

 private:
  static std::size_t checked_blocks(std::size_t blocks_per_producer, std::size_t producers) {
    constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (producers == 0) {
      throw Error(ErrorKind::kConfiguration, "block queue: producers is 0; at least 1 is needed");
    }
    if (blocks_per_producer > kMost / producers) {
      throw Error(ErrorKind::kConfiguration,
                  "block queue: blocks per producer is " + std::to_string(blocks_per_producer) +
                      "; with " + std::to_string(producers) + " producers, at most " +
                      std::to_string(kMost / producers) + " are allowed");
    }
    return blocks_per_producer;
  }

  std::size_t blocks_per_producer_;
  BlockPool<Sample> pool_;
  Filled filled_;
  moodycamel::ConsumerToken token_;
  std::deque<Producer> producers_;  // a Producer never moves
};

using SharedBlockQueue = BasicSharedBlockQueue<float>;

}  // namespace firbank
