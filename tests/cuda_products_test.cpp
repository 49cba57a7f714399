// The spectral products of the CUDA kernels, run on the host, against a plain sum: what is summed,
// what is read for it, and how responses of 16 bits stand for full ones.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"

namespace firbank::test {
namespace {

using cuda::kNone;
using cuda::LevelCommand;
using cuda::Range;

/// Spectra that the command has no use for are NaN.
template <class Real>
void fill_wanted(CudaRig<Real>& rig, const LevelCommand& command, Random& random) {
  using Value = typename CudaRig<Real>::Value;
  std::fill(rig.delay_lines.begin(), rig.delay_lines.end(), Value{rig.kNan, rig.kNan});
  const auto fill = [&](Value* spectrum) {
    if (!std::isnan(spectrum->re)) return;
    const std::vector<Real> values = noise<Real>(random, 2 * rig.bins);
    for (std::uint32_t k = 0; k < rig.bins; ++k) spectrum[k] = {values[2 * k], values[2 * k + 1]};
  };
  for (const auto& terms : rig.shape.terms) {
    for (const RigTerm& term : terms) {
      const Range has = rig.shape.partitions[term.response];
      for (std::uint32_t i = 0; i < command.ranges; ++i) {
        const std::uint32_t last = std::min(has.last, command.partitions[i].last);
        for (std::uint32_t p = std::max(has.first, command.partitions[i].first); p < last; ++p) {
          const std::uint32_t slot = (command.newest + p) % rig.shape.slots;
          fill(rig.delay_lines.data() +
               (std::size_t{term.input} * rig.shape.slots + slot) * rig.bins);
          fill(rig.responses.data() +
               (rig.first_spectrum[term.response] + (p - has.first)) * rig.bins);
        }
      }
    }
  }
}

template <class Real>
std::complex<double> plain_sum(const CudaRig<Real>& rig, const LevelCommand& command,
                               std::uint32_t output, std::uint32_t bin) {
  const auto wide = [](const auto& value) { return std::complex<double>(value.re, value.im); };
  std::complex<double> sum = 0;
  for (const RigTerm& term : rig.shape.terms[output]) {
    const Range has = rig.shape.partitions[term.response];
    for (std::uint32_t i = 0; i < command.ranges; ++i) {
      for (std::uint32_t p = command.partitions[i].first; p < command.partitions[i].last; ++p) {
        if (p < has.first || p >= has.last) continue;
        const std::uint32_t slot = (command.newest + p) % rig.shape.slots;
        sum += wide(rig.delay_lines[(std::size_t{term.input} * rig.shape.slots + slot) * rig.bins +
                                    bin]) *
               wide(rig.responses[(rig.first_spectrum[term.response] + (p - has.first)) * rig.bins +
                                  bin]);
      }
    }
  }
  return sum;
}

RigShape random_bank(Random& random, bool compact) {
  RigShape shape;
  shape.log2_bins = between(random, 3, 6);
  shape.inputs = between(random, 1, 4);
  shape.slots = between(random, 1, random() % 4 == 0 ? 90 : 12);
  const std::uint32_t responses = between(random, 1, 8);
  for (std::uint32_t r = 0; r < responses; ++r) {
    const std::uint32_t first = random() % 2 == 0 ? 0 : between(random, 0, shape.slots);
    shape.partitions.push_back({first, between(random, first, shape.slots)});
  }
  // Outputs that meet the same inputs lie among others that do not.
  std::vector<std::vector<std::uint32_t>> inputs(between(random, 1, 3));
  for (auto& list : inputs) {
    list.resize(between(random, 0, 5));
    for (std::uint32_t& input : list) input = between(random, 0, shape.inputs - 1);
  }
  const std::uint32_t outputs = between(random, 1, 20);
  for (std::uint32_t o = 0; o < outputs; ++o) {
    auto& terms = shape.terms.emplace_back();
    for (const std::uint32_t input : inputs[random() % inputs.size()]) {
      terms.push_back({input, between(random, 0, responses - 1)});
    }
  }
  shape.most_tile_outputs = between(random, 1, cuda::kTileOutputs);
  shape.splits = between(random, 1, 7);
  shape.bin_slice = 1U << between(random, 1, shape.log2_bins);
  shape.compact = compact;
  return shape;
}

template <class Real>
void check_products(std::uint64_t seed, bool compact = false) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  CudaRig<Real> rig(random_bank(random, compact));
  LevelCommand command{};
  const std::uint32_t first_chunk =
      random() % 2 * between(random, 0, rig.bins / cuda::kChunkBins - 1);
  command.bins.first = first_chunk * cuda::kChunkBins;
  command.bins.last =
      between(random, first_chunk + 1, rig.bins / cuda::kChunkBins) * cuda::kChunkBins;
  command.to = between(random, 0, 2);
  command.from = random() % 3 == 0 ? kNone : between(random, 0, 2);
  command.newest = between(random, 0, rig.shape.slots - 1);
  command.ranges = between(random, 1, 2);
  const std::uint32_t middle = between(random, 0, rig.shape.slots);
  command.partitions[0] = {between(random, 0, middle), middle};
  const std::uint32_t second = between(random, middle, rig.shape.slots);
  command.partitions[1] = {second, between(random, second, rig.shape.slots)};
  if (random() % 2 == 0) std::swap(command.partitions[0], command.partitions[1]);
  fill_wanted(rig, command, random);
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (compact) rig.make_compact();
  }
  if (command.from != kNone) {
    const std::vector<Real> values = noise<Real>(random, std::size_t{2} * rig.outputs * rig.bins);
    for (std::size_t k = 0; k < values.size() / 2; ++k) {
      rig.sums[std::size_t{command.from} * rig.outputs * rig.bins + k] = {values[2 * k],
                                                                          values[2 * k + 1]};
    }
  }
  const auto before = rig.sums;
  rig.launch(command);

  RelativeError error;
  double unwanted = 0;
  for (std::uint32_t output = 0; output < rig.outputs; ++output) {
    for (std::uint32_t bin = 0; bin < rig.bins; ++bin) {
      const std::size_t k = std::size_t{output} * rig.bins + bin;
      if (bin < command.bins.first || bin >= command.bins.last) {
        const std::size_t at = std::size_t{command.to} * rig.outputs * rig.bins + k;
        EXPECT_EQ(std::memcmp(&rig.sums[at], &before[at], sizeof(before[at])), 0);
        continue;
      }
      std::complex<double> sum = plain_sum(rig, command, output, bin);
      if (command.from != kNone) {
        const auto& from = before[std::size_t{command.from} * rig.outputs * rig.bins + k];
        sum += std::complex<double>(from.re, from.im);
      }
      const auto& to = rig.sums[std::size_t{command.to} * rig.outputs * rig.bins + k];
      error.add(to.re, sum.real());
      error.add(to.im, sum.imag());
      if (sum == 0.0) unwanted += std::abs(to.re) + std::abs(to.im);
    }
  }
  EXPECT_LE(error.value(), kLimit<Real> / 5);
  EXPECT_EQ(unwanted, 0.0);
  for (std::uint32_t which = 0; which < 3; ++which) {
    if (which == command.to) continue;
    const std::size_t size = std::size_t{rig.outputs} * rig.bins;
    EXPECT_EQ(std::memcmp(rig.sums.data() + which * size, before.data() + which * size,
                          size * sizeof(before[0])),
              0);
  }
  EXPECT_EQ(rig.traffic(cuda::Kernel::kAccumulate).loaded_bytes +
                rig.traffic(cuda::Kernel::kReduce).loaded_bytes,
            cuda::accumulate_bytes<Real>(command, rig.tiles, rig.terms, rig.shape.splits, compact));
}

TEST(CudaProductsTest, FollowThePlainSumInFloatAndReadNoMoreThanTheyMust) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) check_products<float>(seed);
}
TEST(CudaProductsTest, FollowThePlainSumInDoubleAndReadNoMoreThanTheyMust) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) check_products<double>(seed);
}

TEST(CudaProductsTest, FollowThePlainSumOfCompactResponses) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) check_products<float>(seed, true);
}

// Every value within half a scale, and the largest of a group uses nearly all of the 16 bits.
TEST(CudaCompactTest, KeepsEveryGroupWithinHalfAScale) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    RigShape shape;
    shape.log2_bins = 4;
    shape.partitions = {{0, between(random, 1, 5)}};
    shape.terms = {{{0, 0}}};
    CudaRig<float> rig(shape);
    const double size = std::pow(10.0, between(random, 0, 50) - 20.0);
    for (cuda::Complex<float>& value : rig.responses) {
      const std::vector<float> pair = noise<float>(random, 2);
      const double spread = std::pow(10.0, -5.0 * (random() % 100) / 99);
      value = {static_cast<float>(pair[0] * size * spread),
               static_cast<float>(pair[1] * size * spread)};
    }
    if (seed % 7 == 0) std::fill_n(rig.responses.begin(), 8, cuda::Complex<float>{0, 0});
    const auto full = rig.responses;
    rig.make_compact();
    for (std::size_t k = 0; k < full.size(); ++k) {
      const float scale = cuda::scale_value(rig.scales[k / cuda::kGroupBins]);
      ASSERT_LE(std::abs(full[k].re - rig.responses[k].re), 0.5001 * scale) << k;
      ASSERT_LE(std::abs(full[k].im - rig.responses[k].im), 0.5001 * scale) << k;
    }
    for (std::size_t group = 0; group < rig.scales.size(); ++group) {
      int most = 0;
      for (std::size_t i = 0; i < cuda::kGroupBins; ++i) {
        const cuda::Multiple multiple = rig.multiples[group * cuda::kGroupBins + i];
        most = std::max({most, std::abs(multiple.re), std::abs(multiple.im)});
      }
      ASSERT_TRUE(most >= 32'500 || rig.scales[group] == 0) << group << ' ' << most;
    }
  }
}

/// 8,000 products: one running sum of them is off by 2e-6.
TEST(CudaProductsTest, LongSumsStayExact) {
  Random random(9);
  RigShape shape;
  shape.slots = 8000;
  for (int r = 0; r < 3; ++r) shape.partitions.push_back({0, 8000});
  shape.terms = {{{0, 0}}, {{0, 1}}, {{0, 2}}};
  for (const std::uint32_t tile_outputs : {1U, 3U}) {
    shape.most_tile_outputs = tile_outputs;
    CudaRig<float> rig(shape);
    LevelCommand command{};
    command.bins = {0, rig.bins};
    command.from = kNone;
    command.ranges = 1;
    command.partitions[0] = {0, 8000};
    fill_wanted(rig, command, random);
    rig.launch(command);
    RelativeError error;
    for (std::uint32_t k = 0; k < 3 * rig.bins; ++k) {
      const std::complex<double> sum = plain_sum(rig, command, k / rig.bins, k % rig.bins);
      error.add(rig.sums[k].re, sum.real());
      error.add(rig.sums[k].im, sum.imag());
    }
    EXPECT_LT(error.value(), 8e-7);
  }
}

}  // namespace
}  // namespace firbank::test
