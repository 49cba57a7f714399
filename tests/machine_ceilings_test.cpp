// The machine's ceilings on every instruction set: that their loops do what they are counted for,
// and that nothing which computes is faster.
#include "kernels/cpu/machine_ceilings.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/ceiling_loops.hpp"
#include "kernels/cpu/direct_fir.hpp"
#include "tests/support/instruction_sets.hpp"

// Sanitizers make every load a call.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FIRBANK_IS_WATCHED 1
#elif defined(__has_feature)
#define FIRBANK_IS_WATCHED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define FIRBANK_IS_WATCHED 0
#endif

namespace firbank {
namespace {

using MachineCeilingsTest = test::InstructionSetTest;

template <class Sample>
void reads_everything_once(InstructionSet set) {
  const CeilingLoops<Sample>& loops = *ceiling_loops<Sample>(set);
  for (const std::size_t blocks : {1, 2, 7}) {
    AlignedVector<Sample> data(blocks * kCeilingReadBytes / sizeof(Sample));
    for (std::size_t n = 0; n < data.size(); ++n) data[n] = static_cast<Sample>(n % 64);
    const double expected = static_cast<double>(data.size()) * 31.5;
    EXPECT_EQ(static_cast<double>(loops.read(data.data(), data.size())), expected);
    // Each of them counts.
    for (std::size_t n = 0; n < data.size(); ++n) {
      data[n] += 1;
      ASSERT_EQ(static_cast<double>(loops.read(data.data(), data.size())), expected + 1) << n;
      data[n] -= 1;
    }
  }
}

TEST_P(MachineCeilingsTest, ReadsEverythingOnce) {
  reads_everything_once<float>(GetParam());
  reads_everything_once<double>(GetParam());
}

/// All sums come to 2, so that their number shows; and before that they have begun apart.
template <class Sample>
void makes_the_flops_that_it_counts(InstructionSet set) {
  const CeilingLoops<Sample>& loops = *ceiling_loops<Sample>(set);
  const double sums = static_cast<double>(loops.round_flops) / 2;
  EXPECT_EQ(static_cast<double>(loops.multiply_add(200, Sample(0.5), Sample(1))), 2 * sums);
  const auto total = [&](std::size_t rounds) {
    return static_cast<double>(loops.multiply_add(rounds, Sample(1), Sample(1)));
  };
  for (const std::size_t rounds : {1, 2, 17}) {
    EXPECT_EQ(total(rounds) - total(0), static_cast<double>(rounds) * sums);
  }
}

TEST_P(MachineCeilingsTest, MakesTheFlopsThatItCounts) {
  makes_the_flops_that_it_counts<float>(GetParam());
  makes_the_flops_that_it_counts<double>(GetParam());
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The best of many short rounds, as the ceilings are.
template <class Sample>
double direct_form_flops_per_second(InstructionSet set) {
  constexpr std::size_t kTaps = 256;
  constexpr std::size_t kFrames = 1'024;
  const AlignedVector<Sample> in(kTaps + kFrames, Sample(0.5));
  const AlignedVector<Sample> taps(kTaps, Sample(0.25));
  AlignedVector<Sample> out(kFrames);
  const DirectFir<Sample>& fir = *direct_fir<Sample>(set);
  double best = 0;
  for (int round = 0; round < 50; ++round) {
    const double begin = thread_seconds();
    for (int n = 0; n < 20; ++n) {
      fir.add(in.data() + kTaps, taps.data(), kTaps, out.data(), kFrames);
    }
    best = std::max(best, 20 * 2.0 * kTaps * kFrames / (thread_seconds() - begin));
  }
  return best;
}

template <class Sample>
void is_above_what_computes(InstructionSet set) {
  const MachineCeilings ceilings = measure_ceilings<Sample>(set, {.most_bytes = 64 << 10});
  const double computes = direct_form_flops_per_second<Sample>(set);
  // A processor's speed changes by some percent from moment to moment.
  EXPECT_GT(ceilings.peak_flops_per_second, 0.9 * computes);
  // But it is a ceiling that something comes near, not any large number.
  EXPECT_LT(ceilings.peak_flops_per_second, 20 * computes);
}

TEST_P(MachineCeilingsTest, IsAboveWhatComputes) {
  if (FIRBANK_IS_WATCHED) GTEST_SKIP() << "a sanitizer slows one down and not the other";
  is_above_what_computes<float>(GetParam());
  is_above_what_computes<double>(GetParam());
}

TEST_P(MachineCeilingsTest, CachesAreReadFasterThanMemory) {
  if (FIRBANK_IS_WATCHED) GTEST_SKIP() << "a sanitizer's checks take longer than memory";
  std::vector<double> told;
  const MachineCeilings ceilings = measure_ceilings<float>(
      GetParam(), {.rounds = 5}, [&](double done) { told.push_back(done); });
  EXPECT_THAT(told, testing::ElementsAre(0.2, 0.4, 0.6, 0.8, 1));
  EXPECT_EQ(ceilings.instruction_set, GetParam());
  EXPECT_EQ(ceilings.sample_bytes, sizeof(float));
  ASSERT_GE(ceilings.reads.size(), 10u);
  EXPECT_EQ(ceilings.reads.front().bytes, 16 * 1'024);
  EXPECT_EQ(ceilings.reads.back().bytes, 256 * 1'024 * 1'024);
  for (std::size_t n = 1; n < ceilings.reads.size(); ++n) {
    EXPECT_GT(ceilings.reads[n].bytes, ceilings.reads[n - 1].bytes);
  }
  EXPECT_GT(ceilings.reads.front().bytes_per_second, 1.2 * ceilings.reads.back().bytes_per_second);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, MachineCeilingsTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

TEST(MachineCeilings, ThreadsShareTheSizes) {
  const CeilingEffort effort{.threads = 3, .rounds = 1, .seconds = 1e-5, .most_bytes = 1 << 20};
  const MachineCeilings ceilings = measure_ceilings<double>(InstructionSet::kScalar, effort);
  EXPECT_EQ(ceilings.threads, 3u);
  EXPECT_EQ(ceilings.sample_bytes, sizeof(double));
  ASSERT_FALSE(ceilings.reads.empty());
  EXPECT_EQ(ceilings.reads.front().bytes, 3 * 16 * 1'024);
  EXPECT_LE(ceilings.reads.back().bytes, 1 << 20);
  EXPECT_GT(2 * ceilings.reads.back().bytes, 1 << 20);
  for (const ReadCeiling& read : ceilings.reads) EXPECT_GT(read.bytes_per_second, 0);
  EXPECT_GT(ceilings.peak_flops_per_second, 0);
}

TEST(MachineCeilings, AreReadBetweenTheSizes) {
  MachineCeilings ceilings;
  ceilings.reads = {{1'000, 80}, {10'000, 60}, {1'000'000, 20}};
  EXPECT_EQ(ceilings.read_bytes_per_second(1), 80);
  EXPECT_EQ(ceilings.read_bytes_per_second(1'000), 80);
  EXPECT_NEAR(ceilings.read_bytes_per_second(1'000 * std::sqrt(10.0)), 70, 1e-9);
  EXPECT_EQ(ceilings.read_bytes_per_second(10'000), 60);
  EXPECT_NEAR(ceilings.read_bytes_per_second(100'000), 40, 1e-9);
  EXPECT_EQ(ceilings.read_bytes_per_second(1e9), 20);
}

}  // namespace
}  // namespace firbank
