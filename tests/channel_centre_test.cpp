// Mean and median over channels on every instruction set, against a plain one in double precision.
#include "kernels/cpu/channel_centre.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/aligned_vector.hpp"
#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using ChannelCentreTest = test::InstructionSetTest;
using Planes = std::vector<std::vector<float>>;

/// The samples of one frame that count, in order.
std::vector<double> counting(const Planes& planes, std::size_t frame, float largest) {
  std::vector<double> samples;
  for (const auto& plane : planes) {
    if (std::abs(plane[frame]) <= largest) samples.push_back(static_cast<double>(plane[frame]));
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

float plain_median(const std::vector<double>& samples) {
  if (samples.empty()) return 0;
  const std::size_t half = samples.size() / 2;
  if (samples.size() % 2 == 1) return static_cast<float>(samples[half]);
  return static_cast<float>(0.5 * samples[half - 1] + 0.5 * samples[half]);
}

double plain_mean(const std::vector<double>& samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample;
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

void follows_the_plain_ones(InstructionSet set, const Planes& planes, std::size_t first,
                            std::size_t frames, float largest) {
  std::vector<const float*> pointers;
  for (const auto& plane : planes) pointers.push_back(plane.data());
  AlignedVector<std::int32_t> work(planes.size() * ChannelCentre::kTile);
  std::vector<float> mean(frames + 1, 7), median(frames + 1, 7);
  const ChannelCentre& kernel = *channel_centre(set);
  kernel.mean(pointers.data(), planes.size(), first, frames, largest, work.data(), mean.data());
  kernel.median(pointers.data(), planes.size(), first, frames, largest, work.data(), median.data());
  for (std::size_t n = 0; n < frames; ++n) {
    const std::vector<double> samples = counting(planes, first + n, largest);
    ASSERT_EQ(median[n], plain_median(samples)) << "frame " << n << ", " << samples.size();
    double size = 0;
    for (const double sample : samples) size = std::max(size, std::abs(sample));
    ASSERT_NEAR(static_cast<double>(mean[n]), plain_mean(samples), 1e-7 * size) << "frame " << n;
  }
  ASSERT_EQ(mean[frames], 7) << "wrote past the end";
  ASSERT_EQ(median[frames], 7) << "wrote past the end";
}

TEST_P(ChannelCentreTest, FollowThePlainOnes) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const std::size_t channels = 1 + random() % (seed % 20 == 0 ? 400 : 12);
    const std::size_t first = random() % 5;
    const std::size_t frames = 1 + random() % 70;
    const unsigned levels = seed % 3 == 0 ? 5 : 100'000;  // few: many samples are equal
    Planes planes(channels, std::vector<float>(first + frames));
    for (auto& plane : planes) {
      for (float& x : plane) {
        x = 0.01F * (static_cast<float>(random() % levels) - 0.5F * static_cast<float>(levels));
        if (seed % 2 == 0 && random() % 4 == 0) {
          constexpr float kOdd[] = {std::numeric_limits<float>::quiet_NaN(),
                                    -std::numeric_limits<float>::quiet_NaN(),
                                    std::numeric_limits<float>::infinity(),
                                    -std::numeric_limits<float>::infinity(),
                                    std::numeric_limits<float>::max(),
                                    std::numeric_limits<float>::lowest(),
                                    std::numeric_limits<float>::min(),
                                    -std::numeric_limits<float>::min(),
                                    0.0F,
                                    -0.0F};
          x = kOdd[random() % std::size(kOdd)];
        }
      }
    }
    const float largest = seed % 5 == 0 ? 100.0F : std::numeric_limits<float>::max();
    follows_the_plain_ones(GetParam(), planes, first, frames, largest);
    if (HasFatalFailure()) return;
  }
}

TEST_P(ChannelCentreTest, AreZeroWhereNothingCounts) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  follows_the_plain_ones(GetParam(), Planes(3, std::vector<float>(33, nan)), 0, 33, 1e9F);
  follows_the_plain_ones(GetParam(), Planes(2, std::vector<float>(16, 5.0F)), 0, 16, 4.0F);
  std::vector<float> out(20, 7);
  AlignedVector<std::int32_t> work(ChannelCentre::kTile);
  channel_centre(GetParam())->median(nullptr, 0, 0, 20, 1.0F, work.data(), out.data());
  EXPECT_EQ(out, std::vector<float>(20, 0));
  out.assign(20, 7);
  channel_centre(GetParam())->mean(nullptr, 0, 0, 20, 1.0F, work.data(), out.data());
  EXPECT_EQ(out, std::vector<float>(20, 0));
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, ChannelCentreTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
