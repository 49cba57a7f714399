// Overlap-add and overlap-save are the same convolution; the accumulator adds where results meet.
#include "engine/overlap.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "engine/filter_bank.hpp"
#include "engine/overlap_reference.hpp"
#include "engine/reference.hpp"
#include "engine/routing.hpp"

namespace firbank {
namespace {

TEST(OverlapAccumulatorTest, AddsWhereResultsOverlapAcrossTheRingsEnd) {
  OverlapAccumulator<float> accumulator(2, 5);
  const float ones[] = {1, 1, 1, 1, 1};
  std::vector<float> out(4);
  accumulator.add(1, 0, ones, 5);
  accumulator.add(1, 2, ones, 2);
  accumulator.take(1, out.data(), 4);
  accumulator.advance(4);
  EXPECT_EQ(out, (std::vector<float>{1, 1, 2, 2}));
  accumulator.add(1, 5, ones, 4);  // wraps
  accumulator.take(1, out.data(), 4);
  EXPECT_EQ(out, (std::vector<float>{1, 1, 1, 1}));
  accumulator.take(0, out.data(), 4);
  EXPECT_EQ(out, (std::vector<float>{0, 0, 0, 0}));
}

template <class Sample>
void forms_agree(double tolerance) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    const std::size_t block = std::size_t{8} << random() % 7;
    std::vector<Sample> in(1 + random() % 3000), taps(1 + random() % 1200);
    for (Sample& x : in) x = static_cast<Sample>(uniform(random));
    for (Sample& h : taps) h = static_cast<Sample>(uniform(random));

    const std::vector<Sample> add = overlap_reference<Sample>(in, taps, block, OverlapForm::kAdd);
    const std::vector<Sample> save = overlap_reference<Sample>(in, taps, block, OverlapForm::kSave);
    const auto signal = [](const std::vector<Sample>& samples) {
      return Signal(1, std::vector<double>(samples.begin(), samples.end()));
    };
    const Signal oracle =
        direct_convolution(signal(in), FilterBank(signal(taps)), Routing::rows(1, 1), in.size());
    const Signal added = signal(add), saved = signal(save);
    EXPECT_LT(relative_error(added, oracle), tolerance);
    EXPECT_LT(relative_error(saved, oracle), tolerance);
    EXPECT_LT(relative_error(added, saved), tolerance);
  }
}

TEST(OverlapReferenceTest, BothFormsAreTheConvolutionInFloat) {
  forms_agree<float>(1e-6);
}
TEST(OverlapReferenceTest, BothFormsAreTheConvolutionInDouble) {
  forms_agree<double>(1e-13);
}

}  // namespace
}  // namespace firbank
