#include "io/resampler.hpp"

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::refusal;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::pair<double, double> kRates[] = {
    {44'100, 48'000}, {48'000, 44'100}, {48'000, 96'000}, {96'000, 48'000},
    {16'000, 44'100}, {44'100, 16'000}, {48'000, 47'999}, {360, 48'000}};

// A pulse that is band-limited for every purpose: a Gaussian around `centre` seconds.
double pulse(double seconds, double centre, double width) {
  const double x = (seconds - centre) / width;
  return std::exp(-0.5 * x * x);
}

TEST(Resampler, KeepsWhereAndHowLargeAPulseIs) {
  for (const auto& [from, to] : kRates) {
    SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
    const double width = 4.0 / std::min(from, to);  // -190 dB at the lower Nyquist frequency
    const double centre = 100 * width;
    std::vector<double> in(static_cast<std::size_t>(200 * width * from));
    for (std::size_t n = 0; n < in.size(); ++n) {
      in[n] = pulse(static_cast<double>(n) / from, centre, width);
    }
    const std::vector<double> out = resample(in, from, to).samples;
    ASSERT_EQ(out.size(),
              static_cast<std::size_t>(std::ceil(static_cast<double>(in.size()) * to / from)));
    for (std::size_t n = 0; n < out.size(); ++n) {
      ASSERT_NEAR(out[n], pulse(static_cast<double>(n) / to, centre, width), 1e-6) << n;
    }
  }
}

TEST(Resampler, KeepsAPulseNearTheStart) {
  // As impulse responses have it: the rise is cut off by frame 0 in the input already.
  for (const auto& [from, to] : {std::pair{44'100.0, 48'000.0}, {48'000.0, 44'100.0}}) {
    const double width = 4.0 / std::min(from, to);
    const double centre = 10 * width;
    std::vector<double> in(1'000);
    for (std::size_t n = 0; n < in.size(); ++n) {
      in[n] = pulse(static_cast<double>(n) / from, centre, width);
    }
    const std::vector<double> out = resample(in, from, to).samples;
    for (std::size_t n = 0; n < out.size(); ++n) {
      ASSERT_NEAR(out[n], pulse(static_cast<double>(n) / to, centre, width), 1e-6) << n;
    }
  }
}

TEST(Resampler, AnImpulseKeepsItsAreaAndItsPlace) {
  for (const auto& [from, to] : kRates) {
    SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
    std::vector<double> in(4'001);
    in[2'000] = 1.0;
    const std::vector<double> out = resample(in, from, to).samples;
    double sum = 0;
    double moment = 0;
    for (std::size_t n = 0; n < out.size(); ++n) {
      sum += out[n];
      moment += out[n] * static_cast<double>(n);
    }
    EXPECT_NEAR(sum, to / from, 1e-3 * to / from);
    EXPECT_NEAR(moment / sum, 2'000 * to / from, 0.01 * std::max(1.0, to / from));
  }
}

// Of the continuous signal whose samples the taps are.
std::complex<double> response(const std::vector<double>& taps, double frequency_hz,
                              double rate_hz) {
  std::complex<double> sum = 0;
  for (std::size_t n = 0; n < taps.size(); ++n) {
    sum += std::polar(taps[n],
                      -2 * std::numbers::pi * frequency_hz / rate_hz * static_cast<double>(n));
  }
  return sum / rate_hz;
}

// The furthest that the magnitudes of `in` and `out` are apart, to 0.9 of the lower Nyquist
// frequency.
double worst_gain_error_db(const std::vector<double>& in, double from, const Resampled& out,
                           double to) {
  double worst = 0;
  for (int step = 0; step <= 90; ++step) {
    const double frequency_hz = 0.5 * std::min(from, to) * step / 100;
    const double ratio = std::abs(response(out.samples, frequency_hz, to)) /
                         std::abs(response(in, frequency_hz, from));
    worst = std::max(worst, std::abs(20 * std::log10(ratio)));
  }
  return worst;
}

// Filters with energy from their first tap on.
std::vector<std::pair<const char*, std::vector<double>>> early_filters() {
  std::vector<double> one_tap(100);
  one_tap[0] = 1;
  // +12 dB around a quarter of Nyquist: a minimum-phase resonance beside the direct sound.
  std::vector<double> equaliser(400);
  double older = 0;
  double old = 0;
  for (std::size_t n = 0; n < equaliser.size(); ++n) {
    const double now = (n == 0 ? 0.3 : 0) + 2 * 0.9 * std::cos(0.8) * old - 0.81 * older;
    equaliser[n] = now + (n == 0 ? 1 : 0);
    older = std::exchange(old, now);
  }
  std::vector<double> burst(500);
  std::mt19937_64 random(7);
  for (std::size_t n = 0; n < burst.size(); ++n) {
    const double noise = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
    burst[n] = noise * std::exp(-static_cast<double>(n) / 50);
  }
  return {{"one tap of 100", one_tap},
          {"one tap of 1", {1}},
          {"two taps", {1, -0.5}},
          {"minimum-phase equaliser", equaliser},
          {"noise burst", burst}};
}

TEST(Resampler, MinimumPhaseLosesNothingOfWhatBeginsAtOnce) {
  const std::pair<double, double> rates[] = {
      {44'100, 48'000},  {48'000, 44'100}, {48'000, 96'000}, {96'000, 48'000}, {44'100, 192'000},
      {192'000, 44'100}, {16'000, 44'100}, {8'000, 192'000}, {48'000, 47'999}, {48'000, 44'100.5}};
  for (const auto& [from, to] : rates) {
    ASSERT_TRUE(has_minimum_phase(from, to));
    for (const auto& [name, in] : early_filters()) {
      SCOPED_TRACE(std::string(name) + ", " + std::to_string(from) + " to " + std::to_string(to));
      const Resampled linear = resample(in, from, to);
      EXPECT_GT(linear.cut_energy, kNegligibleEnergy);
      EXPECT_EQ(linear.delay_frames, 0u);

      const Resampled out = resample(in, from, to, ResamplerPhase::kMinimum);
      EXPECT_LT(out.cut_energy, kNegligibleEnergy);
      EXPECT_LT(worst_gain_error_db(in, from, out, to), 0.05);
      EXPECT_GE(out.delay_frames, 1u);
      EXPECT_LE(static_cast<double>(out.delay_frames), 8 * std::max(1.0, to / from));
    }
  }
}

TEST(Resampler, MinimumPhaseDelaysByWhatItSays) {
  for (const auto& [from, to] : {std::pair{44'100.0, 48'000.0}, {96'000.0, 48'000.0}}) {
    const double width = 40.0 / std::min(from, to);  // low frequencies only
    std::vector<double> in(static_cast<std::size_t>(20 * width * from));
    for (std::size_t n = 0; n < in.size(); ++n) {
      in[n] = pulse(static_cast<double>(n) / from, 10 * width, width);
    }
    const Resampled out = resample(in, from, to, ResamplerPhase::kMinimum);
    double sum = 0;
    double moment = 0;
    for (std::size_t n = 0; n < out.samples.size(); ++n) {
      sum += out.samples[n];
      moment += out.samples[n] * static_cast<double>(n);
    }
    const double delay = static_cast<double>(out.delay_frames);
    EXPECT_NEAR(moment / sum, 10 * width * to + delay, 2);  // it leads by up to 2 frames
  }
}

TEST(Resampler, LinearPhaseTellsWhatItCuts) {
  for (const auto& [from, to] : kRates) {
    SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
    for (const auto& [name, in] : early_filters()) {
      std::vector<double> later(1'000);
      later.insert(later.end(), in.begin(), in.end());
      double kept = 0;
      for (const double tap : resample(in, from, to).samples) kept += tap * tap;
      double whole = 0;
      for (const double tap : resample(later, from, to).samples) whole += tap * tap;
      if (const double first = 1'000 * to / from; first == std::round(first)) {
        EXPECT_NEAR(resample(in, from, to).cut_energy, 1 - kept / whole, 1e-6) << name;
      }
    }
  }
}

TEST(Resampler, TinyInputsKeepAllThatRingsOn) {
  EXPECT_TRUE(resample({}, 44'100, 48'000).samples.empty());
  for (const auto& [from, to] : kRates) {
    for (const std::size_t length : {1, 2, 3, 7}) {
      SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to) + ", " +
                   std::to_string(length));
      const std::vector<double> out = resample(std::vector<double>(length, 0.5), from, to).samples;
      EXPECT_GE(out.size(),
                static_cast<std::size_t>(std::ceil(static_cast<double>(length) * to / from)));
      EXPECT_LE(out.size(), static_cast<std::size_t>(500 * std::max(1.0, to / from)));
      for (const double value : out) EXPECT_TRUE(std::isfinite(value) && std::abs(value) < 1);
    }
  }
}

TEST(Resampler, EqualRatesChangeNothing) {
  const std::vector<double> in = {1, -2, 0x1p-60};
  EXPECT_EQ(resample(in, 48'000, 48'000).samples, in);
  EXPECT_EQ(resample(in, 48'000, 48'000, ResamplerPhase::kMinimum).delay_frames, 0u);
}

TEST(Resampler, RefusesRatesThatAreNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> in = {1};
  for (const double rate : {0.0, -48'000.0, nan, infinity}) {
    const auto refused = [&](double from, double to) {
      return refusal(ErrorKind::kConfiguration, [&] { resample(in, from, to); });
    };
    EXPECT_THAT(refused(rate, 44'100), AllOf(HasSubstr("44100"), HasSubstr("above 0")));
    EXPECT_THAT(refused(44'100, rate), AllOf(HasSubstr("44100"), HasSubstr("above 0")));
  }
}

}  // namespace
}  // namespace firbank
