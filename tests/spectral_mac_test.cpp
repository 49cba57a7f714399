// Spectral products on every instruction set, against a plain double-precision sum.
#include "kernels/cpu/spectral_mac.hpp"

#include <algorithm>
#include <bit>
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
  RandomTile(InstructionSet set, unsigned seed, bool compact = false)
      : set_(set),
        random_(seed),
        compact_(compact),
        plan_(std::size_t{8} << random_() % 7, real_fft<Sample>(set)->traits) {
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
      term.scale_stride = (term.last_partition - term.first_partition) * job.plane_lanes;
      term.input = storage_.emplace_back(noise(job.last_chunk * job.input_stride)).data();
    }
    const unsigned start = random_() % 3;  // zero, another sum, the same sum
    const std::size_t size = job.last_chunk * chunk;
    terms_.resize(1 + random_() % kMacTile, alike);
    for (std::vector<MacTerm<Sample>>& terms : terms_) {
      for (MacTerm<Sample>& term : terms) set_response(term);
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

  void run() const { run(job_, aims_); }
  void run(const MacJob<Sample>& job, std::span<const MacSum<Sample>> aims) const {
    const SpectralMac<Sample>& mac = *spectral_mac<Sample>(set_);
    (compact_ ? mac.run_compact : mac.run)(job, aims);
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

  void set_response(MacTerm<Sample>& term) {
    const std::size_t values = job_.last_chunk * term.response_stride;
    if (!compact_) {
      term.response = storage_.emplace_back(noise(values + 1)).data();
      return;
    }
    AlignedVector<std::int16_t>& multiples = multiples_.emplace_back(values + 1);
    for (std::int16_t& multiple : multiples) {
      multiple = static_cast<std::int16_t>(random_() % 65'535) - 32'767;
    }
    term.compact = multiples.data();
    AlignedVector<std::uint16_t>& scales =
        scales_.emplace_back(job_.last_chunk * term.scale_stride + 1);
    for (std::uint16_t& scale : scales) {
      scale = static_cast<std::uint16_t>(
          std::bit_cast<std::uint32_t>(static_cast<float>(noise(1)[0])) >> 16);
    }
    term.scales = scales.data();
  }

  InstructionSet set_;
  std::mt19937 random_;
  bool compact_;
  TransformPlan<Sample> plan_;
  std::vector<AlignedVector<Sample>> storage_;
  std::vector<AlignedVector<std::int16_t>> multiples_;
  std::vector<AlignedVector<std::uint16_t>> scales_;
  std::vector<std::vector<MacTerm<Sample>>> terms_;  // of each output
  std::vector<AlignedVector<Sample>> before_;        // of each output: what its sum starts from
  std::vector<AlignedVector<Sample>> sums_;
  MacJob<Sample> job_;
  std::vector<MacSum<Sample>> aims_;
  bool has_next_ = false;
  std::vector<AlignedVector<Sample>> next_;
};

/// Value k of a chunk of a partition.
template <class Sample>
double response_value(const MacJob<Sample>& job, const MacTerm<Sample>& term, std::size_t chunk,
                      std::size_t partition, std::size_t k) {
  const std::size_t at = chunk * term.response_stride + partition * job.chunk_samples + k;
  if (term.compact == nullptr) return term.response[at];
  const std::size_t lane = partition * job.plane_lanes + k % job.plane_lanes;
  return static_cast<double>(scale_of(term.scales[chunk * term.scale_stride + lane])) *
         term.compact[at];
}

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
          const std::size_t partition = p - term.first_partition;
          const double h_re = response_value(job, term, c, partition, re);
          const double h_im = response_value(job, term, c, partition, im);
          sum_re += x[re] * h_re - x[im] * h_im;
          sum_im += x[re] * h_im + x[im] * h_re;
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
void random_jobs(InstructionSet set, double tolerance, bool compact = false) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    RandomTile<Sample> tile(set, seed, compact);
    tile.run();
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
void random_groups(InstructionSet set, bool compact = false) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomTile<Sample> together(set, seed, compact);
    RandomTile<Sample> apart(set, seed, compact);
    together.run();
    const std::size_t chunks = apart.job().last_chunk;
    const std::span<const MacSum<Sample>> aims = apart.aims();
    for (std::size_t first = 0; first < aims.size();) {
      const auto group = aims.subspan(first, 1 + apart.random()() % (aims.size() - first));
      for (std::size_t chunk = 0; chunk < chunks;) {
        apart.job().first_chunk = chunk;
        apart.job().last_chunk = chunk + 1 + apart.random()() % (chunks - chunk);
        apart.run(apart.job(), group);
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
TEST_P(SpectralMacTest, FollowsThePlainSumOfCompactResponses) {
  random_jobs<float>(GetParam(), 1e-6, true);
}
TEST_P(SpectralMacTest, FollowsThePlainSumInDouble) {
  random_jobs<double>(GetParam(), 1e-15);
}

TEST_P(SpectralMacTest, GroupsChangeNothingInFloat) {
  random_groups<float>(GetParam());
}
TEST_P(SpectralMacTest, GroupsChangeNothingWithCompactResponses) {
  random_groups<float>(GetParam(), true);
}
TEST_P(SpectralMacTest, GroupsChangeNothingInDouble) {
  random_groups<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, SpectralMacTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
