// Every index exactly once, on any number of threads, job after job.
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace firbank {
namespace {

TEST(WorkerPoolTest, VisitsEveryIndexOnceInEveryJob) {
  for (const std::size_t threads : {1, 2, 3, 8}) {
    WorkerPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (std::size_t job = 0; job < 2000; ++job) {
      const std::size_t count = job % 37;
      std::vector<std::atomic<int>> visits(count);
      pool.run(count, [&](IndexRange range, std::size_t thread) noexcept {
        EXPECT_LT(thread, threads);
        for (std::size_t i = range.first; i < range.last; ++i) visits[i].fetch_add(1);
      });
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(visits[i].load(), 1) << "job " << job;
    }
  }
}

TEST(WorkerPoolTest, RangesBeginAtMultiplesOfTheGrain) {
  for (const std::size_t threads : {1, 2, 3}) {
    WorkerPool pool(threads);
    for (const std::size_t grain : {1, 3, 4}) {
      for (std::size_t count = 0; count < 70; ++count) {
        std::vector<std::atomic<int>> visits(count);
        pool.run(count, grain, [&](IndexRange range, std::size_t) noexcept {
          EXPECT_EQ(range.first % grain, 0u);
          for (std::size_t i = range.first; i < range.last; ++i) visits.at(i).fetch_add(1);
        });
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(visits[i].load(), 1) << "index " << i << " of " << count << ", grain " << grain;
        }
      }
    }
  }
}

TEST(ItemsOfShare, AreAsManyAsRepayAThreadThatWakes) {
  EXPECT_EQ(items_of_share(1 << 20), 1u);
  EXPECT_EQ(items_of_share(64 << 10), 1u);
  EXPECT_EQ(items_of_share(32 << 10), 2u);
  EXPECT_EQ(items_of_share(128), 512u);
  EXPECT_GE(items_of_share(0), 64u << 10);
}

TEST(WorkerPoolTest, NoTwoRangesShareAThreadNumberAtOnce) {
  constexpr std::size_t kThreads = 4;
  WorkerPool pool(kThreads);
  std::atomic<int> inside[kThreads] = {};
  std::atomic<bool> clash{false};
  for (int job = 0; job < 300; ++job) {
    pool.run(64, [&](IndexRange, std::size_t thread) noexcept {
      if (inside[thread].fetch_add(1) != 0) clash = true;
      std::this_thread::yield();
      inside[thread].fetch_sub(1);
    });
  }
  EXPECT_FALSE(clash);
}

TEST(WorkerPoolTest, WorkersThatSleepAreWokenAndHelp) {
  WorkerPool pool(2);
  std::atomic<bool> helped{false};
  // The caller holds its share until a worker has taken one, so this ends only if one wakes.
  for (int job = 0; job < 5; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    helped = false;
    pool.run(8, [&](IndexRange, std::size_t thread) noexcept {
      if (thread == 1) helped = true;
      while (!helped) std::this_thread::yield();
    });
    EXPECT_TRUE(helped);
  }
}

}  // namespace
}  // namespace firbank
