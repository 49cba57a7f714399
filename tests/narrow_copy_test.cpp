// The copy into 16 bits, on every instruction set: it takes what fits exactly and nothing else.
#include "kernels/cpu/narrow_copy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/aligned_vector.hpp"
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
    ASSERT_TRUE(copy.run(in.data() + first, out.data(), frames, false));
    for (std::size_t n = 0; n < frames; ++n) {
      ASSERT_EQ(static_cast<Sample>(out[n]) / 32'768, in[first + n]);
    }
    ASSERT_EQ(out[frames], 7) << "wrote past the end";
  }
  EXPECT_GT(first, 60'000U);
}

/// The same past the caches: of stretches of several patches, to every place in a line.
template <class Sample>
void takes_all_that_fits_past_the_caches(InstructionSet set) {
  const NarrowCopy<Sample>& copy = *narrow_copy<Sample>(set);
  constexpr std::size_t kMost = 10'000;
  std::vector<Sample> in(kMost);
  for (std::size_t n = 0; n < kMost; ++n) {
    in[n] = static_cast<Sample>(static_cast<int>(n * 37 % 65'536) - 32'768) / 32'768;
  }
  for (const std::size_t frames : {0, 1, 5, 31, 32, 33, 100, 2'047, 2'048, 2'049, 4'100, 10'000}) {
    for (std::size_t at = 0; at < 33; ++at) {
      AlignedVector<std::int16_t> out(frames + 66, 7);
      ASSERT_TRUE(copy.run(in.data(), out.data() + at, frames, true));
      for (std::size_t n = 0; n < frames; ++n) {
        ASSERT_EQ(static_cast<Sample>(out[at + n]) / 32'768, in[n]) << n << " of " << frames;
      }
      for (std::size_t n = 0; n < at; ++n) ASSERT_EQ(out[n], 7) << "wrote before the beginning";
      ASSERT_EQ(out[at + frames], 7) << "wrote past the end";
    }
    for (const std::size_t misfit : {std::size_t{0}, frames / 2, frames - 1}) {
      if (frames == 0) continue;
      std::vector<Sample> spoiled = in;
      spoiled[misfit] = Sample{0.3F};
      AlignedVector<std::int16_t> out(frames);
      EXPECT_FALSE(copy.run(spoiled.data(), out.data(), frames, true)) << misfit;
    }
  }
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
    EXPECT_TRUE(copy.run(in.data(), out.data(), frames, false));
    for (std::size_t at = 0; at < frames; ++at) {
      const Sample before = in[at];
      for (const Sample value : misfits) {
        in[at] = value;
        EXPECT_FALSE(copy.run(in.data(), out.data(), frames, false)) << value << " at " << at;
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
TEST_P(NarrowCopyTest, TakesAllThatFitsPastTheCachesInFloat) {
  takes_all_that_fits_past_the_caches<float>(GetParam());
}
TEST_P(NarrowCopyTest, TakesAllThatFitsPastTheCachesInDouble) {
  takes_all_that_fits_past_the_caches<double>(GetParam());
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
