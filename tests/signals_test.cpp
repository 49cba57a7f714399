#include "io/signals.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "io/random.hpp"
#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using io_test::Planes;
using io_test::read_in_pieces;
using io_test::refusal;
using testing::HasSubstr;

StreamFormat format_of(std::size_t channels, std::int64_t frames) {
  return {channels, 48'000.0, frames, ""};
}

constexpr std::uint64_t kUniformDigest = 8'592'553'503'635'087'630u;
constexpr std::uint64_t kGaussianDigest = 12'531'886'691'689'438'198u;

double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double mean_product(const std::vector<double>& x, const std::vector<double>& y, std::size_t lag) {
  double sum = 0;
  for (std::size_t n = lag; n < x.size(); ++n) sum += x[n] * y[n - lag];
  return sum / static_cast<double>(x.size() - lag);
}

TEST(Signals, ImpulseIsWhereItIsAsked) {
  const Planes planes = read_all(*make_impulse(format_of(2, 1'000), 321, 0.5));
  for (const auto& plane : planes) {
    ASSERT_EQ(plane.size(), 1'000u);
    for (std::size_t n = 0; n < plane.size(); ++n) ASSERT_EQ(plane[n], n == 321 ? 0.5 : 0.0);
  }
  const auto source = make_impulse(format_of(1, 10));
  EXPECT_EQ(read_all(*source)[0][0], 1.0);
  EXPECT_EQ(source->format().encoding, "impulse");
}

TEST(Signals, SineKeepsItsPhaseForHours) {
  // A whole number of periods a second: every second is the same, bit for bit.
  const auto source = make_sine({1, 48'000.0, std::nullopt, ""}, 440, 0.5, 1.0);
  std::vector<double> first(48'000);
  std::vector<double> later(48'000);
  const auto read = [&](std::vector<double>& to) {
    double* planes[] = {to.data()};
    BasicBlock<double> block{planes, 1, to.size()};
    ASSERT_EQ(source->read(block), to.size());
  };
  read(first);
  for (int second = 0; second < 30; ++second) read(later);
  EXPECT_EQ(first, later);
  for (std::size_t n = 0; n < first.size(); ++n) {
    const double t = static_cast<double>(n) / 48'000;
    ASSERT_NEAR(first[n], 0.5 * std::sin(2 * std::numbers::pi * 440 * t + 1.0), 1e-12) << n;
  }
}

TEST(Signals, SweepPassesEveryFrequencyWhenItShould) {
  constexpr std::int64_t kFrames = 48'000;
  constexpr double kFrom = 50;
  constexpr double kTo = 20'000;
  const std::vector<double> x = read_all(*make_sweep(format_of(1, 50'000), kFrom, kTo, kFrames))[0];
  // Zero crossings up to frame n count the half turns of a frequency that grows exponentially.
  int crossings = 0;
  for (std::int64_t n = 1; n < kFrames; ++n) {
    const auto i = static_cast<std::size_t>(n);
    if ((x[i - 1] < 0) != (x[i] < 0)) ++crossings;
    if (n % 4'800 == 0) {
      const double part = static_cast<double>(n) / kFrames;
      const double growth = std::log(kTo / kFrom);
      const double turns = kFrom * (kFrames / 48'000.0) / growth * (std::exp(part * growth) - 1);
      ASSERT_NEAR(crossings, 2 * turns, 2) << "frame " << n;
    }
  }
  for (std::size_t n = kFrames; n < x.size(); ++n) ASSERT_EQ(x[n], 0.0);
}

TEST(Signals, NoiseIsWhiteAndIndependentFromChannelToChannel) {
  constexpr std::int64_t kFrames = 200'000;
  const double bound = 5 / std::sqrt(static_cast<double>(kFrames));  // five standard deviations
  for (const NoiseShape shape : {NoiseShape::kUniform, NoiseShape::kGaussian}) {
    SCOPED_TRACE(static_cast<int>(shape));
    const Planes planes = read_all(*make_noise(format_of(3, kFrames), shape, 7, 2.0));
    const double power = shape == NoiseShape::kUniform ? 4.0 / 3 : 4.0;
    for (const auto& plane : planes) {
      EXPECT_NEAR(mean(plane), 0, bound * std::sqrt(power));
      EXPECT_NEAR(mean_product(plane, plane, 0), power, 2 * bound * power);
      for (const std::size_t lag : {1, 2, 3, 64}) {
        EXPECT_NEAR(mean_product(plane, plane, lag), 0, bound * power) << lag;
      }
    }
    EXPECT_NEAR(mean_product(planes[0], planes[1], 0), 0, bound * power);
    EXPECT_NEAR(mean_product(planes[1], planes[2], 0), 0, bound * power);
    EXPECT_NEAR(mean_product(planes[0], planes[2], 1), 0, bound * power);
  }
}

TEST(Signals, NoiseHasTheShapeThatIsAsked) {
  constexpr std::int64_t kFrames = 400'000;
  const auto uniform =
      read_all(*make_noise(format_of(1, kFrames), NoiseShape::kUniform, 3, 0.5))[0];
  const auto normal = read_all(*make_noise(format_of(1, kFrames), NoiseShape::kGaussian, 3))[0];
  const auto below = [](const std::vector<double>& x, double limit) {
    return static_cast<double>(
               std::count_if(x.begin(), x.end(), [&](double value) { return value < limit; })) /
           static_cast<double>(x.size());
  };
  for (double limit = -3.5; limit <= 3.5; limit += 0.25) {
    EXPECT_NEAR(below(normal, limit), 0.5 * std::erfc(-limit / std::numbers::sqrt2), 0.004);
    EXPECT_NEAR(below(uniform, limit / 7), limit / 7 + 0.5, 0.004);
  }
  for (const double value : uniform) ASSERT_TRUE(value >= -0.5 && value < 0.5);
}

TEST(Signals, NoiseIsTheSameOnEveryMachine) {
  // Published values: SplitMix64 from 1234567, and the first step of xoshiro256++ follows from it.
  std::uint64_t state = 1'234'567;
  EXPECT_EQ(split_mix(state), 6'457'827'717'110'365'317u);
  EXPECT_EQ(split_mix(state), 3'203'168'211'198'807'973u);
  EXPECT_EQ(split_mix(state), 9'817'491'932'198'370'423u);

  // A digest of the bits of each noise: a compiler or machine that rounds otherwise changes it.
  const auto digest = [](NoiseShape shape) {
    std::uint64_t hash = 0;
    for (const auto& plane : read_all(*make_noise(format_of(2, 10'000), shape, 42))) {
      for (const double value : plane) {
        hash ^= std::bit_cast<std::uint64_t>(value);
        hash = split_mix(hash);
      }
    }
    return hash;
  };
  EXPECT_EQ(digest(NoiseShape::kUniform), kUniformDigest);
  EXPECT_EQ(digest(NoiseShape::kGaussian), kGaussianDigest);
}

TEST(Signals, SeedsGiveDifferentNoise) {
  const auto first = read_all(*make_noise(format_of(1, 100), NoiseShape::kUniform, 1))[0];
  EXPECT_EQ(first, read_all(*make_noise(format_of(1, 100), NoiseShape::kUniform, 1))[0]);
  EXPECT_NE(first, read_all(*make_noise(format_of(1, 100), NoiseShape::kUniform, 2))[0]);
}

TEST(Signals, CutsIntoBlocksChangeNothing) {
  const StreamFormat format = format_of(3, 10'000);
  const auto make = [&](int kind) -> std::unique_ptr<Source> {
    switch (kind) {
      case 0:
        return make_impulse(format, 5'000);
      case 1:
        return make_sine(format, 997, 0.9);
      case 2:
        return make_sweep(format, 20, 20'000, 9'000);
      case 3:
        return make_noise(format, NoiseShape::kUniform, 5);
      default:
        return make_noise(format, NoiseShape::kGaussian, 5);
    }
  };
  for (int kind = 0; kind < 5; ++kind) {
    SCOPED_TRACE(kind);
    const Planes whole = read_all(*make(kind));
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(seed);
      EXPECT_EQ(read_in_pieces<double>(*make(kind), seed, 777), whole);
      const Planes floats = read_in_pieces<float>(*make(kind), seed, 777);
      for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t n = 0; n < 10'000; ++n) {
          ASSERT_EQ(floats[c][n], static_cast<double>(static_cast<float>(whole[c][n])));
        }
      }
    }
  }
}

TEST(Signals, RefusesWhatMakesNoSignal) {
  const StreamFormat good = format_of(1, 10);
  const auto refused = [](auto make) { return refusal(ErrorKind::kConfiguration, make); };
  EXPECT_THAT(refused([&] { make_impulse(format_of(0, 10)); }), HasSubstr("channels is 0"));
  EXPECT_THAT(refused([&] { make_impulse({1, 0.0, 10, ""}); }), HasSubstr("sample rate is 0"));
  EXPECT_THAT(refused([&] { make_impulse(format_of(1, -5)); }), HasSubstr("frames is -5"));
  EXPECT_THAT(refused([&] { make_impulse(good, -1); }), HasSubstr("frame is -1"));
  EXPECT_THAT(refused([&] { make_sine(good, 24'001); }), HasSubstr("frequency is 24001"));
  EXPECT_THAT(refused([&] { make_sine(good, std::nan("")); }), HasSubstr("frequency is nan"));
  EXPECT_THAT(refused([&] { make_sine(good, 1, std::nan("")); }), HasSubstr("amplitude is nan"));
  EXPECT_THAT(refused([&] { make_sweep(good, 0, 100, 10); }), HasSubstr("first frequency is 0"));
  EXPECT_THAT(refused([&] { make_sweep(good, 100, 100, 10); }), HasSubstr("is 100"));
  EXPECT_THAT(refused([&] { make_sweep(good, 1, 30'000, 10); }), HasSubstr("30000"));
  EXPECT_THAT(refused([&] { make_sweep(good, 1, 100, 0); }), HasSubstr("length is 0"));
}

}  // namespace
}  // namespace firbank
