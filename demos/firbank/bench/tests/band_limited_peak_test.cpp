#include "demos/firbank/bench/loopback/band_limited_peak.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "demos/firbank/bench/loopback/fractional_delay.hpp"
#include "demos/firbank/bench/loopback/line_fit.hpp"

namespace firbank::program {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::size_t kPeriod = 255;

/// Cosines of all frequencies up to `highest`, each largest at `middle`.
std::vector<double> pulse(double middle, std::size_t highest, double sign = 1) {
  std::vector<double> samples(kPeriod);
  for (std::size_t n = 0; n < kPeriod; ++n) {
    for (std::size_t k = 0; k <= highest; ++k) {
      const double angle = 2 * kPi * static_cast<double>(k) / kPeriod;
      samples[n] += sign * std::cos(angle * (static_cast<double>(n) - middle)) /
                    static_cast<double>(highest + 1);
    }
  }
  return samples;
}

TEST(BandLimited, GoesThroughTheSamplesAndIsExactBetweenThem) {
  std::vector<double> tone(kPeriod);
  constexpr double kAngle = 2 * kPi * 127 / kPeriod;  // the highest that there is
  for (std::size_t n = 0; n < kPeriod; ++n) tone[n] = std::cos(kAngle * static_cast<double>(n) + 1);
  for (double t = -3.37; t < 300; t += 0.719) {
    EXPECT_NEAR(band_limited(tone, t), std::cos(kAngle * t + 1), 1e-11) << t;
  }
  EXPECT_EQ(band_limited(tone, 17), tone[17]);
  EXPECT_EQ(band_limited(tone, 17 + 2.0 * kPeriod), tone[17]);
}

TEST(BandLimitedPeak, LiesWhereverThePulseDoes) {
  for (const std::size_t highest : {20u, 60u, 127u}) {
    for (double middle = 3; middle < 6; middle += 0.0625) {
      const BandLimitedPeak up = band_limited_peak(pulse(middle, highest));
      EXPECT_NEAR(up.position, middle, 1e-6) << "up to " << highest;
      EXPECT_NEAR(up.value, 1, 1e-9);
      const BandLimitedPeak down = band_limited_peak(pulse(middle, highest, -0.5));
      EXPECT_NEAR(down.position, middle, 1e-6);
      EXPECT_NEAR(down.value, -0.5, 1e-9);
    }
  }
}

TEST(BandLimitedPeak, LiesBeforeTheFirstSampleOrBehindTheLast) {
  EXPECT_NEAR(band_limited_peak(pulse(-0.3, 100)).position, -0.3, 1e-6);
  EXPECT_NEAR(band_limited_peak(pulse(254.3, 100)).position, 254.3, 1e-6);
}

TEST(FractionalDelay, DelaysTonesByAsMuchAsItSays) {
  std::vector<double> tone(1'400);
  for (const double frequency : {0.01, 0.3, 0.6, 0.9}) {  // of half the sampling rate
    for (std::size_t n = 0; n < tone.size(); ++n) {
      tone[n] = std::sin(kPi * frequency * static_cast<double>(n));
    }
    for (const double frames : {0.25, 0.5, 3.0, 37.25, 100.999}) {
      const std::vector<double> late = delayed(tone, frames);
      ASSERT_EQ(late.size(), tone.size());
      for (std::size_t n = 400; n < tone.size() - 300; ++n) {
        const double wanted = std::sin(kPi * frequency * (static_cast<double>(n) - frames));
        ASSERT_NEAR(late[n], wanted, 1e-3) << frequency << " by " << frames << " at " << n;
      }
    }
  }
}

TEST(FractionalDelay, MovesTheHighestPointOfAnImpulse) {
  std::vector<double> impulse(1'023);
  impulse[400] = 1;
  for (double frames = 0.05; frames < 3; frames += 0.1) {
    EXPECT_NEAR(band_limited_peak(delayed(impulse, frames)).position, 400 + frames, 1.2e-3);
  }
}

TEST(FractionalDelay, MovesByWholeFramesExactly) {
  const std::vector<double> signal = {1, 2, 3, 4};
  EXPECT_EQ(delayed(signal, 0), signal);
  EXPECT_EQ(delayed(signal, 3), (std::vector<double>{0, 0, 0, 1}));
  EXPECT_EQ(delayed(signal, 9), (std::vector<double>{0, 0, 0, 0}));
}

TEST(LineFit, FindsTheSlopeAndHowSureItIs) {
  const std::vector<double> x = {0, 1, 2, 3};
  const auto exact = fit_line(x, std::vector<double>{5, 3, 1, -1});
  ASSERT_TRUE(exact);
  EXPECT_NEAR(exact->slope, -2, 1e-12);
  EXPECT_NEAR(exact->spread, 0, 1e-12);
  // By hand: mean 1.5 and 1, sxx 5, sxy 4; what is left 0.2, -0.6, 0.6, -0.2: 0.8 in squares.
  const auto rough = fit_line(x, std::vector<double>{0, 0, 2, 2});
  ASSERT_TRUE(rough);
  EXPECT_NEAR(rough->slope, 0.8, 1e-12);
  EXPECT_NEAR(rough->slope_error, std::sqrt(0.8 / 2 / 5), 1e-12);
  EXPECT_NEAR(rough->spread, 1.2, 1e-12);
  EXPECT_FALSE(fit_line(std::vector<double>{1, 2}, std::vector<double>{1, 2}));
  EXPECT_FALSE(fit_line(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}));
}

}  // namespace
}  // namespace firbank::program
