// The copy that finds large samples, on every instruction set.
#include "kernels/cpu/checked_copy.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/aligned_vector.hpp"
#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using CheckedCopyTest = test::InstructionSetTest;

/// A sample of each kind at each place of stretches of every length up to a few vectors.
template <class Sample>
void every_place(InstructionSet set, bool past_caches) {
  using Limits = std::numeric_limits<Sample>;
  constexpr Sample kBound = 256;
  const Sample below[] = {0, std::nextafter(kBound, Sample{0}), -std::nextafter(kBound, Sample{0}),
                          Limits::denorm_min()};
  const Sample reached[] = {kBound,
                            -kBound,
                            Limits::max(),
                            Limits::lowest(),
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::quiet_NaN(),
                            -Limits::quiet_NaN()};
  const CheckedCopy<Sample>& copy = *checked_copy<Sample>(set);
  for (std::size_t frames = 0; frames <= 70; ++frames) {
    // At any address: one sample past an aligned one.
    std::vector<Sample> in_memory(frames + 2), out_memory(frames + 2);
    Sample* const in = in_memory.data() + 1;
    Sample* const out = out_memory.data() + 1;
    for (std::size_t n = 0; n < frames; ++n) in[n] = static_cast<Sample>(n) - 30;
    const auto run = [&] {
      std::fill(out_memory.begin(), out_memory.end(), Sample{7});
      const bool is_below = copy.run(in, out, frames, kBound, past_caches);
      EXPECT_EQ(std::memcmp(in, out, frames * sizeof(Sample)), 0);
      EXPECT_EQ(out[frames], Sample{7}) << "wrote past the end";
      return is_below;
    };
    in[frames] = Limits::infinity();  // must not be looked at
    EXPECT_TRUE(run()) << frames;
    for (std::size_t at = 0; at < frames; ++at) {
      const Sample before = in[at];
      for (const Sample value : below) {
        in[at] = value;
        EXPECT_TRUE(run()) << value << " at " << at << " of " << frames;
      }
      for (const Sample value : reached) {
        in[at] = value;
        EXPECT_FALSE(run()) << value << " at " << at << " of " << frames;
      }
      in[at] = before;
    }
  }
}

TEST_P(CheckedCopyTest, SeesEverySampleInFloat) {
  every_place<float>(GetParam(), false);
}
TEST_P(CheckedCopyTest, SeesEverySampleInDouble) {
  every_place<double>(GetParam(), false);
}

TEST_P(CheckedCopyTest, SeesEverySamplePastTheCaches) {
  every_place<float>(GetParam(), true);
  every_place<double>(GetParam(), true);
}

/// Stretches of several patches, to every place in a line.
template <class Sample>
void long_stretches(InstructionSet set) {
  const CheckedCopy<Sample>& copy = *checked_copy<Sample>(set);
  const std::size_t frames = 3'000;
  std::vector<Sample> in(frames);
  for (std::size_t n = 0; n < frames; ++n) in[n] = static_cast<Sample>(n % 200);
  for (std::size_t first = 0; first < 64 / sizeof(Sample); ++first) {
    AlignedVector<Sample> out(frames + first + 1, Sample{7});
    EXPECT_TRUE(copy.run(in.data(), out.data() + first, frames, 256, true));
    EXPECT_EQ(std::memcmp(in.data(), out.data() + first, frames * sizeof(Sample)), 0);
    EXPECT_EQ(out[frames + first], Sample{7});
    for (const std::size_t at : {std::size_t{0}, frames / 2, frames - 1}) {
      const Sample before = std::exchange(in[at], Sample{-256});
      EXPECT_FALSE(copy.run(in.data(), out.data() + first, frames, 256, true)) << at;
      in[at] = before;
    }
  }
}

TEST_P(CheckedCopyTest, CopiesLongStretchesPastTheCaches) {
  long_stretches<float>(GetParam());
  long_stretches<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, CheckedCopyTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
