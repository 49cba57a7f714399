#include "engine/stages/common_reference.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {
namespace {

using test::FloatSignal;
using test::kInfinity;
using test::kNan;
using test::Random;
using testing::HasSubstr;

FloatSignal referenced(CommonReference& reference, FloatSignal signal,
                       const std::vector<std::size_t>& calls) {
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    reference.process(test::from(signal, position).data(), frames);
    position += frames;
  }
  return signal;
}

FloatSignal random_floats(Random& random, std::size_t channels, std::size_t frames) {
  FloatSignal signal;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto samples = test::random_samples(random, frames);
    signal.emplace_back(samples.begin(), samples.end());
  }
  return signal;
}

bool same(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// What the header says, plainly.
FloatSignal oracle(const CommonReferenceConfig& config, const std::vector<bool>& bad,
                   const FloatSignal& in) {
  FloatSignal out = in;
  for (const auto& group : config.groups) {
    for (std::size_t n = 0; n < in[0].size(); ++n) {
      std::vector<double> samples;
      double sum = 0;
      for (const std::size_t c : group) {
        if (bad[c] || !(std::abs(in[c][n]) <= config.largest)) continue;
        samples.push_back(static_cast<double>(in[c][n]));
        sum += samples.back();
      }
      std::sort(samples.begin(), samples.end());
      const std::size_t half = samples.size() / 2;
      double centre = 0;
      if (!samples.empty()) {
        centre = config.kind == ReferenceKind::kMean ? sum / static_cast<double>(samples.size())
                 : samples.size() % 2 == 1           ? samples[half]
                                           : 0.5 * samples[half - 1] + 0.5 * samples[half];
      }
      for (const std::size_t c : group) {
        if (!bad[c]) out[c][n] = in[c][n] - static_cast<float>(centre);
      }
    }
  }
  return out;
}

TEST(CommonReference, TakesTheCentreOfEachGroupWhateverTheCalls) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t channels = test::between(random, 1, seed % 10 == 0 ? 384 : 20);
    const std::size_t frames = test::between(random, 1, 700);
    FloatSignal in = random_floats(random, channels, frames);
    CommonReferenceConfig config;
    config.channels = channels;
    config.kind = seed % 2 == 0 ? ReferenceKind::kMean : ReferenceKind::kMedian;
    if (seed % 3 == 0) config.largest = 0.9F;
    config.groups.resize(test::between(random, 1, 4));
    std::vector<bool> bad(channels, false);
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t group = test::between(random, 0, config.groups.size());
      if (group < config.groups.size()) config.groups[group].push_back(c);
      bad[c] = test::between(random, 0, 7) == 0;
    }
    std::erase_if(config.groups, [](const auto& group) { return group.empty(); });
    if (config.groups.empty()) config.groups = {{0}};
    for (std::size_t i = 0; i < frames; ++i) {
      const float odd[] = {kNan, kInfinity, -kInfinity, 3e38F, -3e38F};
      in[test::between(random, 0, channels - 1)][test::between(random, 0, frames - 1)] =
          odd[test::between(random, 0, config.largest < 1 ? 4 : 2)];
    }
    CommonReference reference(config);
    for (std::size_t c = 0; c < channels; ++c) reference.set_bad(c, bad[c]);
    const FloatSignal expected = oracle(config, bad, in);
    const FloatSignal whole = referenced(reference, in, {frames});
    const FloatSignal cut = referenced(reference, in, test::random_calls(random, frames, 32, 300));
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t n = 0; n < frames; ++n) {
        ASSERT_TRUE(same(whole[c][n], cut[c][n])) << "channel " << c << ", frame " << n;
        const float y = whole[c][n];
        const float z = expected[c][n];
        ASSERT_TRUE(same(y, z) || std::abs(y - z) <= 1e-6F)
            << "channel " << c << ", frame " << n << ": " << y << ", not " << z;
      }
    }
  }
}

TEST(CommonReference, FollowsTheMaskFromTheNextCallOn) {
  CommonReference reference({.channels = 3, .kind = ReferenceKind::kMean});
  FloatSignal signal(3, std::vector<float>(1));
  const auto run = [&](float a, float b, float c) {
    signal = {{a}, {b}, {c}};
    reference.process(test::from(signal, 0).data(), 1);
    return std::vector<float>{signal[0][0], signal[1][0], signal[2][0]};
  };
  EXPECT_EQ(run(1, 2, 6), (std::vector<float>{-2, -1, 3}));
  reference.set_bad(2, true);
  EXPECT_TRUE(reference.is_bad(2));
  EXPECT_EQ(run(1, 2, 6), (std::vector<float>{-0.5F, 0.5F, 6}));
  reference.set_bad(0, true);
  reference.set_bad(1, true);
  EXPECT_EQ(run(1, 2, 6), (std::vector<float>{1, 2, 6})) << "nobody is left";
  for (const std::size_t c : {0, 1, 2}) reference.set_bad(c, false);
  EXPECT_EQ(run(1, 2, 6), (std::vector<float>{-2, -1, 3}));
  reference.set_bad(3, true);
  EXPECT_FALSE(reference.is_bad(3));
}

TEST(CommonReference, KeepsOneChannelsTroubleInThatChannel) {
  Random random(3);
  const FloatSignal clean = random_floats(random, 5, 100);
  for (const ReferenceKind kind : {ReferenceKind::kMean, ReferenceKind::kMedian}) {
    CommonReference reference({.channels = 5, .kind = kind, .largest = 2});
    // As if the channel were not there.
    CommonReference without({.channels = 5, .kind = kind, .groups = {{0, 1, 3, 4}}});
    const FloatSignal expected = referenced(without, clean, {100});
    for (const float trouble : {kNan, kInfinity, -kInfinity, 2.1F, -3e38F}) {
      FloatSignal in = clean;
      in[2].assign(100, trouble);
      const FloatSignal out = referenced(reference, in, {100});
      for (const std::size_t c : {0, 1, 3, 4}) EXPECT_EQ(out[c], expected[c]) << trouble;
    }
  }
}

void expect_refusal(const CommonReferenceConfig& config, const std::string& message) {
  try {
    const CommonReference reference(config);
    ADD_FAILURE() << "not refused: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(CommonReference, RefusesWhatItCannotDo) {
  expect_refusal({.channels = 0}, "channels is 0");
  expect_refusal({.channels = 2, .largest = 0}, "largest is 0");
  expect_refusal({.channels = 2, .largest = kNan}, "largest is nan");
  expect_refusal({.channels = 2, .largest = kInfinity}, "largest is inf");
  expect_refusal({.channels = 2, .groups = {{0}, {}}}, "group 1 has no channels");
  expect_refusal({.channels = 2, .groups = {{0, 2}}}, "channel 2 of group 0 is not there; 0 to 1");
  expect_refusal({.channels = 2, .groups = {{0, 1}, {1}}}, "channel 1 of group 1 is in a group");
}

}  // namespace
}  // namespace firbank
