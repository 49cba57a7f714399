// The transforms of the CUDA kernels, run on the host: against their definition, and on the whole
// way from samples to samples against a direct convolution; and what a device needs of their
// shapes.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"
#include "tests/support/rig_stream.hpp"

namespace firbank::test {
namespace {

using cuda::LevelCommand;

/// The roots at which the values of a spectrum are taken are found from the transform of t itself.
template <class Real>
void check_forward(std::uint32_t log2_bins) {
  RigShape shape;
  shape.log2_bins = log2_bins;
  shape.inputs = 2;
  CudaRig<Real> rig(shape);
  Random random(log2_bins);
  const std::vector<Real> window = noise<Real>(random, 2 * rig.bins);
  std::fill_n(rig.stage_in.begin(), 2 * rig.bins, Real{0});
  rig.stage_in[1] = 1;
  std::copy(window.begin(), window.end(), rig.stage_in.begin() + 2 * rig.bins);
  LevelCommand command{};
  command.inputs = {0, rig.shape.inputs};
  command.fresh = {0, 2 * rig.bins};
  rig.launch(command);

  std::vector<bool> seen(rig.bins, false);
  RelativeError error;
  const std::uint32_t step = rig.bins > 512 ? rig.bins / 61 : 1;
  for (std::uint32_t k = 0; k < rig.bins; ++k) {
    const std::complex<double> root(rig.delay_lines[k].re, rig.delay_lines[k].im);
    ASSERT_NEAR(std::abs(root), 1.0, 1e-5);
    // Root j is exp(2 pi i (1/4 + j) / M).
    double j = std::round(std::arg(root) / (2 * std::numbers::pi) * rig.bins - 0.25);
    if (j < 0) j += rig.bins;
    ASSERT_FALSE(seen[static_cast<std::size_t>(j)]) << "root " << j << " appears twice";
    seen[static_cast<std::size_t>(j)] = true;
    if (k % step != 0) continue;
    std::complex<double> value = 0;
    for (std::uint32_t n = 0; n < rig.bins; ++n) {
      const double turns = std::fmod((0.25 + j) * n / rig.bins, 1.0);
      value += std::polar(1.0, 2 * std::numbers::pi * turns) *
               std::complex<double>(window[n], window[rig.bins + n]);
    }
    error.add(rig.delay_lines[rig.bins + k].re, value.real());
    error.add(rig.delay_lines[rig.bins + k].im, value.imag());
  }
  EXPECT_LT(error.value(), sizeof(Real) == sizeof(float) ? 2.5e-7 : 1e-14);
}

class CudaTransformTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(CudaTransformTest, ForwardFollowsTheDefinitionInFloat) {
  check_forward<float>(GetParam());
}
TEST_P(CudaTransformTest, ForwardFollowsTheDefinitionInDouble) {
  check_forward<double>(GetParam());
}

template <class Real>
void check_stream(std::uint32_t log2_bins, std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  const std::uint32_t partitions = between(random, 1, log2_bins > 11 ? 2 : 4);
  RigShape shape = small_shape(random, log2_bins, partitions);
  std::uint32_t block_frames = shape.hop;
  if (partitions == 1 && random() % 2 == 0) {
    // All frames that a single partition leaves exact.
    shape.hop = between(random, 1, (2U << log2_bins) - 1);
    block_frames = (2U << log2_bins) - shape.hop + 1;
    if (random() % 2 == 0) block_frames = between(random, 1, block_frames);
    block_frames = std::min(block_frames, (2U << log2_bins) - 1);
  }
  CudaRig<Real> rig(shape);
  const auto taps = load_noise(rig, random);
  const std::uint32_t blocks = log2_bins > 11 ? 3 : 6;
  RigStream<Real> stream(rig, partitions, block_frames, blocks, random);
  stream.process();

  RelativeError error;
  const std::size_t frames = stream.in[0].size();
  const std::size_t step = std::max<std::size_t>(1, frames / 97);
  for (std::uint32_t output = 0; output < rig.outputs; ++output) {
    for (std::size_t n = random() % step; n < frames; n += step) {
      double sum = 0;
      for (const RigTerm& term : rig.shape.terms[output]) {
        const std::size_t delay =
            std::size_t{rig.shape.partitions[term.response].first} * rig.shape.hop;
        const auto& h = taps[term.response];
        for (std::size_t k = 0; k < h.size() && k + delay <= n; ++k) {
          sum += static_cast<double>(h[k]) * stream.in[term.input][n - k - delay];
        }
      }
      error.add(stream.out[output][n], sum);
    }
  }
  EXPECT_LT(error.value(), kLimit<Real>);
  EXPECT_EQ(rig.progress.rendered, rig.progress.finished);
  EXPECT_EQ(rig.progress.finished, rig.taken);
}

TEST_P(CudaTransformTest, StreamsFollowADirectConvolutionInFloat) {
  for (std::uint64_t seed = 1; seed <= (GetParam() > 11 ? 1U : 4U); ++seed) {
    check_stream<float>(GetParam(), 100 * seed + GetParam());
  }
}
TEST_P(CudaTransformTest, StreamsFollowADirectConvolutionInDouble) {
  for (std::uint64_t seed = 1; seed <= (GetParam() > 11 ? 1U : 4U); ++seed) {
    check_stream<double>(GetParam(), 100 * seed + GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, CudaTransformTest,
                         testing::Range(cuda::kMinLog2Bins, cuda::kMaxLog2Bins + 1),
                         [](const auto& test) { return std::to_string(1U << test.param); });

TEST(CudaTransformShapeTest, FitsTheDevice) {
  const auto check = [](const auto& transform) {
    EXPECT_EQ(transform.log2_inner + 3 * transform.outer, transform.log2_bins);
    const cuda::LaunchShape shape =
        cuda::inner_shape(transform, 5, cuda::render_ways(transform, 100));
    EXPECT_GE(shape.threads, 64U);
    EXPECT_LE(shape.threads, 512U);
    EXPECT_LE(shape.shared_bytes, 48U * 1024);
  };
  for (std::uint32_t log2_bins = cuda::kMinLog2Bins; log2_bins <= cuda::kMaxLog2Bins; ++log2_bins) {
    check(cuda::transform_shape<float>(log2_bins));
    check(cuda::transform_shape<double>(log2_bins));
  }
}

/// 16 threads move 8 bytes each at once, or 8 threads 16 bytes, when they are in different banks.
TEST(CudaTransformShapeTest, SharedMemoryHasNoBankConflicts) {
  for (std::uint32_t log2_inner = 4; log2_inner <= 12; ++log2_inner) {
    std::vector<std::uint32_t> log2_strides{log2_inner - 3};  // the first pass
    for (std::uint32_t block = cuda::log2_after_first(log2_inner); block > 0; block -= 3) {
      log2_strides.push_back(block - 3);
    }
    for (const std::uint32_t log2_stride : log2_strides) {
      for (std::uint32_t first = 0; first < 512; first += 8) {
        for (std::uint32_t r = 0; r < 8; ++r) {
          const auto slot = [&](std::uint32_t thread) {
            const std::uint32_t j = thread & ((1U << log2_stride) - 1);
            return cuda::shared_slot((thread - j) * 8 + j + (r << log2_stride));
          };
          std::set<std::uint32_t> wide, narrow;
          for (std::uint32_t t = 0; t < 8; ++t) wide.insert(slot(first + t) % 8);
          for (std::uint32_t t = 0; t < 16; ++t) narrow.insert(slot(first / 16 * 16 + t) % 16);
          ASSERT_EQ(wide.size(), 8U) << log2_inner << ' ' << log2_stride << ' ' << first;
          ASSERT_EQ(narrow.size(), 16U) << log2_inner << ' ' << log2_stride << ' ' << first;
        }
      }
    }
  }
}

}  // namespace
}  // namespace firbank::test
