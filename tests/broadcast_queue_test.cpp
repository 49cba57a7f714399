// BroadcastQueue: who gets what, who waits for whom, and that no reader ever sees a torn block.
#include "io/broadcast_queue.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/counting_new.hpp"

namespace firbank {
namespace {

using Queue = BroadcastQueue<float>;

// Every sample follows from the block's number, so that a torn block shows.
float sample_of(std::int64_t number, std::size_t channel, std::size_t frame) {
  const auto mixed = static_cast<std::uint32_t>(number) * 2'654'435'761u +
                     static_cast<std::uint32_t>(channel) * 977u + static_cast<std::uint32_t>(frame);
  return static_cast<float>(mixed >> 8);  // 24 bits: exact
}

/// Publishes block `number`; false where the queue has no room.
bool put(Queue& queue, std::int64_t number) {
  Block* block = queue.try_acquire();
  if (block == nullptr) return false;
  block->first_frame = number;
  for (std::size_t c = 0; c < block->channels; ++c) {
    for (std::size_t n = 0; n < block->frames; ++n) block->planes[c][n] = sample_of(number, c, n);
  }
  queue.publish(block);
  return true;
}

/// Whether every sample is that of the block's own number.
bool is_whole(const Block& block) {
  for (std::size_t c = 0; c < block.channels; ++c) {
    for (std::size_t n = 0; n < block.frames; ++n) {
      if (block.planes[c][n] != sample_of(block.first_frame, c, n)) return false;
    }
  }
  return true;
}

TEST(BroadcastQueue, GivesEveryBlockToEveryReader) {
  Queue queue(2, 16, 4, 3);
  std::vector<Queue::Reader> readers;
  for (int k = 0; k < 3; ++k) readers.push_back(std::move(*queue.open(ReaderPolicy::kLossless)));
  EXPECT_FALSE(queue.open(ReaderPolicy::kLossy)) << "a fourth of three";
  for (std::int64_t number = 0; number < 20; ++number) {
    ASSERT_TRUE(put(queue, number));
    for (Queue::Reader& reader : readers) {
      std::uint64_t missed = 99;
      const Block* block = reader.try_take(missed);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(block->first_frame, number);
      EXPECT_EQ(missed, 0u);
      EXPECT_TRUE(is_whole(*block));
      reader.release();
      EXPECT_EQ(reader.try_take(missed), nullptr) << "nothing new";
    }
  }
}

TEST(BroadcastQueue, WaitsForALosslessReaderAndForNoOther) {
  Queue queue(1, 8, 4, 2);
  auto slow = queue.open(ReaderPolicy::kLossy);
  {
    auto strict = queue.open(ReaderPolicy::kLossless);
    for (std::int64_t number = 0; number < 4; ++number) EXPECT_TRUE(put(queue, number));
    EXPECT_FALSE(put(queue, 4));
    std::uint64_t missed = 0;
    ASSERT_NE(strict->try_take(missed), nullptr);
    EXPECT_FALSE(put(queue, 4)) << "it is still read";
    strict->release();
    EXPECT_TRUE(put(queue, 4));
    EXPECT_FALSE(put(queue, 5));
  }
  for (std::int64_t number = 5; number < 100; ++number) EXPECT_TRUE(put(queue, number));
  std::uint64_t missed = 99;
  const Block* block = slow->try_take(missed);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(missed, 0u) << "it had not begun";
  EXPECT_EQ(block->first_frame, 98) << "the middle of a ring of four";
}

TEST(BroadcastQueue, TellsALossyReaderWhatItHasMissed) {
  Queue queue(1, 8, 6, 1);
  auto reader = queue.open(ReaderPolicy::kLossy);
  std::uint64_t missed = 0;
  ASSERT_TRUE(put(queue, 0));
  ASSERT_NE(reader->try_take(missed), nullptr);
  for (std::int64_t number = 1; number < 50; ++number) ASSERT_TRUE(put(queue, number));
  reader->release();
  const Block* block = reader->try_take(missed);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->first_frame, 47);
  EXPECT_EQ(missed, 46u);
  reader->release();
  for (const std::int64_t number : {48, 49}) {
    block = reader->try_take(missed);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block->first_frame, number);
    EXPECT_EQ(missed, 0u);
    reader->release();
  }
  EXPECT_EQ(reader->try_take(missed), nullptr);
}

TEST(BroadcastQueue, LeavesABlockAloneWhileItIsRead) {
  Queue queue(2, 32, 3, 2);
  auto first = queue.open(ReaderPolicy::kLossy);
  auto second = queue.open(ReaderPolicy::kLossy);
  std::uint64_t missed = 0;
  ASSERT_TRUE(put(queue, 0));
  const Block* held = first->try_take(missed);
  ASSERT_NE(held, nullptr);
  ASSERT_TRUE(put(queue, 1));
  ASSERT_NE(second->try_take(missed), nullptr);
  for (std::int64_t number = 2; number < 200; ++number) ASSERT_TRUE(put(queue, number));
  EXPECT_EQ(held->first_frame, 0);
  EXPECT_TRUE(is_whole(*held));
}

TEST(BroadcastQueue, MayHoldSeveralAcquiredBlocks) {
  Queue queue(1, 4, 3, 1);
  auto reader = queue.open(ReaderPolicy::kLossy);
  std::array<Block*, 3> blocks{};
  for (Block*& block : blocks) ASSERT_NE(block = queue.try_acquire(), nullptr);
  EXPECT_EQ(queue.try_acquire(), nullptr);
  for (std::size_t k = 0; k < 3; ++k) {
    blocks[k]->first_frame = static_cast<std::int64_t>(k);
    queue.publish(blocks[k]);
    std::uint64_t missed = 0;
    const Block* block = reader->try_take(missed);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block->first_frame, static_cast<std::int64_t>(k));
    reader->release();
  }
}

TEST(BroadcastQueue, AClosedReadersPlaceIsFreeAgain) {
  Queue queue(1, 4, 2, 1);
  for (int turn = 0; turn < 10; ++turn) {
    auto reader = queue.open(ReaderPolicy::kLossless);
    ASSERT_TRUE(reader);
    EXPECT_FALSE(queue.open(ReaderPolicy::kLossy));
    ASSERT_TRUE(put(queue, turn));
    std::uint64_t missed = 0;
    ASSERT_NE(reader->try_take(missed), nullptr) << "closed with a block in hand";
  }
}

// A writer at full speed, one reader that must get all, three that are passed by and look at every
// sample, and one that comes and goes.
TEST(BroadcastQueue, NoReaderSeesATornBlock) {
  constexpr std::int64_t kBlocks = 5'000;
  Queue queue(3, 24, 4, 6);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> wrong_counts{0};
  std::atomic<std::uint64_t> lossless{0};
  std::vector<std::thread> threads;
  auto strict = queue.open(ReaderPolicy::kLossless);
  threads.emplace_back([&] {
    std::uint64_t missed = 0;
    for (std::int64_t number = 0; number < kBlocks;) {
      const Block* block = strict->try_take(missed);
      if (block == nullptr) {
        std::this_thread::yield();
        continue;
      }
      if (!is_whole(*block)) ++torn;
      if (block->first_frame == number && missed == 0) ++lossless;
      ++number;
      strict->release();
    }
  });
  for (int k = 0; k < 3; ++k) {
    threads.emplace_back([&, reader = std::move(*queue.open(ReaderPolicy::kLossy))]() mutable {
      std::int64_t expected = -1;
      while (!done) {
        std::uint64_t missed = 0;
        const Block* block = reader.try_take(missed);
        if (block == nullptr) {
          std::this_thread::yield();
          continue;
        }
        if (!is_whole(*block)) ++torn;
        const std::int64_t number = block->first_frame;
        if (expected >= 0 && number - expected != static_cast<std::int64_t>(missed)) {
          ++wrong_counts;
        }
        expected = number + 1;
        reader.release();
      }
    });
  }
  threads.emplace_back([&] {
    while (!done) {
      auto reader = queue.open(ReaderPolicy::kLossy);
      std::uint64_t missed = 0;
      for (int k = 0; k < 5; ++k) {
        const Block* block = reader->try_take(missed);
        if (block != nullptr) {
          if (!is_whole(*block)) ++torn;
          reader->release();
        }
        std::this_thread::yield();
      }
    }
  });
  for (std::int64_t number = 0; number < kBlocks;) {
    if (put(queue, number)) {
      ++number;
    } else {
      std::this_thread::yield();
    }
  }
  threads.front().join();
  done = true;
  for (std::size_t k = 1; k < threads.size(); ++k) threads[k].join();
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(wrong_counts, 0u);
  EXPECT_EQ(lossless, static_cast<std::uint64_t>(kBlocks));
}

TEST(BroadcastQueue, AllocatesNothingOnceItIsThere) {
  Queue queue(2, 64, 8, 2);
  auto reader = queue.open(ReaderPolicy::kLossy);
  const std::size_t before = test::heap_allocations();
  std::uint64_t missed = 0;
  for (std::int64_t number = 0; number < 1'000; ++number) {
    put(queue, number);
    if (number % 7 == 0 && reader->try_take(missed) != nullptr) reader->release();
  }
  EXPECT_EQ(test::heap_allocations(), before);
}

}  // namespace
}  // namespace firbank
