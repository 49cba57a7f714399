// Spectral products on every instruction set, against a plain double-precision sum.
#include "kernels/cpu/spectral_mac.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/real_fft.hpp"
#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using SpectralMacTest = test::InstructionSetTest;

/// A random tile of outputs and what it reads.
template <class Sample>
class RandomTile {
 public:
  RandomTile(InstructionSet set, unsigned seed)
      : random_(seed), plan_(std::size_t{8} << random_() % 7, real_fft<Sample>(set)->traits) {
    const std::size_t chunk = plan_.chunk_samples();
    MacJob<Sample>& job = job_;
    job.last_chunk = plan_.chunks();
    job.chunk_samples = chunk;
    job.plane_lanes = plan_.plane_lanes;
    job.slots = 1 + random_() % 100;
    job.input_stride = job.slots * chunk;
    job.newest = random_() % job.slots;
    job.first_partition = random_() % job.slots;
    job.last_partition = job.first_partition + random_() % (job.slots - job.first_partition + 1);

    std::vector<MacTerm<Sample>> alike(random_() % 5);
    for (MacTerm<Sample>& term : alike) {
      term.first_partition = random_() % job.slots;
      term.last_partition =
          term.first_partition + random_() % (job.slots - term.first_partition + 1);
      term.response_stride = (term.last_partition - term.first_partition) * chunk;
      term.input = storage_.emplace_back(noise(job.last_chunk * job.input_stride)).data();
    }
    const unsigned start = random_() % 3;  // zero, another sum, the same sum
    const std::size_t size = job.last_chunk * chunk;
    terms_.resize(1 + random_() % kMacTile, alike);
    for (std::vector<MacTerm<Sample>>& terms : terms_) {
      for (MacTerm<Sample>& term : terms) {
        term.response =
            storage_.emplace_back(noise(job.last_chunk * term.response_stride + 1)).data();
      }
      before_.push_back(start == 0 ? AlignedVector<Sample>(size) : noise(size));
      sums_.push_back(start == 2 ? before_.back() : noise(size));
    }
    has_next_ = random_() % 2 == 0;
    aims_.resize(terms_.size());
    next_.resize(terms_.size(), AlignedVector<Sample>(has_next_ ? size : 0));
    for (std::size_t o = 0; o < terms_.size(); ++o) {
      aims_[o].terms = terms_[o];
      if (start > 0) aims_[o].from = start == 1 ? before_[o].data() : sums_[o].data();
      aims_[o].to = sums_[o].data();
      if (has_next_) aims_[o].next = next_[o].data();
    }
  }

  std::mt19937& random() { return random_; }
  MacJob<Sample>& job() { return job_; }
  const std::vector<MacSum<Sample>>& aims() const { return aims_; }
  bool has_next() const { return has_next_; }
  const std::vector<AlignedVector<Sample>>& before() const { return before_; }
  const std::vector<AlignedVector<Sample>>& sums() const { return sums_; }
  const std::vector<AlignedVector<Sample>>& next() const { return next_; }

 private:
  AlignedVector<Sample> noise(std::size_t count) {
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    AlignedVector<Sample> samples(count);
    for (Sample& sample : samples) sample = uniform(random_);
    return samples;
  }

  std::mt19937 random_;
  TransformPlan<Sample> plan_;
  std::vector<AlignedVector<Sample>> storage_;
  std::vector<std::vector<MacTerm<Sample>>> terms_;  // of each output
  std::vector<AlignedVector<Sample>> before_;        // of each output: what its sum starts from
  std::vector<AlignedVector<Sample>> sums_;
  MacJob<Sample> job_;
  std::vector<MacSum<Sample>> aims_;
  bool has_next_ = false;
  std::vector<AlignedVector<Sample>> next_;
};

/// Compares a sum with a plain one in double precision that starts from `before`.
template <class Sample>
void expect_sum(const MacJob<Sample>& job, const MacSum<Sample>& aim,
                const AlignedVector<Sample>* before, const AlignedVector<Sample>& sum,
                double tolerance) {
  const std::size_t chunk = job.chunk_samples;
  const std::size_t lanes = job.plane_lanes;
  double error = 0;
  double power = 0;
  for (std::size_t c = 0; c < job.last_chunk; ++c) {
    for (std::size_t bin = 0; bin < chunk / 2; ++bin) {
      const std::size_t re = bin / lanes * 2 * lanes + bin % lanes;
      const std::size_t im = re + lanes;
      double sum_re = before == nullptr ? 0 : (*before)[c * chunk + re];
      double sum_im = before == nullptr ? 0 : (*before)[c * chunk + im];
      for (const MacTerm<Sample>& term : aim.terms) {
        for (std::size_t p = std::max(job.first_partition, term.first_partition);
             p < std::min(job.last_partition, term.last_partition); ++p) {
          const Sample* x =
              term.input + c * job.input_stride + (job.newest + p) % job.slots * chunk;
          const Sample* h =
              term.response + c * term.response_stride + (p - term.first_partition) * chunk;
          sum_re += static_cast<double>(x[re]) * h[re] - static_cast<double>(x[im]) * h[im];
          sum_im += static_cast<double>(x[re]) * h[im] + static_cast<double>(x[im]) * h[re];
        }
      }
      error +=
          std::pow(sum[c * chunk + re] - sum_re, 2) + std::pow(sum[c * chunk + im] - sum_im, 2);
      power += sum_re * sum_re + sum_im * sum_im;
    }
  }
  ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(power));
}

template <class Sample>
void random_jobs(InstructionSet set, double tolerance) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    RandomTile<Sample> tile(set, seed);
    spectral_mac<Sample>(set)->run(tile.job(), tile.aims());
    for (std::size_t o = 0; o < tile.aims().size(); ++o) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", output " << o);
      const MacSum<Sample>& aim = tile.aims()[o];
      expect_sum(tile.job(), aim, &tile.before()[o], tile.sums()[o], tolerance);
      if (!tile.has_next()) continue;
      // Partition 0 is not heard in the next block before there is one.
      MacJob<Sample> job = tile.job();
      job.newest = (job.newest + job.slots - 1) % job.slots;
      job.first_partition = std::max<std::size_t>(job.first_partition, 1);
      expect_sum<Sample>(job, aim, nullptr, tile.next()[o], tolerance);
    }
  }
}

/// Results must not depend on how threads share outputs, or slices share chunks.
template <class Sample>
void random_groups(InstructionSet set) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomTile<Sample> together(set, seed);
    RandomTile<Sample> apart(set, seed);
    spectral_mac<Sample>(set)->run(together.job(), together.aims());
    const std::size_t chunks = apart.job().last_chunk;
    const std::span<const MacSum<Sample>> aims = apart.aims();
    for (std::size_t first = 0; first < aims.size();) {
      const auto group = aims.subspan(first, 1 + apart.random()() % (aims.size() - first));
      for (std::size_t chunk = 0; chunk < chunks;) {
        apart.job().first_chunk = chunk;
        apart.job().last_chunk = chunk + 1 + apart.random()() % (chunks - chunk);
        spectral_mac<Sample>(set)->run(apart.job(), group);
        chunk = apart.job().last_chunk;
      }
      first += group.size();
    }
    ASSERT_EQ(apart.sums(), together.sums());
    ASSERT_EQ(apart.next(), together.next());
  }
}

TEST_P(SpectralMacTest, FollowsThePlainSumInFloat) {
  random_jobs<float>(GetParam(), 1e-6);
}
TEST_P(SpectralMacTest, FollowsThePlainSumInDouble) {
  random_jobs<double>(GetParam(), 1e-15);
}

TEST_P(SpectralMacTest, GroupsChangeNothingInFloat) {
  random_groups<float>(GetParam());
}
TEST_P(SpectralMacTest, GroupsChangeNothingInDouble) {
  random_groups<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, SpectralMacTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
