#include "engine/config/fir_design.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using testing::HasSubstr;
using Complex = std::complex<double>;

/// A band's analogue response, written from the transfer functions, with s = j f / fc.
Complex prototype(const EqualiserBand& band, double hz) {
  const Complex s(0, hz / band.frequency_hz);
  const double a = std::pow(10, band.gain_db / 40);
  const double q = band.q;
  switch (band.shape) {
    case BandShape::kPeak:
      return (s * s + s * (a / q) + 1.0) / (s * s + s / (a * q) + 1.0);
    case BandShape::kLowShelf:
      return a * (s * s + std::sqrt(a) / q * s + a) / (a * s * s + std::sqrt(a) / q * s + 1.0);
    case BandShape::kHighShelf:
      return a * (a * s * s + std::sqrt(a) / q * s + 1.0) / (s * s + std::sqrt(a) / q * s + a);
    case BandShape::kLowPass:
      return 1.0 / (s * s + s / q + 1.0);
    case BandShape::kHighPass:
      return s * s / (s * s + s / q + 1.0);
  }
  return 0;
}

double curve_db(const Equaliser& equaliser, double hz) {
  double db = equaliser.gain_db;
  for (const EqualiserBand& band : equaliser.bands) {
    db += 20 * std::log10(std::abs(prototype(band, hz)));
  }
  for (const GraphicCurve& curve : equaliser.curves) {
    double at = curve.front().gain_db;
    for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
      if (hz < curve[i].frequency_hz) break;
      const double part = std::log2(hz / curve[i].frequency_hz) /
                          std::log2(curve[i + 1].frequency_hz / curve[i].frequency_hz);
      at = curve[i].gain_db + std::min(part, 1.0) * (curve[i + 1].gain_db - curve[i].gain_db);
    }
    db += at;
  }
  return db;
}

Complex response(const std::vector<double>& taps, double hz, double rate_hz) {
  // Horner's rule, so that no phase is rounded to more than a few bits.
  const Complex z = std::polar(1.0, -2 * std::numbers::pi * hz / rate_hz);
  Complex sum = 0;
  for (std::size_t n = taps.size(); n-- > 0;) sum = sum * z + taps[n];
  return sum;
}

/// The worst difference in dB at `points` frequencies, evenly spaced on a logarithmic scale, and at
/// the corners of curves.
double worst_error_db(const Equaliser& equaliser, const std::vector<double>& taps, double rate_hz,
                      int points) {
  double worst = 0;
  const auto compare = [&](double hz) {
    const double db = 20 * std::log10(std::abs(response(taps, hz, rate_hz)));
    worst = std::max(worst, std::abs(db - curve_db(equaliser, hz)));
  };
  for (int i = 0; i <= points; ++i) {
    compare(20 * std::pow(0.45 * rate_hz / 20, static_cast<double>(i) / points));
  }
  for (const GraphicCurve& curve : equaliser.curves) {
    for (const GraphicPoint& point : curve) {
      if (point.frequency_hz >= 20 && point.frequency_hz <= 0.45 * rate_hz) {
        compare(point.frequency_hz);
      }
    }
  }
  return worst;
}

class RandomCurves {
 public:
  explicit RandomCurves(std::uint64_t seed) : random_(seed) {}

  double between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  double hz() { return 20 * std::pow(1'000.0, between(0, 1)); }

  Equaliser next() {
    Equaliser equaliser;
    equaliser.gain_db = between(-12, 6);
    const auto bands = static_cast<int>(between(1, 11));
    int passes = 0;
    for (int i = 0; i < bands; ++i) {
      EqualiserBand band;
      band.shape = static_cast<BandShape>(static_cast<int>(between(0, 5)));
      const bool pass = band.shape == BandShape::kLowPass || band.shape == BandShape::kHighPass;
      if (pass && ++passes > 2) band.shape = BandShape::kPeak;
      band.frequency_hz = hz();
      band.gain_db = between(-15, 15);
      band.q = std::exp(between(std::log(0.3), std::log(8.0)));
      equaliser.bands.push_back(band);
    }
    if (between(0, 1) < 0.3) {
      GraphicCurve curve;
      for (double at = between(20, 60); at < 20'000; at *= between(1.2, 2.5)) {
        curve.push_back({at, between(-8, 8)});
      }
      equaliser.curves.push_back(curve);
    }
    return equaliser;
  }

 private:
  std::mt19937_64 random_;
};

constexpr double kRates[] = {44'100, 48'000, 96'000};

void expect_random_curves(FilterPhase phase, int curves, std::uint64_t seed) {
  RandomCurves random(seed);
  for (int i = 0; i < curves; ++i) {
    SCOPED_TRACE(testing::Message() << "curve " << i << " of seed " << seed);
    Equaliser equaliser = random.next();
    equaliser.phase = phase;
    const double rate_hz = kRates[i % 3];
    const DesignedFilter filter = design_filter(equaliser, rate_hz);
    ASSERT_TRUE(filter.within_tolerance())
        << filter.taps.size() << " taps, " << filter.worst_error_db << " dB at "
        << filter.worst_error_hz << " Hz";
    ASSERT_LE(worst_error_db(equaliser, filter.taps, rate_hz, 100), kDesignToleranceDb);
  }
}

TEST(FirDesign, MinimumPhaseIsWithinATenthOfADecibelOfRandomCurves) {
  expect_random_curves(FilterPhase::kMinimum, 40, 1);
}

TEST(FirDesign, LinearPhaseIsWithinATenthOfADecibelOfRandomCurves) {
  expect_random_curves(FilterPhase::kLinear, 16, 2);
}

TEST(FirDesign, WarpsNothingTowardsNyquist) {
  // A digital biquad's peak at 18 kHz is far narrower than its prototype's.
  Equaliser equaliser;
  equaliser.bands = {{BandShape::kPeak, 18'000, 12, 1}};
  const DesignedFilter filter = design_filter(equaliser, 48'000);
  const double db = 20 * std::log10(std::abs(response(filter.taps, 21'000, 48'000)));
  EXPECT_NEAR(db, 20 * std::log10(std::abs(prototype(equaliser.bands[0], 21'000))), 0.02);
}

TEST(FirDesign, HighPassesAreAsExactFarBelowTheirEdges) {
  Equaliser equaliser;
  equaliser.bands = {{BandShape::kHighPass, 8'000, 0, 0.7}, {BandShape::kHighPass, 2'000, 0, 2}};
  for (const FilterPhase phase : {FilterPhase::kMinimum, FilterPhase::kLinear}) {
    equaliser.phase = phase;
    const DesignedFilter filter = design_filter(equaliser, 48'000);
    EXPECT_LE(filter.worst_error_db, kDesignToleranceDb);
    EXPECT_NEAR(20 * std::log10(std::abs(response(filter.taps, 20, 48'000))),
                curve_db(equaliser, 20), 0.1);  // -184 dB
    EXPECT_LT(filter.taps.size(), 5'000u);
  }
}

TEST(FirDesign, MinimumPhaseHasNoZerosOutside) {
  // Its energy comes before that of any other filter with the same magnitude: the reversed one and
  // the linear-phase one here.
  Equaliser equaliser;
  equaliser.bands = {{BandShape::kPeak, 700, 9, 2}, {BandShape::kHighShelf, 4'000, -12, 0.7}};
  const auto centre = [](const std::vector<double>& taps) {
    double moment = 0, energy = 0;
    for (std::size_t n = 0; n < taps.size(); ++n) {
      moment += static_cast<double>(n) * taps[n] * taps[n];
      energy += taps[n] * taps[n];
    }
    return moment / energy;
  };
  EXPECT_LT(centre(design_filter(equaliser, 48'000).taps), 10);
  // The winding of the response around 0 counts the zeros outside the unit circle.
  const std::vector<double> taps = design_filter(equaliser, 48'000).taps;
  double winding = 0;
  Complex before = response(taps, 0, 48'000);
  for (int i = 1; i <= 4'000; ++i) {
    const Complex here = response(taps, 24'000.0 * i / 4'000, 48'000);
    winding += std::arg(here / before);
    before = here;
  }
  EXPECT_NEAR(winding, 0, 1e-6);
}

TEST(FirDesign, LinearPhaseIsSymmetric) {
  Equaliser equaliser;
  equaliser.bands = {{BandShape::kPeak, 700, 9, 2}, {BandShape::kHighPass, 50, 0, 0.7}};
  equaliser.phase = FilterPhase::kLinear;
  const std::vector<double> taps = design_filter(equaliser, 48'000).taps;
  ASSERT_EQ(taps.size() % 2, 1u);
  for (std::size_t k = 0; k < taps.size() / 2; ++k) {
    ASSERT_NEAR(taps[k], taps[taps.size() - 1 - k], 1e-9);
  }
  EXPECT_GT(taps[taps.size() / 2], 0);
}

TEST(FirDesign, SaysWhenALengthIsTooShort) {
  Equaliser equaliser;
  equaliser.bands = {{BandShape::kPeak, 40, 12, 4}};
  equaliser.taps = 512;
  const DesignedFilter filter = design_filter(equaliser, 48'000);
  EXPECT_EQ(filter.taps.size(), 512u);
  EXPECT_FALSE(filter.within_tolerance());
  EXPECT_NEAR(filter.worst_error_hz, 40, 20);
  EXPECT_GE(filter.worst_error_db, worst_error_db(equaliser, filter.taps, 48'000, 100) - 0.05);
  equaliser.taps = 0;
  EXPECT_TRUE(design_filter(equaliser, 48'000).within_tolerance());
}

TEST(FirDesign, NothingIsAUnitImpulse) {
  const DesignedFilter filter = design_filter({}, 48'000);
  EXPECT_NEAR(filter.taps[0], 1, 1e-12);
  for (std::size_t n = 1; n < filter.taps.size(); ++n) ASSERT_NEAR(filter.taps[n], 0, 1e-12);
}

std::string refusal(std::size_t taps, double rate_hz) {
  Equaliser equaliser;
  equaliser.taps = taps;
  try {
    design_filter(equaliser, rate_hz);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

TEST(FirDesign, RefusesLengthsAndRatesThatAreNotPossible) {
  EXPECT_THAT(refusal(3, 48'000), HasSubstr("taps is 3; 16 to 524288 are allowed"));
  EXPECT_THAT(refusal(std::size_t{1} << 20, 48'000), HasSubstr("taps is 1048576"));
  EXPECT_THAT(refusal(0, 40), HasSubstr("40 Hz"));
}

}  // namespace
}  // namespace firbank
