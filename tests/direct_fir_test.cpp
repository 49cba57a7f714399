// Direct convolution on every instruction set, against a plain double-precision sum.
#include "kernels/cpu/direct_fir.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using DirectFirTest = test::InstructionSetTest;

/// Adds to what is there, or takes its place.
enum class Onto { kOutput, kNothing };

template <class Sample>
void random_filters(InstructionSet set, Onto onto, double tolerance) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    const std::size_t taps = 1 + random() % (seed % 10 == 0 ? 5000 : 150);
    const std::size_t frames = 1 + random() % 150;
    std::vector<Sample> in(taps - 1 + frames), reversed(taps), out(frames + 1);
    for (Sample& x : in) x = uniform(random);
    for (Sample& h : reversed) h = uniform(random);
    for (Sample& y : out) y = uniform(random);
    const std::vector<Sample> before = out;
    const DirectFir<Sample>& fir = *direct_fir<Sample>(set);
    const auto run = onto == Onto::kOutput ? fir.add : fir.set;
    run(in.data() + taps - 1, reversed.data(), taps, out.data(), frames);

    double error = 0;
    double power = 0;
    for (std::size_t n = 0; n < frames; ++n) {
      double sum = onto == Onto::kOutput ? before[n] : 0;
      for (std::size_t i = 0; i < taps; ++i) sum += static_cast<double>(reversed[i]) * in[n + i];
      error += std::pow(out[n] - sum, 2);
      power += sum * sum;
    }
    ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(power)) << taps << " taps, " << frames;
    ASSERT_EQ(out[frames], before[frames]) << "wrote past the end";
  }
}

template <class Sample>
void frames_apart(InstructionSet set, double tolerance) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    const std::size_t taps = 1 + random() % (seed % 10 == 0 ? 9000 : 150);
    const std::size_t step = 1 + random() % 40;
    const std::size_t count = 1 + random() % 11;
    std::vector<Sample> in(taps + (count - 1) * step), reversed(taps), out(count + 1, 7);
    for (Sample& x : in) x = uniform(random);
    for (Sample& h : reversed) h = uniform(random);
    direct_fir<Sample>(set)->decimate(in.data(), reversed.data(), taps, step, out.data(), count);

    double error = 0;
    double power = 0;
    for (std::size_t k = 0; k < count; ++k) {
      double sum = 0;
      double size = 0;
      for (std::size_t i = 0; i < taps; ++i) {
        const double product = static_cast<double>(reversed[i]) * in[k * step + i];
        sum += product;
        size += product * product;
      }
      error += std::pow(out[k] - sum, 2);
      power += size;  // one sum may be near 0
    }
    ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(power)) << taps << " taps, " << count;
    ASSERT_EQ(out[count], 7) << "wrote past the end";
  }
}

TEST_P(DirectFirTest, FollowsThePlainSumInFloat) {
  random_filters<float>(GetParam(), Onto::kOutput, 1e-6);
}
TEST_P(DirectFirTest, FollowsThePlainSumInDouble) {
  random_filters<double>(GetParam(), Onto::kOutput, 1e-14);
}
TEST_P(DirectFirTest, TakesTheOutputsPlaceInFloat) {
  random_filters<float>(GetParam(), Onto::kNothing, 1e-6);
}
TEST_P(DirectFirTest, TakesTheOutputsPlaceInDouble) {
  random_filters<double>(GetParam(), Onto::kNothing, 1e-14);
}

TEST_P(DirectFirTest, FollowsThePlainSumOfFramesApartInFloat) {
  frames_apart<float>(GetParam(), 1e-6);
}
TEST_P(DirectFirTest, FollowsThePlainSumOfFramesApartInDouble) {
  frames_apart<double>(GetParam(), 1e-14);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, DirectFirTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
