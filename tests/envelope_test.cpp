// Envelopes against plain sums in double precision.
#include "engine/stages/envelope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/reference.hpp"
#include "io/error.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {
namespace {

using test::FloatSignal;
using test::Random;
using testing::HasSubstr;

constexpr double kPi = std::numbers::pi;

FloatSignal floats(const Signal& signal) {
  FloatSignal result;
  for (const auto& plane : signal) result.emplace_back(plane.begin(), plane.end());
  return result;
}
Signal doubles(const FloatSignal& signal) {
  Signal result;
  for (const auto& plane : signal) result.emplace_back(plane.begin(), plane.end());
  return result;
}

std::vector<double> window(const EnvelopeConfig& config) {
  std::vector<double> w(config.taps, 1.0);
  if (config.window == EnvelopeWindow::kBoxcar) return w;
  for (std::size_t k = 0; k < w.size(); ++k) {
    const double phase = static_cast<double>(k + 1) / static_cast<double>(w.size() + 1);
    w[k] = std::pow(std::sin(kPi * phase), 2);
  }
  return w;
}

/// What the header says, plainly.
Signal oracle(const EnvelopeConfig& config, const Signal& in) {
  const std::size_t frames = in[0].size();
  const Routing rows = Routing::rows(in.size(), 1);
  std::vector<double> taps = window(config);
  if (config.kind != EnvelopeKind::kAnalytic) {
    double sum = 0;
    for (const double tap : taps) sum += tap;
    for (double& tap : taps) tap /= sum;
    Signal sizes = in;
    for (auto& plane : sizes) {
      for (double& x : plane) x = config.kind == EnvelopeKind::kRectified ? std::abs(x) : x * x;
    }
    Signal out = direct_convolution(sizes, FilterBank({taps}), rows, frames);
    if (config.kind == EnvelopeKind::kRms) {
      for (auto& plane : out) {
        for (double& y : plane) y = std::sqrt(y);
      }
    }
    return out;
  }
  const int middle = static_cast<int>(config.taps / 2);
  double gain = 0;
  for (int k = 0; k < static_cast<int>(config.taps); ++k) {
    const int m = k - middle;
    taps[static_cast<std::size_t>(k)] *= m % 2 == 0 ? 0 : 2 / (kPi * m);
    gain += taps[static_cast<std::size_t>(k)] * std::sin(kPi / 2 * m);
  }
  for (double& tap : taps) tap /= gain;
  Signal out = direct_convolution(in, FilterBank({taps}), rows, frames);
  std::vector<double> delay(config.taps / 2 + 1, 0.0);
  delay.back() = 1;
  for (std::size_t c = 0; c < in.size(); ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      const auto past = static_cast<std::size_t>(middle);
      out[c][n] = std::hypot(out[c][n], n < past ? 0 : in[c][n - past]);
    }
  }
  return out;
}

TEST(Envelope, FollowsPlainSumsWhateverTheCalls) {
  for (std::uint64_t seed = 1; seed <= 48; ++seed) {
    Random random(seed);
    EnvelopeConfig config;
    config.channels = test::between(random, 1, 4);
    config.kind = static_cast<EnvelopeKind>(seed % 4);
    config.window = seed / 4 % 2 == 0 ? EnvelopeWindow::kHann : EnvelopeWindow::kBoxcar;
    config.taps = test::between(random, 1, seed % 3 == 0 ? 700 : 40);
    if (config.kind == EnvelopeKind::kAnalytic) config.taps = config.taps / 2 * 2 + 3;
    config.block_frames = test::between(random, 1, 300);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", kind " << seed % 4 << ", taps "
                                    << config.taps << ", block " << config.block_frames);
    Signal in = test::random_signal(random, config.channels, 2'000);
    Envelope envelope(config);
    EXPECT_EQ(envelope.group_delay_frames(), 0.5 * static_cast<double>(config.taps - 1));
    const auto calls = test::random_calls(random, 2'000, config.block_frames, 900);
    const FloatSignal out = test::run_stage(envelope, floats(in), config.channels, calls, 1 << 30);
    ASSERT_TRUE(test::follows(doubles(out), oracle(config, in), 2e-6));

    // A NaN is heard by its own channel's next taps frames.
    envelope.reset();
    in.back()[500] = test::kNan;
    const FloatSignal spoiled = test::run_stage(envelope, floats(in), config.channels, calls);
    for (std::size_t c = 0; c < config.channels; ++c) {
      for (std::size_t n = 0; n < 2'000; ++n) {
        const bool hears = c + 1 == config.channels && n >= 500 && n < 500 + config.taps;
        ASSERT_EQ(std::isnan(spoiled[c][n]), hears) << "channel " << c << ", frame " << n;
      }
    }
    EXPECT_EQ(envelope.gaps(), 0u);
  }
}

TEST(Envelope, WorksInPlaceAndBeginsAnewBehindAGap) {
  Random random(2);
  const Signal in = test::random_signal(random, 2, 500);
  for (const EnvelopeKind kind : {EnvelopeKind::kPower, EnvelopeKind::kAnalytic}) {
    Envelope envelope({.channels = 2, .kind = kind, .taps = 31});
    const FloatSignal first = test::run_stage(envelope, floats(in), 2, {500}, 7);
    for (const std::int64_t frame : {508, 1'007, 0}) {
      FloatSignal signal = floats(in);
      const auto planes = test::from(signal, 0);
      envelope.process(planes.data(), planes.data(), 500, frame);
      EXPECT_EQ(signal, first) << "from frame " << frame;
    }
    EXPECT_EQ(envelope.gaps(), 3u);
  }
}

TEST(Envelope, AnalyticMagnitudeOfASineIsItsAmplitude) {
  constexpr std::size_t kTaps = 101;
  Envelope envelope({.channels = 1, .kind = EnvelopeKind::kAnalytic, .taps = kTaps});
  // From 2.5 / T to 1/2 - 2.5 / T of the rate, as README.md says.
  for (const double frequency : {0.025, 0.03, 0.1, 0.25, 0.4, 0.475}) {
    FloatSignal in(1);
    for (int n = 0; n < 2'000; ++n) {
      in[0].push_back(static_cast<float>(3 * std::sin(2 * kPi * frequency * n)));
    }
    envelope.reset();
    const FloatSignal out = test::run_stage(envelope, in, 1, {2'000});
    for (std::size_t n = kTaps; n < 2'000; ++n) {
      ASSERT_NEAR(out[0][n], 3, 0.03) << "frequency " << frequency << ", frame " << n;
    }
  }
}

TEST(Envelope, IsNeverBelowZero) {
  FloatSignal in(1, std::vector<float>(20'000));
  for (std::size_t n = 5'000; n < 5'100; ++n) in[0][n] = 1e6F;
  Envelope envelope({.channels = 1, .kind = EnvelopeKind::kPower, .taps = 3'000});
  const FloatSignal out = test::run_stage(envelope, in, 1, test::equal_calls(20'000, 100));
  EXPECT_GE(*std::min_element(out[0].begin(), out[0].end()), 0);
  EXPECT_GT(*std::max_element(out[0].begin(), out[0].end()), 1e10F);
}

TEST(Envelope, RefusesWhatItCannotDo) {
  const auto expect_refusal = [](const EnvelopeConfig& config, const std::string& message) {
    try {
      const Envelope envelope(config);
      ADD_FAILURE() << "not refused: " << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  expect_refusal({.channels = 0, .taps = 1}, "channels is 0");
  expect_refusal({.channels = 1, .taps = 0}, "taps is 0; allowed: 1 to 1048576");
  expect_refusal({.channels = 1, .kind = EnvelopeKind::kAnalytic, .taps = 8}, "taps is 8");
  expect_refusal({.channels = 1, .kind = EnvelopeKind::kAnalytic, .taps = 1}, "taps is 1");
  expect_refusal({.channels = 1, .taps = 8, .block_frames = 0}, "block_frames is 0");
}

}  // namespace
}  // namespace firbank
