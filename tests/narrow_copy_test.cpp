// The copy into 16 bits, on every instruction set: it takes what fits exactly and nothing else.
#include "kernels/cpu/narrow_copy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using NarrowCopyTest = test::InstructionSetTest;

/// Every number of 16 bits, in stretches of every length up to a few vectors.
template <class Sample>
void takes_all_that_fits(InstructionSet set) {
  const NarrowCopy<Sample>& copy = *narrow_copy<Sample>(set);
  std::vector<Sample> in;
  for (int value = -32'768; value <= 32'767; ++value) {
    in.push_back(static_cast<Sample>(value) / 32'768);
  }
  std::size_t first = 0;
  for (std::size_t frames = 0; first + frames <= in.size(); first += frames, ++frames) {
    std::vector<std::int16_t> out(frames + 1, 7);
    ASSERT_TRUE(copy.run(in.data() + first, out.data(), frames));
    for (std::size_t n = 0; n < frames; ++n) {
      ASSERT_EQ(static_cast<Sample>(out[n]) / 32'768, in[first + n]);
    }
    ASSERT_EQ(out[frames], 7) << "wrote past the end";
  }
  EXPECT_GT(first, 60'000U);
}

/// A sample that does not fit, at each place of stretches of every length up to a few vectors.
template <class Sample>
void sees_what_does_not_fit(InstructionSet set) {
  using Limits = std::numeric_limits<Sample>;
  const NarrowCopy<Sample>& copy = *narrow_copy<Sample>(set);
  const Sample step = Sample{1} / 32'768;
  const Sample misfits[] = {1,
                            -1 - step,
                            std::nextafter(step, Sample{1}),
                            std::nextafter(-step, Sample{0}),
                            std::nextafter(Sample{-1}, Sample{-2}),
                            step / 2,
                            65'536 * step,
                            Sample{65'536},      // 2^31 in steps
                            Sample{65'536 * 4},  // 2^33
                            Sample{-65'536 * 4},
                            Sample{1e15F},
                            Limits::denorm_min(),
                            Limits::max(),
                            Limits::lowest(),
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::quiet_NaN()};
  for (std::size_t frames = 1; frames <= 40; ++frames) {
    std::vector<Sample> in(frames + 1);
    std::vector<std::int16_t> out(frames);
    for (std::size_t n = 0; n < frames; ++n) in[n] = static_cast<Sample>(n) * step - Sample{0.25};
    in[frames] = Sample{0.3};  // must not be looked at
    EXPECT_TRUE(copy.run(in.data(), out.data(), frames));
    for (std::size_t at = 0; at < frames; ++at) {
      const Sample before = in[at];
      for (const Sample value : misfits) {
        in[at] = value;
        EXPECT_FALSE(copy.run(in.data(), out.data(), frames)) << value << " at " << at;
      }
      in[at] = before;
    }
  }
}

TEST_P(NarrowCopyTest, TakesAllThatFitsInFloat) {
  takes_all_that_fits<float>(GetParam());
}
TEST_P(NarrowCopyTest, TakesAllThatFitsInDouble) {
  takes_all_that_fits<double>(GetParam());
}
TEST_P(NarrowCopyTest, SeesWhatDoesNotFitInFloat) {
  sees_what_does_not_fit<float>(GetParam());
}
TEST_P(NarrowCopyTest, SeesWhatDoesNotFitInDouble) {
  sees_what_does_not_fit<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, NarrowCopyTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
