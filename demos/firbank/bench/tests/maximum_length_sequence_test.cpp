#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "demos/firbank/bench/loopback/matched_filter.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

class SequenceOrder : public testing::TestWithParam<std::size_t> {
 protected:
  std::vector<double> sequence_ = maximum_length_sequence(GetParam());
};

TEST_P(SequenceOrder, HasOneMinusMoreThanPlus) {
  ASSERT_EQ(sequence_.size(), (std::size_t{1} << GetParam()) - 1);
  for (const double value : sequence_) ASSERT_EQ(std::abs(value), 1.0);
  EXPECT_EQ(std::accumulate(sequence_.begin(), sequence_.end(), 0.0), -1.0);
}

TEST_P(SequenceOrder, HoldsEveryWordOfItsOrderButZeroOnce) {
  // Which is to say that the register goes through all states: the period is no shorter.
  const std::size_t order = GetParam();
  std::vector<bool> seen(std::size_t{1} << order);
  for (std::size_t n = 0; n < sequence_.size(); ++n) {
    std::size_t word = 0;
    for (std::size_t k = 0; k < order; ++k) {
      word = 2 * word + (sequence_[(n + k) % sequence_.size()] < 0 ? 1 : 0);
    }
    ASSERT_NE(word, 0u);
    ASSERT_FALSE(seen[word]) << "word " << word << " again, at " << n;
    seen[word] = true;
  }
}

TEST_P(SequenceOrder, IsAnImpulseToItself) {
  const auto frames = static_cast<double>(sequence_.size());
  MatchedFilter filter(sequence_);
  const std::vector<double> correlation = filter.periodic_correlation(sequence_);
  ASSERT_EQ(correlation.size(), sequence_.size());
  EXPECT_NEAR(correlation[0] * frames, frames, 1e-6);
  for (std::size_t n = 1; n < correlation.size(); ++n) {
    ASSERT_NEAR(correlation[n] * frames, -1.0, 1e-6) << "moved by " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, SequenceOrder,
                         testing::Range(kLeastSequenceOrder, kMostSequenceOrder + 1));

TEST(MaximumLengthSequence, RefusesOtherOrders) {
  EXPECT_THROW(maximum_length_sequence(9), Error);
  EXPECT_THROW(maximum_length_sequence(19), Error);
}

TEST(MatchedFilter, IsTheSumThatItSaysItIs) {
  const std::vector<double> sequence = {1, -2, 3};
  const std::vector<double> recording = {1, 2, 3, 4, 6, 9};
  MatchedFilter filter(sequence);
  const std::vector<double> correlation = filter.correlation(recording);
  ASSERT_EQ(correlation.size(), 4u);
  for (std::size_t n = 0; n < correlation.size(); ++n) {
    const double sum = recording[n] - 2 * recording[n + 1] + 3 * recording[n + 2];
    EXPECT_NEAR(correlation[n], sum / 3, 1e-12) << n;
  }
  const std::vector<double> periodic = filter.periodic_correlation(std::vector<double>{1, 2, 4});
  ASSERT_EQ(periodic.size(), 3u);
  EXPECT_NEAR(periodic[0], (1.0 - 4 + 12) / 3, 1e-12);
  EXPECT_NEAR(periodic[1], (2.0 - 8 + 3) / 3, 1e-12);
  EXPECT_NEAR(periodic[2], (4.0 - 2 + 6) / 3, 1e-12);
  EXPECT_TRUE(filter.correlation(std::vector<double>{1, 2}).empty());
}

}  // namespace
}  // namespace firbank::program
