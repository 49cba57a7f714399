#include "engine/sample_tap.hpp"

#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank {
namespace {

using testing::ElementsAre;

void add(SampleTap& tap, const std::vector<float>& samples) {
  const std::array planes = {samples.data()};
  tap.add(planes.data(), 1, samples.size());
}

std::vector<float> newest(const SampleTap& tap, std::size_t samples) {
  std::vector<float> copy(samples, -1);
  EXPECT_TRUE(tap.newest(copy.data(), samples));
  return copy;
}

TEST(SampleTap, GivesTheNewestSamplesOldestFirst) {
  SampleTap tap(4);
  EXPECT_THAT(newest(tap, 3), ElementsAre(0, 0, 0));
  add(tap, {1, 2});
  EXPECT_THAT(newest(tap, 4), ElementsAre(0, 0, 1, 2));
  add(tap, {3, 4, 5});
  EXPECT_THAT(newest(tap, 4), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(newest(tap, 1), ElementsAre(5));
  EXPECT_EQ(tap.count(), 5u);
  add(tap, {});
  EXPECT_EQ(tap.count(), 5u);
}

TEST(SampleTap, TakesBlocksThatAreLongerThanItself) {
  SampleTap tap(3);
  std::vector<float> block(1'000);
  for (std::size_t n = 0; n < block.size(); ++n) block[n] = static_cast<float>(n);
  add(tap, block);
  EXPECT_THAT(newest(tap, 3), ElementsAre(997, 998, 999));
  EXPECT_EQ(tap.count(), 1'000u);
}

TEST(SampleTap, MixesChannelsAndLeavesOutWhatIsNotFinite) {
  SampleTap tap(3);
  const std::vector<float> left = {1, std::numeric_limits<float>::quiet_NaN(), 0.5};
  const std::vector<float> right = {0, 1, std::numeric_limits<float>::infinity()};
  const std::array planes = {left.data(), right.data()};
  tap.add(planes.data(), 2, 3);
  EXPECT_THAT(newest(tap, 3), ElementsAre(0.5, 0, 0));
  tap.add(nullptr, 0, 2);
  EXPECT_THAT(newest(tap, 3), ElementsAre(0, 0, 0));
}

// What a reader gets is one stretch of the stream, never a mixture of old and new samples.
TEST(SampleTap, GivesWholeStretchesWhileItIsWritten) {
  constexpr std::size_t kSamples = 512;
  constexpr std::uint64_t kRounds = 1 << 16;  // numbers that float holds exactly
  SampleTap tap(kSamples);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    std::vector<float> block(64);
    for (std::uint64_t first = 0; first < kRounds * 200; first += block.size()) {
      for (std::size_t n = 0; n < block.size(); ++n) {
        block[n] = static_cast<float>((first + n) % kRounds);
      }
      add(tap, block);
    }
    done = true;
  });
  std::size_t whole = 0;
  std::size_t torn = 0;
  std::vector<float> copy(kSamples);
  while (!done) {
    if (tap.count() < kSamples) continue;
    if (!tap.newest(copy.data(), kSamples)) continue;
    ++whole;
    for (std::size_t n = 1; n < kSamples; ++n) {
      const float next = std::fmod(copy[n - 1] + 1, static_cast<float>(kRounds));
      if (copy[n] != next) ++torn;
    }
  }
  writer.join();
  EXPECT_EQ(torn, 0u) << "of " << whole << " copies";
  EXPECT_GT(whole, 0u);
}

}  // namespace
}  // namespace firbank
