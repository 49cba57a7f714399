// Distances to templates against plain differences in double precision: noise, matches from far to
// exact, offsets, loud stretches, and late in a stream.
#include "engine/stages/template_distance.hpp"

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

constexpr double kTolerance = 1e-4;

double plain_distance(const Template& one, const FloatSignal& in, std::size_t frame) {
  long double sum = 0;
  const std::size_t length = one.samples[0].size();
  for (std::size_t i = 0; i < one.channels.size(); ++i) {
    const float* const x = &in[one.channels[i]][frame + 1 - length];
    for (std::size_t k = 0; k < length; ++k) {
      const long double difference =
          static_cast<long double>(x[k]) - static_cast<long double>(one.samples[i][k]);
      sum += difference * difference;
    }
  }
  return static_cast<double>(std::sqrt(sum));
}

/// The largest relative error over the frames from `begin` to before `end`; NaN has to meet NaN.
double worst_error(const TemplateDistanceConfig& config, const FloatSignal& in,
                   const FloatSignal& out, std::size_t begin = 0,
                   std::size_t end = std::string::npos) {
  double worst = 0;
  const std::size_t length = config.templates[0].samples[0].size();
  for (std::size_t k = 0; k < config.templates.size(); ++k) {
    for (std::size_t n = begin; n < std::min(end, in[0].size()); ++n) {
      const double got = static_cast<double>(out[k][n]);
      const double expected =
          n + 1 < length ? std::nan("") : plain_distance(config.templates[k], in, n);
      if (!std::isfinite(expected)) {
        if (!std::isnan(got)) return kInfinity;
      } else if (got != expected) {
        const double error = std::abs(got - expected) / expected;
        if (!(error <= worst)) worst = std::isnan(error) ? static_cast<double>(kInfinity) : error;
      }
    }
  }
  return worst;
}

FloatSignal noise(Random& random, std::size_t channels, std::size_t frames, float size = 1) {
  std::normal_distribution<float> normal(0, size);
  FloatSignal signal(channels, std::vector<float>(frames));
  for (auto& plane : signal) {
    for (float& x : plane) x = normal(random);
  }
  return signal;
}

/// Of values that float holds, on random channels.
Template random_template(Random& random, std::size_t channels, std::size_t length, double size,
                         double offset = 0) {
  std::normal_distribution<double> normal(0, size);
  Template one;
  for (std::size_t c = 0; c < channels; ++c) {
    if (test::between(random, 0, 1) == 0) one.channels.push_back(c);
  }
  if (one.channels.empty()) one.channels.push_back(test::between(random, 0, channels - 1));
  std::shuffle(one.channels.begin(), one.channels.end(), random);
  for (std::size_t i = 0; i < one.channels.size(); ++i) {
    auto& samples = one.samples.emplace_back();
    for (std::size_t k = 0; k < length; ++k) {
      samples.push_back(static_cast<double>(static_cast<float>(offset + normal(random))));
    }
  }
  return one;
}

/// Puts a template into the signal so that its window ends before `end`, each sample off by about
/// `error` times itself.
void plant(Random& random, const Template& one, double error, std::size_t end, FloatSignal& in) {
  std::normal_distribution<double> normal(0, 1);
  const std::size_t length = one.samples[0].size();
  for (std::size_t i = 0; i < one.channels.size(); ++i) {
    for (std::size_t k = 0; k < length; ++k) {
      in[one.channels[i]][end - length + k] =
          static_cast<float>(one.samples[i][k] * (1 + error * normal(random)));
    }
  }
}

TEST(TemplateDistance, IsRightFromNoiseToExactMatchesWhateverTheCalls) {
  const std::uint64_t seeds = test::full_sweep() ? 600 : 90;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    TemplateDistanceConfig config;
    config.channels = test::between(random, 1, 5);
    config.block_frames = test::between(random, 1, 300);
    const std::size_t length = test::between(random, 1, seed % 9 == 0 ? 600 : 80);
    const double size = std::pow(10.0, static_cast<double>(seed % 13) - 6);
    const double offset = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 1'000 * size : -1e6 * size;
    for (std::size_t k = test::between(random, 1, 6); k > 0; --k) {
      config.templates.push_back(random_template(random, config.channels, length, size, offset));
    }
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", length " << length << ", block " << config.block_frames
                 << ", size " << size << ", offset " << offset);
    const std::size_t frames = 30 * length + 1'000;
    FloatSignal in = noise(random, config.channels, frames, static_cast<float>(size));
    for (auto& plane : in) {
      for (float& x : plane) x += static_cast<float>(offset);
    }
    std::vector<std::size_t> exact;  // template by template: where it was planted bit by bit
    std::size_t end = 2 * length;
    for (const double error : {0.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0}) {
      plant(random, config.templates[end % config.templates.size()], error, end, in);
      end += length + test::between(random, 0, length);
    }
    TemplateDistance distance(config);
    EXPECT_EQ(distance.length(), length);
    const FloatSignal out =
        test::run_stage(distance, in, config.templates.size(),
                        test::random_calls(random, frames, config.block_frames, 900),
                        static_cast<std::int64_t>(seed) << 40);
    ASSERT_LE(worst_error(config, in, out), kTolerance);
    ASSERT_EQ(out[(2 * length) % config.templates.size()][2 * length - 1], 0) << "an exact match";
    EXPECT_EQ(distance.unrefined_windows(), 0u);
    EXPECT_EQ(distance.gaps(), 0u);
  }
}

// What was loud before makes rounding errors that what is quiet behind must not inherit.
TEST(TemplateDistance, IsRightBehindLoudStretches) {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t length = seed % 2 == 0 ? 40 : 900;  // direct, and by transforms
    TemplateDistanceConfig config{.channels = 2, .templates = {}, .exact_share = 1};
    for (int k = 0; k < 2; ++k) {
      config.templates.push_back(random_template(random, 2, length, 1));
    }
    const std::size_t frames = 8'000;
    FloatSignal in = noise(random, 2, frames);
    const auto loud = static_cast<float>(std::pow(10.0, 4 + static_cast<double>(seed % 5) * 2));
    for (auto& plane : in) {
      for (std::size_t n = 1'000; n < 1'200; ++n) plane[n] = n % 3 == 0 ? loud : -loud;
    }
    plant(random, config.templates[0], 1e-6, 1'200 + length, in);
    plant(random, config.templates[1], 1e-4, 1'300 + 2 * length, in);
    TemplateDistance distance(config);
    const FloatSignal out = test::run_stage(distance, in, 2, test::equal_calls(frames, 32));
    EXPECT_LE(worst_error(config, in, out), kTolerance) << "loud " << loud;
    EXPECT_EQ(distance.unrefined_windows(), 0u);
  }
}

TEST(TemplateDistance, CostsAtMostItsShareWhereEverythingMatches) {
  // Two levels: the mean of both is no offset that would help, and one matches in every frame.
  const std::size_t length = 64;
  TemplateDistanceConfig config{.channels = 1};
  config.templates.push_back({{0}, {std::vector<double>(length, 1.0)}});
  config.templates.push_back({{0}, {std::vector<double>(length, -1.0)}});
  Random random(1);
  FloatSignal in = noise(random, 1, 20'000, 1e-7F);
  for (float& x : in[0]) x += 1;
  TemplateDistance distance(config);
  const FloatSignal out = test::run_stage(distance, in, 2, test::equal_calls(20'000, 100));
  const std::uint64_t windows = 20'000 - (length - 1);
  EXPECT_EQ(distance.exact_windows() + distance.unrefined_windows(), windows);
  EXPECT_LE(distance.exact_windows(), 20'000 / 8 + 32u);
  EXPECT_GE(distance.exact_windows(), 20'000 / 8u);
  for (std::size_t n = length - 1; n < 20'000; ++n) {
    const double expected = plain_distance(config.templates[0], in, n);
    ASSERT_NEAR(static_cast<double>(out[0][n]), expected, 1e-6 * 8 * std::sqrt(2)) << "frame " << n;
    ASSERT_NEAR(static_cast<double>(out[1][n]), 16, 1e-4 * 16) << "frame " << n;
  }

  config.exact_share = 1;
  TemplateDistance all(config);
  const FloatSignal exact = test::run_stage(all, in, 2, test::equal_calls(20'000, 100));
  EXPECT_LE(worst_error(config, in, exact), kTolerance);
  EXPECT_EQ(all.unrefined_windows(), 0u);
}

TEST(TemplateDistance, OfSilenceToSilenceIsZeroWithoutRecomputing) {
  for (const double level : {0.0, 3.7}) {
    TemplateDistanceConfig config{.channels = 1};
    config.templates.push_back({{0}, {std::vector<double>(50, level)}});
    TemplateDistance distance(config);
    const FloatSignal in(1, std::vector<float>(3'000, static_cast<float>(level)));
    const FloatSignal out = test::run_stage(distance, in, 1, test::equal_calls(3'000, 32));
    for (std::size_t n = 49; n < 3'000; ++n) ASSERT_NEAR(out[0][n], 0, 1e-6);
    EXPECT_EQ(distance.unrefined_windows(), 0u);
    EXPECT_EQ(distance.exact_windows(), 0u);
  }
}

TEST(TemplateDistance, KeepsTroubleInItsWindowsAndItsChannel) {
  Random random(7);
  TemplateDistanceConfig config{.channels = 3};
  config.templates.push_back({{0}, {test::random_samples(random, 30)}});
  config.templates.push_back(
      {{2, 1}, {test::random_samples(random, 30), test::random_samples(random, 30)}});
  FloatSignal in = noise(random, 3, 2'000);
  for (const std::size_t frame : {300, 301, 900}) in[1][frame] = kNan;
  in[1][1'200] = kInfinity;
  in[2][1'500] = -kInfinity;
  in[1][1'700] = 3e38F;
  TemplateDistance distance(config);
  const FloatSignal out =
      test::run_stage(distance, in, 2, test::random_calls(random, 2'000, 32, 400));
  EXPECT_LE(worst_error(config, in, out, 0, 1'700), kTolerance);
  EXPECT_LE(worst_error(config, in, out, 1'730), kTolerance) << "a huge sample leaves nothing";
  for (std::size_t n = 29; n < 2'000; ++n) ASSERT_TRUE(std::isfinite(out[0][n])) << n;
}

TEST(TemplateDistance, BeginsAnewBehindAGap) {
  Random random(3);
  TemplateDistanceConfig config{.channels = 2};
  for (int k = 0; k < 3; ++k) config.templates.push_back(random_template(random, 2, 33, 1));
  const FloatSignal in = noise(random, 2, 500);
  TemplateDistance distance(config);
  for (const std::int64_t first : {0, 501, 2'000, 1'000}) {
    const FloatSignal out = test::run_stage(distance, in, 3, test::equal_calls(500, 41), first);
    EXPECT_LE(worst_error(config, in, out), kTolerance) << "from " << first;
  }
  EXPECT_EQ(distance.gaps(), 3u);
  distance.reset();
  const FloatSignal out = test::run_stage(distance, in, 3, {500}, 77);
  EXPECT_LE(worst_error(config, in, out), kTolerance);
  EXPECT_EQ(distance.gaps(), 3u);
}

// What was loud before a gap is no more behind it, neither in the sums nor in what bounds their
// error.
TEST(TemplateDistance, ForgetsLoudStretchesAtAGap) {
  Random random(4);
  TemplateDistanceConfig config{.channels = 1, .exact_share = 0};
  config.templates.push_back({{0}, {test::random_samples(random, 900)}});
  const FloatSignal in = noise(random, 1, 3'000);
  const FloatSignal loud = noise(random, 1, 3'000, 1e20F);
  TemplateDistance distance(config);
  test::run_stage(distance, loud, 1, test::equal_calls(3'000, 256), 0);
  const std::uint64_t before = distance.unrefined_windows();
  const FloatSignal out = test::run_stage(distance, in, 1, test::equal_calls(3'000, 256), 9'000);
  EXPECT_LE(worst_error(config, in, out), kTolerance);
  EXPECT_EQ(distance.unrefined_windows(), before);
}

// An hour at 30 kHz is 1.08e8 frames; there is nothing in it that could drift, and this would show
// it.
TEST(TemplateDistance, IsAsRightAfterHoursAsAtFirst) {
  Random random(11);
  const std::size_t length = 24;
  TemplateDistanceConfig config{.channels = 1, .templates = {}, .block_frames = 256};
  config.templates.push_back({{0}, {test::random_samples(random, length)}});
  const std::size_t stretch = 1 << 16;
  FloatSignal in = noise(random, 1, stretch, 1e3F);
  for (std::size_t n = 0; n < stretch; n += 1'000) in[0][n] = 3e7F;
  FloatSignal probe = noise(random, 1, 8'192);
  std::size_t end = 3'000;  // far behind what was loud
  for (const double error : {0.0, 1e-3, 1e-5, 1e-7, 0.0}) {
    plant(random, config.templates[0], error, end, probe);
    end += 700;
  }
  TemplateDistance distance(config);
  std::vector<float> out(stretch);
  float* const results[] = {out.data()};
  std::int64_t frame = 0;
  const std::int64_t frames = test::full_sweep() ? 110'000'000 : 3'000'000;
  FloatSignal first;
  while (true) {
    const FloatSignal got =
        test::run_stage(distance, probe, 1, test::equal_calls(8'192, 256), frame);
    ASSERT_LE(worst_error(config, probe, got, length), kTolerance) << "from frame " << frame;
    if (first.empty()) first = got;
    frame += 8'192;
    if (frame >= frames) break;
    for (int turn = 0; turn < 40 && frame < frames; ++turn) {
      const float* const planes[] = {in[0].data()};
      distance.process(planes, results, stretch, frame);
      frame += static_cast<std::int64_t>(stretch);
    }
  }
  EXPECT_EQ(distance.unrefined_windows(), 0u);
  EXPECT_EQ(distance.gaps(), 0u);
}

TEST(TemplateDistance, RefusesWhatItCannotDo) {
  const auto expect_refusal = [](const TemplateDistanceConfig& config, const std::string& message) {
    try {
      const TemplateDistance distance(config);
      ADD_FAILURE() << "not refused: " << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  const Template good{{0}, {{1.0, 2.0}}};
  expect_refusal({.channels = 0, .templates = {good}}, "channels is 0");
  expect_refusal({.channels = 1, .templates = {}}, "there is no template");
  expect_refusal({.channels = 1, .templates = {{}}}, "template 0 has no channel");
  expect_refusal({.channels = 1, .templates = {good, {{1}, {{1.0, 2.0}}}}},
                 "template 1: channel 1 is not there; 0 to 0");
  expect_refusal({.channels = 2, .templates = {{{1, 1}, {{1.0}, {1.0}}}}},
                 "channel 1 is there twice");
  expect_refusal({.channels = 1, .templates = {{{0}, {}}}},
                 "samples of 0 channels; its 1 channels");
  expect_refusal({.channels = 1, .templates = {{{0}, {{}}}}}, "template 0 has 0 samples");
  expect_refusal({.channels = 1, .templates = {good, {{0}, {{1.0}}}}},
                 "template 1: channel 0 has 1");
  expect_refusal({.channels = 1, .templates = {{{0}, {{std::nan("")}}}}}, "has a sample nan");
  expect_refusal({.channels = 1, .templates = {{{0}, {{1e39}}}}}, "has a sample 1e+39");
  expect_refusal({.channels = 1, .templates = {good}, .block_frames = 0}, "block_frames is 0");
  expect_refusal({.channels = 1, .templates = {good}, .exact_share = 1.5}, "exact_share is 1.5");
}

}  // namespace
}  // namespace firbank
