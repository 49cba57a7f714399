// The right-angle transform on every instruction set: forward against the definition, inverse
// against the samples that went in.
#include "kernels/cpu/real_fft.hpp"

#include <algorithm>
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

/// Random places to stop: 0, some steps in order, the last one.
std::vector<std::size_t> random_cuts(std::size_t steps, std::mt19937& random) {
  std::vector<std::size_t> cuts{0};
  const std::size_t longest = 1 + random() % steps;
  while (cuts.back() < steps) {
    // Also nothing at a time.
    cuts.push_back(std::min(steps, cuts.back() + random() % (longest + 1)));
  }
  return cuts;
}

/// However it is cut, a transform is the same to the last bit; between its parts nothing but the
/// buffers that it was given is remembered.
template <class Sample>
void check_cuts(InstructionSet set, std::size_t points) {
  const RealFft<Sample>& fft = *real_fft<Sample>(set);
  const TransformPlan<Sample> plan(points, fft.traits);
  const std::size_t steps = plan.steps.size();
  const std::size_t chunk = plan.chunk_samples();
  for (unsigned seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const AlignedVector<Sample> older = noise<Sample>(points, 2 * seed);
    const AlignedVector<Sample> newer = noise<Sample>(points, 2 * seed + 1);
    AlignedVector<Sample> work(2 * points), other_work(2 * points), whole(2 * points),
        cut(2 * points);
    fft.forward(plan, older.data(), newer.data(), work.data(), whole.data(), chunk);
    const std::vector<std::size_t> cuts = random_cuts(steps, random);
    std::fill(work.begin(), work.end(), Sample{-7});
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      fft.forward_steps(plan, older.data(), newer.data(), work.data(), cut.data(), chunk,
                        cuts[i - 1], cuts[i]);
      // Another transform in between, in a work space of its own.
      fft.forward_steps(plan, newer.data(), older.data(), other_work.data(), other_work.data(),
                        chunk, 0, 1);
    }
    ASSERT_EQ(cut, whole);

    AlignedVector<Sample> whole_newer(points), cut_newer(points), both_older(points),
        both_newer(points), cut_older(points), cut_both(points);
    AlignedVector<Sample> spectrum = whole, copy = whole, third = whole;
    fft.inverse(plan, spectrum.data(), whole_newer.data());
    const std::vector<std::size_t> back = random_cuts(steps, random);
    for (std::size_t i = 1; i < back.size(); ++i) {
      fft.inverse_steps(plan, copy.data(), cut_newer.data(), back[i - 1], back[i]);
    }
    ASSERT_EQ(cut_newer, whole_newer);
    spectrum = whole;
    fft.inverse_both(plan, spectrum.data(), both_older.data(), both_newer.data());
    for (std::size_t i = 1; i < back.size(); ++i) {
      fft.inverse_both_steps(plan, third.data(), cut_older.data(), cut_both.data(), back[i - 1],
                             back[i]);
    }
    ASSERT_EQ(cut_older, both_older);
    ASSERT_EQ(cut_both, both_newer);
    ASSERT_EQ(both_newer, whole_newer);
  }
}

TEST_P(RealFftTest, CutsChangeNothingInFloat) {
  check_cuts<float>(set(), points());
}
TEST_P(RealFftTest, CutsChangeNothingInDouble) {
  check_cuts<double>(set(), points());
}

/// Every column of every pass is in one step, after what it is computed from; large transforms have
/// many steps, none of which is much longer than the others.
template <class Sample>
void check_steps(InstructionSet set, std::size_t points) {
  const TransformPlan<Sample> plan(points, real_fft<Sample>(set)->traits);
  // Passes that each vector has gone through.
  std::vector<std::size_t> done(plan.vectors);
  std::size_t largest = 0;
  for (const typename TransformPlan<Sample>::Step& step : plan.steps) {
    const auto& pass = plan.passes[step.pass];
    ASSERT_LE(step.first_block + step.blocks, pass.blocks);
    ASSERT_LE(step.last_column, pass.stride);
    for (std::size_t b = step.first_block; b < step.first_block + step.blocks; ++b) {
      for (std::size_t j = 0; j < pass.radix; ++j) {
        for (std::size_t column = step.first_column; column < step.last_column; ++column) {
          ASSERT_EQ(done[(b * pass.radix + j) * pass.stride + column]++, step.pass);
        }
      }
    }
    largest = std::max(
        largest, step.blocks * pass.radix * (step.last_column - step.first_column) * plan.lanes);
  }
  ASSERT_EQ(done, std::vector<std::size_t>(plan.vectors, plan.pass_count));
  EXPECT_LE(largest, 4'096u);
  if (points == 32'768) {
    EXPECT_GE(plan.steps.size(), 60u);
  }
}

TEST_P(RealFftTest, StepsCoverTheTransform) {
  check_steps<float>(set(), points());
  check_steps<double>(set(), points());
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
