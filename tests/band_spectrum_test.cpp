#include "engine/band_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

namespace firbank {
namespace {

std::vector<float> sine(std::size_t samples, double rate_hz, double frequency_hz,
                        double amplitude) {
  std::vector<float> signal(samples);
  for (std::size_t n = 0; n < samples; ++n) {
    const double turns = frequency_hz * static_cast<double>(n) / rate_hz;
    signal[n] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * turns + 0.7));
  }
  return signal;
}

TEST(BandSpectrum, ShowsASineInItsBandAtItsLevel) {
  for (const double rate : {8'000.0, 44'100.0, 48'000.0, 96'000.0, 192'000.0}) {
    BandSpectrum spectrum(rate);
    for (std::size_t band = 0; band < spectrum.centres_hz().size(); ++band) {
      const double frequency = spectrum.centres_hz()[band];
      if (frequency < 200) continue;  // narrower than the window's main lobe
      SCOPED_TRACE(testing::Message() << frequency << " Hz at " << rate);
      const auto signal = sine(spectrum.samples(), rate, frequency, 0.1);
      const auto levels = spectrum.levels_db(signal.data());
      EXPECT_NEAR(levels[band], -20, 0.5);
      for (std::size_t other = 0; other < levels.size(); ++other) {
        if (other + 2 < band || other > band + 2) {
          EXPECT_LT(levels[other], -60) << other;
        }
      }
    }
  }
}

// Below, a sine lies in a few bands together.
TEST(BandSpectrum, LosesNothingOfALowSine) {
  BandSpectrum spectrum(48'000);
  for (const double frequency : {40.0, 55.0, 82.4, 110.0, 150.0}) {
    const auto signal = sine(spectrum.samples(), 48'000, frequency, 1);
    double sum = 0;
    for (const float level : spectrum.levels_db(signal.data())) sum += std::pow(10.0, level / 10);
    EXPECT_NEAR(10 * std::log10(sum), 0, 0.5) << frequency;
  }
}

TEST(BandSpectrum, RisesByHalfADecibelABandInWhiteNoise) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.1f);
  BandSpectrum spectrum(48'000);
  std::vector<double> power(spectrum.centres_hz().size());
  std::vector<float> noise(spectrum.samples());
  constexpr int kTimes = 200;
  for (int time = 0; time < kTimes; ++time) {
    for (float& sample : noise) sample = normal(random);
    const auto levels = spectrum.levels_db(noise.data());
    for (std::size_t band = 0; band < levels.size(); ++band) {
      power[band] += std::pow(10.0, levels[band] / 10) / kTimes;
    }
  }
  for (std::size_t band = 0; band < power.size(); ++band) {
    // Noise of variance v has, up to half the rate, 2 v in these units.
    const double centre = spectrum.centres_hz()[band];
    const double width = centre * (std::exp2(1.0 / 12) - std::exp2(-1.0 / 12));
    const double wanted = 2 * 0.01 * width / 24'000;
    EXPECT_NEAR(10 * std::log10(power[band] / wanted), 0, 1) << centre << " Hz, seed 7";
  }
}

TEST(BandSpectrum, StaysWithinWhatARateAllows) {
  for (const double rate : {1.0, 360.0, 1'000.0, 8'000.0, 48'000.0, 768'000.0, 1e9}) {
    BandSpectrum spectrum(rate);
    const auto& centres = spectrum.centres_hz();
    EXPECT_TRUE(std::is_sorted(centres.begin(), centres.end()));
    for (const double centre : centres) EXPECT_LT(centre, rate / 2);
    const std::vector<float> silence(spectrum.samples());
    for (const float level : spectrum.levels_db(silence.data())) {
      EXPECT_EQ(level, BandSpectrum::kFloorDb);
    }
  }
  EXPECT_EQ(BandSpectrum(48'000).samples(), 8'192u);
  EXPECT_LT(BandSpectrum(48'000).centres_hz().front(), 30);
  EXPECT_GT(BandSpectrum(48'000).centres_hz().back(), 19'000);
}

}  // namespace
}  // namespace firbank
