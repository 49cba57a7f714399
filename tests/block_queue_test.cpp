// BlockQueue and SharedBlockQueue: life of a block, wrap-round, contention, torn values, memory.
#include "io/block_queue.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "io/error.hpp"
#include "io/shared_block_queue.hpp"
#include "tests/support/counting_new.hpp"

namespace firbank {
namespace {

using testing::HasSubstr;

class CountingResource final : public std::pmr::memory_resource {
 public:
  std::size_t allocations() const { return allocations_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t alignment() const { return alignment_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++allocations_;
    bytes_ += bytes;
    alignment_ = alignment;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    bytes_ -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::size_t allocations_ = 0;
  std::size_t bytes_ = 0;
  std::size_t alignment_ = 0;
};

// Every sample of a block follows from the block's number, so that a torn block shows.
float sample_of(std::uint32_t number, std::size_t channel, std::size_t frame) {
  const std::uint32_t mixed = number * 2'654'435'761u + static_cast<std::uint32_t>(channel) * 977u +
                              static_cast<std::uint32_t>(frame);
  return static_cast<float>(mixed >> 8);  // 24 bits: exact
}

void fill(BasicBlock<float>& block, std::uint32_t number, std::size_t frames) {
  block.frames = frames;
  block.first_frame = number;
  for (std::size_t c = 0; c < block.channels; ++c) {
    for (std::size_t n = 0; n < frames; ++n) block.planes[c][n] = sample_of(number, c, n);
  }
}

std::size_t wrong_samples(const BasicBlock<float>& block) {
  const auto number = static_cast<std::uint32_t>(block.first_frame);
  std::size_t wrong = 0;
  for (std::size_t c = 0; c < block.channels; ++c) {
    for (std::size_t n = 0; n < block.frames; ++n) {
      if (block.planes[c][n] != sample_of(number, c, n)) ++wrong;
    }
  }
  return wrong;
}

TEST(BlockQueue, HandsOutEveryBlockOnceThenNone) {
  BlockQueue queue(3, 100, 4);
  EXPECT_EQ(queue.channels(), 3u);
  EXPECT_EQ(queue.frames_per_block(), 100u);
  EXPECT_EQ(queue.blocks(), 4u);
  EXPECT_EQ(queue.try_take(), nullptr);
  std::set<float*> planes;
  for (int i = 0; i < 4; ++i) {
    Block* block = queue.try_acquire();
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block->channels, 3u);
    EXPECT_EQ(block->frames, 100u);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block->planes[c]) % 64, 0u);
      planes.insert(block->planes[c]);
      for (std::size_t n = 0; n < 100; ++n) ASSERT_EQ(block->planes[c][n], 0.0f);
    }
  }
  ASSERT_EQ(planes.size(), 12u) << "planes are shared";
  float* previous = nullptr;
  for (float* plane : planes) {
    if (previous != nullptr) {
      EXPECT_GE(plane - previous, 100) << "planes overlap";
    }
    previous = plane;
  }
  EXPECT_EQ(queue.try_acquire(), nullptr);
}

TEST(BlockQueue, AnAcquiredBlockHasEmptyMarks) {
  BlockQueue queue(1, 8, 1);
  Block* block = queue.try_acquire();
  ASSERT_NE(block, nullptr);
  float* const plane = block->planes[0];
  block->frames = 3;
  block->first_frame = 12;
  block->timestamp_ns = 34;
  block->gap_before = 56;
  block->flags = BlockFlags::kEndOfStream;
  queue.publish(block);
  EXPECT_EQ(queue.filled_approx(), 1u);

  const Block* taken = queue.try_take();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->frames, 3u);
  EXPECT_EQ(taken->first_frame, 12);
  EXPECT_EQ(taken->timestamp_ns, 34);
  EXPECT_EQ(taken->gap_before, 56);
  EXPECT_TRUE(has(taken->flags, BlockFlags::kEndOfStream));
  EXPECT_EQ(queue.filled_approx(), 0u);
  EXPECT_EQ(queue.try_acquire(), nullptr) << "the consumer still has it";

  queue.release(block);
  block = queue.try_acquire();
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->planes[0], plane);
  EXPECT_EQ(block->frames, 8u);
  EXPECT_EQ(block->first_frame, 0);
  EXPECT_EQ(block->timestamp_ns, 0);
  EXPECT_EQ(block->gap_before, 0);
  EXPECT_EQ(block->flags, BlockFlags::kNone);
}

TEST(BlockQueue, BlocksArriveInTheOrderOfPublishing) {
  BlockQueue queue(1, 4, 3);
  Block* first = queue.try_acquire();
  Block* second = queue.try_acquire();
  Block* third = queue.try_acquire();
  queue.publish(second);
  queue.publish(third);
  queue.publish(first);  // kept, and published later
  EXPECT_EQ(queue.try_take(), second);
  EXPECT_EQ(queue.try_take(), third);
  EXPECT_EQ(queue.try_take(), first);
}

TEST(BlockQueue, AnySizeWrapsRoundManyTimes) {
  for (const std::size_t blocks : {1, 2, 3, 7, 64, 511, 512, 513, 1'500, 5'000}) {
    SCOPED_TRACE(blocks);
    BlockQueue queue(1, 1, blocks);
    std::mt19937 random(static_cast<unsigned>(blocks));
    std::uint32_t published = 0;
    std::uint32_t taken = 0;
    while (taken < 20 * blocks) {
      for (std::size_t burst = random() % (blocks + 1); burst > 0; --burst) {
        Block* block = queue.try_acquire();
        if (block == nullptr) {
          ASSERT_EQ(published - taken, blocks) << "a free block was lost";
          break;
        }
        fill(*block, published++, 1);
        queue.publish(block);
      }
      for (std::size_t burst = random() % (blocks + 1); burst > 0; --burst) {
        Block* block = queue.try_take();
        if (block == nullptr) {
          ASSERT_EQ(published, taken) << "a filled block was lost";
          break;
        }
        ASSERT_EQ(block->first_frame, taken++);
        ASSERT_EQ(wrong_samples(*block), 0u);
        queue.release(block);
      }
    }
  }
}

TEST(BlockQueue, SamplesAreNeverTornBetweenThreads) {
  constexpr std::uint32_t kRounds = 200'000;
  BlockQueue queue(2, 32, 3);
  std::thread producer([&] {
    std::minstd_rand random(1);
    for (std::uint32_t number = 0; number < kRounds;) {
      if (Block* block = queue.try_acquire()) {
        fill(*block, number++, 1 + random() % 32);
        queue.publish(block);
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::size_t wrong = 0;
  std::size_t out_of_order = 0;
  for (std::uint32_t expected = 0; expected < kRounds;) {
    if (Block* block = queue.try_take()) {
      if (block->first_frame != expected++) ++out_of_order;
      wrong += wrong_samples(*block);
      // Whoever gets the block too early sees this.
      for (std::size_t n = 0; n < 32; ++n) block->planes[0][n] = -1;
      queue.release(block);
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(out_of_order, 0u);
  EXPECT_EQ(queue.try_take(), nullptr);
}

TEST(BlockQueue, TakesSamplesFromTheResourceAndGivesThemBack) {
  CountingResource memory;
  {
    BasicBlockQueue<double> queue(3, 100, 5, &memory);
    EXPECT_EQ(memory.allocations(), 1u);
    EXPECT_GE(memory.bytes(), 3u * 100 * 5 * sizeof(double));
    EXPECT_EQ(memory.alignment(), 64u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(queue.try_acquire()->planes[2]) % 64, 0u);
  }
  EXPECT_EQ(memory.bytes(), 0u);
}

// moodycamel allocates through malloc, the rest through operator new: both are looked at.
std::size_t malloc_bytes() {
  return mallinfo2().uordblks;
}

TEST(BlockQueue, AllocatesNothingAfterConstruction) {
  for (const std::size_t blocks : {1, 2, 600, 3'000}) {
    SCOPED_TRACE(blocks);
    CountingResource memory;
    BlockQueue queue(1, 16, blocks, &memory);
    std::vector<Block*> held(blocks);
    const std::size_t resource_before = memory.allocations();
    const std::size_t new_before = test::heap_allocations();
    const std::size_t malloc_before = malloc_bytes();
    for (int round = 0; round < 50; ++round) {
      for (Block*& block : held) block = queue.try_acquire();
      for (Block* block : held) queue.publish(block);
      for (Block*& block : held) block = queue.try_take();
      for (Block* block : held) queue.release(block);
    }
    const std::size_t malloc_after = malloc_bytes();
    EXPECT_EQ(memory.allocations(), resource_before);
    EXPECT_EQ(test::heap_allocations(), new_before);
    EXPECT_EQ(malloc_after, malloc_before);
  }
}

TEST(BlockQueue, RefusesCountsThatMakeNoQueue) {
  const auto refusal = [](std::size_t channels, std::size_t frames, std::size_t blocks) {
    try {
      BlockQueue queue(channels, frames, blocks);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal(0, 1, 1), HasSubstr("channels is 0"));
  EXPECT_THAT(refusal(1, 0, 1), HasSubstr("frames per block is 0"));
  EXPECT_THAT(refusal(1, 1, 0), HasSubstr("blocks is 0"));
  constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max() / 8;
  EXPECT_THAT(refusal(kHuge, 1, 1), HasSubstr("do not fit"));
  EXPECT_THAT(refusal(1, kHuge, 2), HasSubstr("do not fit"));
  EXPECT_THAT(refusal(1, 1, kHuge), HasSubstr("do not fit"));
}

TEST(SharedBlockQueue, EveryProducerHasItsOwnBlocks) {
  SharedBlockQueue queue(2, 10, 3, 2);
  EXPECT_EQ(queue.blocks(), 6u);
  EXPECT_EQ(queue.producers(), 2u);
  std::set<const Block*> blocks;
  for (std::size_t p = 0; p < 2; ++p) {
    for (int i = 0; i < 3; ++i) {
      Block* block = queue.producer(p).try_acquire();
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(queue.producer_of(block), p);
      EXPECT_EQ(block->frames, 10u);
      blocks.insert(block);
      queue.producer(p).publish(block);
    }
    EXPECT_EQ(queue.producer(p).try_acquire(), nullptr);
  }
  EXPECT_EQ(blocks.size(), 6u);
  EXPECT_EQ(queue.filled_approx(), 6u);
  for (int i = 0; i < 6; ++i) {
    Block* block = queue.try_take();
    ASSERT_NE(block, nullptr);
    const std::size_t p = queue.producer_of(block);
    queue.release(block);
    EXPECT_NE(queue.producer(p).try_acquire(), nullptr);
  }
  EXPECT_EQ(queue.try_take(), nullptr);
}

TEST(SharedBlockQueue, SamplesOfManyProducersAreNeverTornOrReordered) {
  constexpr std::size_t kProducers = 4;
  constexpr std::uint32_t kRounds = 40'000;
  SharedBlockQueue queue(2, 16, 3, kProducers);
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < kProducers; ++p) {
    threads.emplace_back([&, p] {
      SharedBlockQueue::Producer& producer = queue.producer(p);
      for (std::uint32_t number = 0; number < kRounds;) {
        if (Block* block = producer.try_acquire()) {
          fill(*block, number * kProducers + static_cast<std::uint32_t>(p), 1 + number % 16);
          producer.publish(block);
          ++number;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<std::uint32_t> taken(kProducers);
  std::size_t wrong = 0;
  std::size_t out_of_order = 0;
  for (std::uint32_t all = 0; all < kRounds * kProducers;) {
    if (Block* block = queue.try_take()) {
      const std::size_t p = queue.producer_of(block);
      if (block->first_frame != static_cast<std::int64_t>(taken[p] * kProducers + p)) {
        ++out_of_order;
      }
      ++taken[p];
      ++all;
      wrong += wrong_samples(*block);
      for (std::size_t n = 0; n < 16; ++n) block->planes[0][n] = -1;
      queue.release(block);
    } else {
      std::this_thread::yield();
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(out_of_order, 0u);
  EXPECT_THAT(taken, testing::Each(kRounds));
  EXPECT_EQ(queue.try_take(), nullptr);
}

TEST(SharedBlockQueue, NoProducerIsForgotten) {
  SharedBlockQueue queue(1, 1, 64, 5);
  for (std::size_t p = 0; p < 5; ++p) {
    while (Block* block = queue.producer(p).try_acquire()) queue.producer(p).publish(block);
  }
  // The first four are refilled at once; the fifth one's block has its turn nevertheless.
  for (int i = 0; i < 64; ++i) {
    Block* block = queue.try_take();
    ASSERT_NE(block, nullptr);
    const std::size_t p = queue.producer_of(block);
    if (p == 4) return;
    queue.release(block);
    queue.producer(p).publish(queue.producer(p).try_acquire());
  }
  FAIL() << "64 blocks were taken, none from producer 4";
}

TEST(SharedBlockQueue, AllocatesNothingAfterConstruction) {
  for (const std::size_t blocks : {1, 31, 33, 2'500}) {
    SCOPED_TRACE(blocks);
    CountingResource memory;
    SharedBlockQueue queue(1, 4, blocks, 3, &memory);
    std::vector<Block*> held(blocks);
    std::size_t missing = 0;
    const std::size_t resource_before = memory.allocations();
    const std::size_t new_before = test::heap_allocations();
    const std::size_t malloc_before = malloc_bytes();
    for (int round = 0; round < 30; ++round) {
      for (std::size_t p = 0; p < 3; ++p) {
        for (Block*& block : held) block = queue.producer(p).try_acquire();
        for (Block* block : held) {
          if (block == nullptr) {
            ++missing;
          } else {
            queue.producer(p).publish(block);
          }
        }
      }
      for (std::size_t i = 0; i < 3 * blocks; ++i) {
        Block* block = queue.try_take();
        if (block == nullptr) {
          ++missing;
        } else {
          queue.release(block);
        }
      }
    }
    const std::size_t malloc_after = malloc_bytes();
    EXPECT_EQ(missing, 0u);
    EXPECT_EQ(memory.allocations(), resource_before);
    EXPECT_EQ(test::heap_allocations(), new_before);
    EXPECT_EQ(malloc_after, malloc_before);
  }
}

TEST(SharedBlockQueue, RefusesCountsThatMakeNoQueue) {
  EXPECT_THROW(SharedBlockQueue(1, 1, 1, 0), Error);
  EXPECT_THROW(SharedBlockQueue(1, 1, 0, 1), Error);
  EXPECT_THROW(SharedBlockQueue(1, 1, std::size_t{1} << 40, 2), Error);
}

}  // namespace
}  // namespace firbank
