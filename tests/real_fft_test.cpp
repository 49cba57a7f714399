// The right-angle transform on every instruction set: forward against the definition, inverse
// against the samples that went in.
#include "kernels/cpu/real_fft.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {
namespace {

class RealFftTest : public testing::TestWithParam<std::tuple<InstructionSet, std::size_t>> {
 protected:
  void SetUp() override {
    if (!is_supported(set())) GTEST_SKIP() << name(set()) << " cannot run here";
  }
  InstructionSet set() const { return std::get<0>(GetParam()); }
  std::size_t points() const { return std::get<1>(GetParam()); }
};

template <class Sample>
AlignedVector<Sample> noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<Sample> uniform(-1, 1);
  AlignedVector<Sample> samples(count);
  for (Sample& sample : samples) sample = uniform(random);
  return samples;
}

/// The values of sum_n (older[n] + i newer[n]) t^n at the roots of t^M = i, in any order, must be
/// those of the spectrum. Every bin is matched with its nearest root by trying it out: the bin's
/// angle is found from the transform of a single 1 at n = 1, whose value is the root itself.
template <class Sample>
void check_forward(InstructionSet set, std::size_t points, double tolerance) {
  const RealFft<Sample>& fft = *real_fft<Sample>(set);
  const TransformPlan<Sample> plan(points, fft.traits);
  AlignedVector<Sample> work(2 * points), roots(2 * points), spectrum(2 * points);
  AlignedVector<Sample> older(points), newer(points);
  const auto bin = [&](const AlignedVector<Sample>& values, std::size_t k) {
    const std::size_t at = k / plan.plane_lanes * 2 * plan.plane_lanes + k % plan.plane_lanes;
    return std::complex<double>(values[at], values[at + plan.plane_lanes]);
  };
  older[1] = 1;
  fft.forward(plan, older.data(), newer.data(), work.data(), roots.data(), plan.chunk_samples());
  std::vector<bool> seen(points, false);
  std::vector<double> turns(points);
  for (std::size_t k = 0; k < points; ++k) {
    // Root j is exp(2 pi i (1/4 + j) / M).
    const std::complex<double> root = bin(roots, k);
    ASSERT_NEAR(std::abs(root), 1.0, 1e-5);
    double j = std::arg(root) / (2 * std::numbers::pi) * static_cast<double>(points) - 0.25;
    j = std::round(j);
    if (j < 0) j += static_cast<double>(points);
    ASSERT_FALSE(seen[static_cast<std::size_t>(j)]) << "root " << j << " appears twice";
    seen[static_cast<std::size_t>(j)] = true;
    turns[k] = (0.25 + j) / static_cast<double>(points);
  }

  const unsigned seed = 17;
  older = noise<Sample>(points, seed);
  newer = noise<Sample>(points, seed + 1);
  fft.forward(plan, older.data(), newer.data(), work.data(), spectrum.data(), plan.chunk_samples());
  double error = 0;
  double power = 0;
  const std::size_t step = points > 1024 ? points / 257 : 1;
  for (std::size_t k = 0; k < points; k += step) {
    std::complex<double> value = 0;
    for (std::size_t n = 0; n < points; ++n) {
      value += std::polar(
                   1.0, 2 * std::numbers::pi * std::fmod(turns[k] * static_cast<double>(n), 1.0)) *
               std::complex<double>(older[n], newer[n]);
    }
    error += std::norm(value - bin(spectrum, k));
    power += std::norm(value);
  }
  EXPECT_LT(std::sqrt(error / power), tolerance);
}

template <class Sample>
void check_inverse(InstructionSet set, std::size_t points, double tolerance) {
  const RealFft<Sample>& fft = *real_fft<Sample>(set);
  const TransformPlan<Sample> plan(points, fft.traits);
  const AlignedVector<Sample> older = noise<Sample>(points, 3), newer = noise<Sample>(points, 4);
  AlignedVector<Sample> work(2 * points), spectrum(2 * points), again, back(points), first(points),
      second(points);
  fft.forward(plan, older.data(), newer.data(), work.data(), spectrum.data(), plan.chunk_samples());
  again = spectrum;
  fft.inverse(plan, spectrum.data(), back.data());
  fft.inverse_both(plan, again.data(), first.data(), second.data());
  double error = 0;
  double power = 0;
  for (std::size_t n = 0; n < points; ++n) {
    const double scale = static_cast<double>(points);
    error += std::pow(back[n] - scale * newer[n], 2) + std::pow(first[n] - scale * older[n], 2) +
             std::pow(second[n] - scale * newer[n], 2);
    power += std::pow(scale * newer[n], 2) * 2 + std::pow(scale * older[n], 2);
  }
  EXPECT_LT(std::sqrt(error / power), tolerance);
}

TEST_P(RealFftTest, ForwardFollowsTheDefinitionInFloat) {
  check_forward<float>(set(), points(), 4e-7);
}
TEST_P(RealFftTest, ForwardFollowsTheDefinitionInDouble) {
  check_forward<double>(set(), points(), 1e-14);
}
TEST_P(RealFftTest, InverseReturnsTheSamplesInFloat) {
  check_inverse<float>(set(), points(), 4e-7);
}
TEST_P(RealFftTest, InverseReturnsTheSamplesInDouble) {
  check_inverse<double>(set(), points(), 1e-15);
}

/// Chunks land where the stride says, and nothing else is touched.
TEST_P(RealFftTest, ForwardHonoursTheChunkStride) {
  const RealFft<float>& fft = *real_fft<float>(set());
  const TransformPlan<float> plan(points(), fft.traits);
  const AlignedVector<float> older = noise<float>(points(), 5), newer = noise<float>(points(), 6);
  AlignedVector<float> work(2 * points()), dense(2 * points());
  const std::size_t chunk = plan.chunk_samples();
  const std::size_t stride = 3 * chunk;
  AlignedVector<float> spread(plan.chunks() * stride, -7.0f);
  fft.forward(plan, older.data(), newer.data(), work.data(), dense.data(), chunk);
  fft.forward(plan, older.data(), newer.data(), work.data(), spread.data(), stride);
  for (std::size_t k = 0; k < spread.size(); ++k) {
    const std::size_t c = k / stride;
    const float expected = k % stride < chunk ? dense[c * chunk + k % stride] : -7.0f;
    ASSERT_EQ(spread[k], expected) << "at " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RealFftTest,
                         testing::Combine(testing::ValuesIn(kInstructionSets),
                                          testing::Values(8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                                          4096, 8192, 16384, 32768)),
                         [](const auto& test) {
                           std::string text = backend_name(std::get<0>(test.param));
                           for (char& c : text) {
                             if (c == '-') c = '_';
                           }
                           return text + "_" + std::to_string(2 * std::get<1>(test.param));
                         });

}  // namespace
}  // namespace firbank
