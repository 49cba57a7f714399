// The slots of a delay line, against a list of the blocks that were written to them.
#include "engine/frequency_delay_line.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

TEST(FrequencyDelayLine, FindsEachBlockWhereItWasWritten) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    test::Random random(seed);
    FrequencyDelayLine line(test::between(random, 1, 9));
    std::vector<std::size_t> written(line.slots());  // the number of the block in each slot
    std::size_t block = 0;
    for (int step = 0; step < 50; ++step) {
      // Several at once, as a piece of several blocks does.
      const std::size_t blocks = test::between(random, 1, 25);
      for (std::size_t k = 0; k < blocks; ++k) {
        const FrequencyDelayLine then = line.after(k);
        EXPECT_EQ(then.newest(), k == 0 ? line.newest() : line.after(k - 1).after_newest());
        EXPECT_EQ(then.filled(), std::min(block + k, line.slots()));
        written[then.newest()] = block + k;
        for (std::size_t p = 0; p < std::min(then.filled() + 1, line.slots()); ++p) {
          ASSERT_EQ(written[(then.newest() + p) % line.slots()], block + k - p);
        }
      }
      line = line.after(blocks);
      block += blocks;
    }
    line.reset();
    EXPECT_EQ(line.filled(), 0u);
  }
}

}  // namespace
}  // namespace firbank
