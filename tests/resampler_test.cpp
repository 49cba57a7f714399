#include "io/resampler.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

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
    const std::vector<double> out = resample(in, from, to);
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
    const std::vector<double> out = resample(in, from, to);
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
    const std::vector<double> out = resample(in, from, to);
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

TEST(Resampler, TinyInputsHaveTheirLength) {
  EXPECT_TRUE(resample({}, 44'100, 48'000).empty());
  for (const auto& [from, to] : kRates) {
    for (const std::size_t length : {1, 2, 3, 7}) {
      SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to) + ", " +
                   std::to_string(length));
      const std::vector<double> out = resample(std::vector<double>(length, 0.5), from, to);
      EXPECT_EQ(out.size(),
                static_cast<std::size_t>(std::ceil(static_cast<double>(length) * to / from)));
      for (const double value : out) EXPECT_TRUE(std::isfinite(value) && std::abs(value) < 1);
    }
  }
}

TEST(Resampler, EqualRatesChangeNothing) {
  const std::vector<double> in = {1, -2, 0x1p-60};
  EXPECT_EQ(resample(in, 48'000, 48'000), in);
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
