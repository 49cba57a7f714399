// Sliding products of frames on every instruction set, against a plain sum in long double.
#include "kernels/cpu/frame_products.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using FrameProductsTest = test::InstructionSetTest;

/// Frames somewhere in memory, and a filter a channel. What lies between the rows is NaN, which no
/// sum may hear.
template <class Sample>
struct Frames {
  std::size_t width;
  std::size_t taps;
  std::size_t count;
  std::ptrdiff_t stride;
  std::vector<Sample> storage;
  std::vector<Sample> h;
  std::size_t start;

  Frames(std::mt19937& random, std::size_t row_width, std::size_t tap_count, std::size_t outputs)
      : width(row_width), taps(tap_count), count(outputs), h(width * taps + 1) {
    const std::size_t rows = count + taps - 1;
    const std::size_t step = width + (random() % 2 == 0 ? 0 : random() % 20);
    const bool backwards = random() % 3 == 0;
    stride = backwards ? -static_cast<std::ptrdiff_t>(step) : static_cast<std::ptrdiff_t>(step);
    const std::size_t offset = 1 + random() % 17;
    start = offset + (backwards ? (rows - 1) * step : 0);
    storage.assign(offset + rows * step + 1, std::numeric_limits<Sample>::quiet_NaN());
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < width; ++c) at(r, c) = uniform(random);
    }
    for (Sample& tap : h) tap = uniform(random);
    h[width * taps] = std::numeric_limits<Sample>::quiet_NaN();
  }

  Sample& at(std::size_t row, std::size_t column) {
    return storage[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(start + column) +
                                            static_cast<std::ptrdiff_t>(row) * stride)];
  }

  void add(InstructionSet set, Sample* out) {
    frame_products<Sample>(set)->add(storage.data() + start, stride, width, h.data(), taps, out,
                                     count);
  }
};

template <class Sample>
void follows_the_plain_sum(InstructionSet set, long double tolerance) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::size_t width = 1 + random() % (seed % 10 == 0 ? 1'500 : 70);
    const std::size_t taps = 1 + random() % (seed % 7 == 0 ? 70 : 20);
    const std::size_t count = random() % 45;
    Frames<Sample> frames(random, width, taps, count == 0 ? 1 : count);
    frames.count = count;
    std::vector<Sample> out(count + 2);
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    for (Sample& y : out) y = uniform(random);
    const std::vector<Sample> before = out;
    frames.add(set, out.data() + 1);

    long double error = 0;
    long double power = 0;
    for (std::size_t n = 0; n < count; ++n) {
      long double sum = before[n + 1];
      long double size = sum * sum;
      for (std::size_t k = 0; k < taps; ++k) {
        for (std::size_t c = 0; c < width; ++c) {
          const long double product =
              static_cast<long double>(frames.at(n + k, c)) * frames.h[(taps - 1 - k) * width + c];
          sum += product;
          size += product * product;
        }
      }
      error += (out[n + 1] - sum) * (out[n + 1] - sum);
      power += size;  // one sum may be near 0
    }
    ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(power))
        << width << " wide, " << taps << " taps, " << count << " outputs";
    ASSERT_EQ(out[0], before[0]) << "wrote before the first";
    ASSERT_EQ(out[count + 1], before[count + 1]) << "wrote past the end";
  }
}

/// Products that are all positive, whose sums grow: 32 x 32 channels of 32 taps.
template <class Sample>
void keeps_long_sums_exact(InstructionSet set, long double tolerance) {
  std::mt19937 random(5);
  Frames<Sample> frames(random, 1'024, 32, 20);
  for (Sample& x : frames.storage) x = std::abs(x);
  for (Sample& tap : frames.h) tap = std::abs(tap);
  std::vector<Sample> out(20);
  frames.add(set, out.data());
  for (std::size_t n = 0; n < 20; ++n) {
    long double sum = 0;
    for (std::size_t k = 0; k < 32; ++k) {
      for (std::size_t c = 0; c < 1'024; ++c) {
        sum += static_cast<long double>(frames.at(n + k, c)) * frames.h[(31 - k) * 1'024 + c];
      }
    }
    ASSERT_LE(std::abs(out[n] - sum), tolerance * sum) << "output " << n;
  }
}

/// A sample that is not finite is heard by the outputs whose window it is in, and by no others.
template <class Sample>
void spoils_a_window_and_no_more(InstructionSet set) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::size_t width = 1 + random() % 50;
    const std::size_t taps = 1 + random() % 20;
    const std::size_t count = 1 + random() % 45;
    Frames<Sample> frames(random, width, taps, count);
    const std::size_t row = random() % (count + taps - 1);
    using Limits = std::numeric_limits<Sample>;
    frames.at(row, random() % width) =
        random() % 2 == 0 ? Limits::quiet_NaN() : -Limits::infinity();
    std::vector<Sample> out(count);
    frames.add(set, out.data());
    for (std::size_t n = 0; n < count; ++n) {
      ASSERT_EQ(std::isfinite(out[n]), row < n || row >= n + taps) << "output " << n;
    }
  }
}

TEST_P(FrameProductsTest, FollowsThePlainSumInFloat) {
  follows_the_plain_sum<float>(GetParam(), 1e-6);
}
TEST_P(FrameProductsTest, FollowsThePlainSumInDouble) {
  follows_the_plain_sum<double>(GetParam(), 1e-14);
}
TEST_P(FrameProductsTest, KeepsLongSumsExact) {
  keeps_long_sums_exact<float>(GetParam(), 1e-6);
  keeps_long_sums_exact<double>(GetParam(), 1e-14);
}
TEST_P(FrameProductsTest, SpoilsAWindowAndNoMore) {
  spoils_a_window_and_no_more<float>(GetParam());
  spoils_a_window_and_no_more<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, FrameProductsTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
