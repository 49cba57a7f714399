// The queue of a fixed capacity, against std::deque.
#include "engine/fifo.hpp"

#include <cstdint>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

TEST(Fifo, HandsEntriesOnInTheirOrder) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    test::Random random(seed);
    const std::size_t capacity = test::between(random, 1, 7);
    Fifo<int> fifo(capacity);
    std::deque<int> expected;
    for (int step = 0; step < 200; ++step) {
      EXPECT_EQ(fifo.empty(), expected.empty());
      EXPECT_EQ(fifo.full(), expected.size() == capacity);
      ASSERT_EQ(fifo.size(), expected.size());
      if (!fifo.empty()) {
        EXPECT_EQ(fifo.front(), expected.front());
      }
      const bool pushes = fifo.empty() || (!fifo.full() && test::between(random, 0, 1) == 0);
      if (pushes) {
        fifo.push() = step;
        expected.push_back(step);
      } else {
        ASSERT_EQ(fifo.pop(), expected.front());
        expected.pop_front();
      }
    }
  }
}

TEST(Fifo, KeepsWhatAnEntryOwns) {
  Fifo<std::vector<int>> fifo(2, std::vector<int>(5));
  const int* const memory = fifo.push().data();
  fifo.pop();
  fifo.push();
  fifo.pop();
  EXPECT_EQ(fifo.push().data(), memory);  // the first slot again
}

}  // namespace
}  // namespace firbank
