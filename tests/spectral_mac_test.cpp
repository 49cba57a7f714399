// Spectral products on every instruction set, against a plain double-precision sum.
#include "kernels/cpu/spectral_mac.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/real_fft.hpp"

namespace firbank {
namespace {

class SpectralMacTest : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << name(GetParam()) << " cannot run here";
  }
};

template <class Sample>
void random_jobs(InstructionSet set, double tolerance) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<Sample> uniform(-1, 1);
    const TransformPlan<Sample> plan(std::size_t{8} << random() % 7, real_fft<Sample>(set)->traits);
    const std::size_t chunk = plan.chunk_samples();

    MacJob<Sample> job;
    job.last_chunk = plan.chunks();
    job.chunk_samples = chunk;
    job.plane_lanes = plan.plane_lanes;
    job.slots = 1 + random() % 100;
    job.input_stride = job.slots * chunk;
    job.newest = random() % job.slots;
    job.first_partition = random() % job.slots;
    job.last_partition = job.first_partition + random() % (job.slots - job.first_partition + 1);
    const auto noise = [&](std::size_t count) {
      AlignedVector<Sample> samples(count);
      for (Sample& sample : samples) sample = uniform(random);
      return samples;
    };
    std::vector<AlignedVector<Sample>> storage;
    std::vector<MacTerm<Sample>> terms(random() % 5);
    for (MacTerm<Sample>& term : terms) {
      term.first_partition = random() % job.slots;
      term.last_partition =
          term.first_partition + random() % (job.slots - term.first_partition + 1);
      const std::size_t partitions = term.last_partition - term.first_partition;
      term.response_stride = partitions * chunk;
      term.input = storage.emplace_back(noise(job.last_chunk * job.input_stride)).data();
      term.response = storage.emplace_back(noise(job.last_chunk * term.response_stride + 1)).data();
    }
    job.terms = terms;
    AlignedVector<Sample> from = noise(job.last_chunk * chunk), to = noise(job.last_chunk * chunk);
    const AlignedVector<Sample> before = from;
    const unsigned start = random() % 3;  // zero, another sum, the same sum
    job.from = start == 0 ? nullptr : from.data();
    job.to = start == 2 ? from.data() : to.data();
    spectral_mac<Sample>(set)->run(job);

    double error = 0;
    double power = 0;
    for (std::size_t c = 0; c < job.last_chunk; ++c) {
      for (std::size_t bin = 0; bin < chunk / 2; ++bin) {
        const std::size_t re =
            bin / plan.plane_lanes * 2 * plan.plane_lanes + bin % plan.plane_lanes;
        const std::size_t im = re + plan.plane_lanes;
        double sum_re = start == 0 ? 0.0 : before[c * chunk + re];
        double sum_im = start == 0 ? 0.0 : before[c * chunk + im];
        for (const MacTerm<Sample>& term : terms) {
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
        error += std::pow(job.to[c * chunk + re] - sum_re, 2) +
                 std::pow(job.to[c * chunk + im] - sum_im, 2);
        power += sum_re * sum_re + sum_im * sum_im;
      }
    }
    ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(power));
  }
}

TEST_P(SpectralMacTest, FollowsThePlainSumInFloat) {
  random_jobs<float>(GetParam(), 1e-6);
}
TEST_P(SpectralMacTest, FollowsThePlainSumInDouble) {
  random_jobs<double>(GetParam(), 1e-15);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, SpectralMacTest, testing::ValuesIn(kInstructionSets),
                         [](const auto& test) {
                           std::string text = backend_name(test.param);
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

}  // namespace
}  // namespace firbank
