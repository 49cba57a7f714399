// How kernels are launched that share the sums of outputs.
#include "kernels/cuda/launch_shape.hpp"

#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

#include "kernels/cuda/kernel_calls.hpp"
#include "kernels/cuda/transform_tables.hpp"

namespace firbank::cuda {
namespace {

TEST(RenderTransformTest, ManyTermsOfAnOutputAreSummedSideBySide) {
  const Transform<float> transform = transform_shape<float>(7);  // 16 threads each, four of them
  ASSERT_EQ(transform.batch, 4U);
  const Transform<float> of_matrix = render_transform(transform, 64);
  EXPECT_EQ(of_matrix.batch, 1U);
  EXPECT_EQ(render_ways(of_matrix, 64), 16U);
  EXPECT_EQ(inner_shape(of_matrix, 64, 16).grid[0], 64U);
}

TEST(RenderTransformTest, WhatIsNotGainedByItStaysTogether) {
  for (std::uint32_t log2_bins = kMinLog2Bins; log2_bins <= kMaxLog2Bins; ++log2_bins) {
    const Transform<float> transform = transform_shape<float>(log2_bins);
    EXPECT_EQ(render_transform(transform, 1).batch, transform.batch);
    EXPECT_EQ(render_transform(transform, 4).batch, transform.batch);
  }
}

template <class Real>
void check_all() {
  for (std::uint32_t log2_bins = kMinLog2Bins; log2_bins <= kMaxLog2Bins; ++log2_bins) {
    const Transform<Real> transform = transform_shape<Real>(log2_bins);
    for (const std::uint32_t terms : {1U, 2U, 5U, 9U, 64U, 1'000U}) {
      SCOPED_TRACE(testing::Message() << log2_bins << ", " << terms);
      const Transform<Real> render = render_transform(transform, terms);
      const std::uint32_t ways = render_ways(render, terms);
      EXPECT_GE(ways, render_ways(transform, terms));
      EXPECT_LE(ways, terms);
      const LaunchShape shape = inner_shape(render, 100, ways);
      EXPECT_GE(shape.threads, inner_shape(transform, 100, 1).threads);
      EXPECT_LE(shape.threads, most_threads(Kernel::kRender, sizeof(Real)));
      EXPECT_LE(shape.shared_bytes, 48U << 10);
      // Frames of all outputs of a thread block pass through shared memory.
      EXPECT_GE(shape.shared_bytes, 2 * sizeof(Real) * (render.batch << render.log2_inner));
      // Neighbours meet whole sectors of memory, or as much of them as before.
      EXPECT_GE(render.batch << (render.log2_inner - 3),
                std::min(16U, transform.batch << (transform.log2_inner - 3)));
    }
  }
}

TEST(RenderTransformTest, FitsTheDevice) {
  check_all<float>();
  check_all<double>();
}

}  // namespace
}  // namespace firbank::cuda
