// Orders of the CUDA kernels' threads, run on the host: none changes a bit, and a missing barrier
// shows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"
#include "tests/support/rig_stream.hpp"
#include "tests/support/watching_context.hpp"

#if defined(__SANITIZE_THREAD__)
#define FIRBANK_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIRBANK_UNDER_TSAN 1
#endif
#endif

namespace firbank::test {
namespace {

using cuda::kNone;
using cuda::LevelCommand;
using Threads = HostRun::Threads;

template <class Real>
struct Outcome {
  std::vector<std::vector<Real>> out;
  AlignedVector<cuda::Complex<Real>> sums;
};

/// The same stream under another order of threads.
template <class Real>
Outcome<Real> stream_outcome(std::uint32_t log2_bins, const HostRun& run) {
  Random random(log2_bins);
  RigShape shape = small_shape(random, log2_bins, 2);
  shape.hop = 1U << log2_bins;
  shape.splits = 2;
  shape.ways = cuda::render_ways(cuda::transform_shape<Real>(log2_bins), 3);
  CudaRig<Real> rig(shape);
  load_noise(rig, random);
  rig.run = run;
  RigStream<Real> stream(rig, 2, shape.hop, 2, random);
  stream.process();
  return {std::move(stream.out), std::move(rig.sums)};
}

template <class Real>
bool same_outcome(const Outcome<Real>& a, const Outcome<Real>& b) {
  bool same = same_bits(a.sums, b.sums) && a.out.size() == b.out.size();
  for (std::size_t o = 0; same && o < a.out.size(); ++o) same = same_bits(a.out[o], b.out[o]);
  return same;
}

TEST(CudaOrderTest, NoOrderOfThreadsChangesABit) {
  for (const std::uint32_t log2_bins : {3U, 5U, 6U, 9U, 13U}) {
    SCOPED_TRACE(testing::Message() << (1U << log2_bins) << " bins");
    const Outcome<float> first = stream_outcome<float>(log2_bins, {1});
    for (std::uint64_t seed = 1000; seed <= 3000; seed += 1000) {
      EXPECT_TRUE(same_outcome(stream_outcome<float>(log2_bins, {seed}), first)) << "seed " << seed;
    }
    EXPECT_TRUE(same_outcome(stream_outcome<float>(log2_bins, {1, Threads::kThreads}), first));
  }
}

enum class Turns { kAtOnce, kOneByOne };  // inputs and outputs

/// A stream through two outputs of `terms` equal terms; with all the ways that those have.
std::vector<float> plain_stream(std::uint32_t log2_bins, std::size_t terms, const HostRun& run,
                                cuda::Kernel dropped_in, Turns turns = Turns::kAtOnce) {
  Random random(3);
  RigShape shape;
  shape.log2_bins = log2_bins;
  shape.hop = 1U << log2_bins;
  shape.partitions = {{0, 1}};
  shape.terms.assign(2, std::vector<RigTerm>(terms));
  if (turns == Turns::kOneByOne) {
    shape.inputs = 2;
    shape.terms[1].assign(terms, {1, 0});
    shape.input_slice = shape.output_slice = 1;
  }
  shape.ways =
      cuda::render_ways(cuda::transform_shape<float>(log2_bins), static_cast<std::uint32_t>(terms));
  CudaRig<float> rig(shape);
  rig.load(0, noise<float>(random, shape.hop));
  rig.run = run;
  rig.dropped_in = dropped_in;
  RigStream<float> stream(rig, 1, shape.hop, 2, random);
  stream.process();
  std::vector<float> out = stream.out[0];
  out.insert(out.end(), stream.out[1].begin(), stream.out[1].end());
  return out;
}

/// How many of some orders give something else than the answer without a barrier.
int orders_that_catch(int barrier, std::uint32_t log2_bins, std::size_t terms, cuda::Kernel kernel,
                      Turns turns = Turns::kAtOnce) {
  const std::vector<float> answer = plain_stream(log2_bins, terms, {1}, kernel, turns);
  int caught = 0;
  for (std::uint64_t seed = 1000; seed <= 8000; seed += 1000) {
    const HostRun broken{seed, Threads::kFibers, barrier};
    if (!same_bits(plain_stream(log2_bins, terms, broken, kernel, turns), answer)) ++caught;
  }
  return caught;
}

TEST(CudaOrderTest, FibersCatchEveryMissingBarrierOfTheTransforms) {
  // 512 bins: three passes, hence two barriers.
  for (const cuda::Kernel kernel : {cuda::Kernel::kForward, cuda::Kernel::kRender}) {
    for (int barrier = 0; barrier < 2; ++barrier) {
      EXPECT_EQ(orders_that_catch(barrier, 9, 1, kernel), 8)
          << "kernel " << static_cast<int>(kernel) << ", barrier " << barrier;
    }
  }
}

TEST(CudaOrderTest, FibersCatchEveryMissingBarrierOfSharedLines) {
  // 128 bins: samples come by way of shared memory, three passes, answers go that way.
  for (const cuda::Kernel kernel : {cuda::Kernel::kForward, cuda::Kernel::kRender}) {
    for (int barrier = 0; barrier < 4; ++barrier) {
      EXPECT_GT(orders_that_catch(barrier, 7, 1, kernel), 0)
          << "kernel " << static_cast<int>(kernel) << ", barrier " << barrier;
    }
  }
}

TEST(CudaOrderTest, FibersCatchAMissingBarrierBetweenTurns) {
  // Two barriers of the first turn come before it.
  for (const cuda::Kernel kernel : {cuda::Kernel::kForward, cuda::Kernel::kRender}) {
    EXPECT_GT(orders_that_catch(2, 9, 1, kernel, Turns::kOneByOne), 0)
        << "kernel " << static_cast<int>(kernel);
  }
}

TEST(CudaOrderTest, FibersCatchEveryMissingBarrierOfASharedSum) {
  // 64 bins, 4 ways: two barriers for each halving of them, and one of the inverse.
  ASSERT_EQ(cuda::render_ways(cuda::transform_shape<float>(6), 9), 4U);
  for (int barrier = 0; barrier < 5; ++barrier) {
    EXPECT_GT(orders_that_catch(barrier, 6, 9, cuda::Kernel::kRender), 0) << "barrier " << barrier;
  }
}

TEST(CudaOrderTest, RenderedIsToldOnceAndAfterAllAnswers) {
  const auto complete_when_told = [](std::uint64_t seed, int dropped_sync) {
    RigShape shape;
    shape.log2_bins = 6;
    shape.hop = 64;
    shape.partitions = {{0, 1}};
    shape.terms.assign(30, {{0, 0}});
    CudaRig<float> rig(shape);
    std::fill(rig.responses.begin(), rig.responses.end(), cuda::Complex<float>{1, 0});
    LevelCommand& command = rig.current.level[0];
    command.outputs = {0, rig.outputs};
    command.render_from = kNone;
    command.render_partitions = {0, 1};
    command.frames = {64, 128};
    const cuda::RenderParams<float> params = rig.render_params();
    const std::span<const float> answers(rig.stage_out.data(), std::size_t{rig.outputs} * rig.bins);
    bool complete = false;
    int told = 0;
    run_grid(cuda::launch_shape(cuda::Kernel::kRender, params),
             [&](HostContext& context) {
               WatchingContext watching(context, answers, complete, told);
               cuda::render_body(watching, params);
             },
             {seed, Threads::kFibers, dropped_sync});
    EXPECT_EQ(told, 1);
    EXPECT_EQ(rig.done, 0U);
    return complete;
  };
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_TRUE(complete_when_told(seed, -1)) << "seed " << seed;
    // Barrier 0 is that of the inverse, 1 and 2 are round the answers in shared memory, 3 is the
    // one before the count.
    if (!complete_when_told(seed, 3)) ++caught;
  }
  EXPECT_GT(caught, 0);
}

/// Run in a process of its own, which ThreadSanitizer ends.
TEST(CudaOrderDeathTest, ThreadSanitizerCatchesAMissingBarrier) {
#ifdef FIRBANK_UNDER_TSAN
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto race_between_blocks = [] {
    int shared_by_all = 0;
    run_grid({{64, 1, 1}, 4, 16}, [&](HostContext& context) { context.store(&shared_by_all, 1); },
             {1, Threads::kThreads});
    std::exit(0);
  };
  EXPECT_EXIT(race_between_blocks(), testing::ExitedWithCode(66), "data race");
  for (int barrier = 0; barrier < 2; ++barrier) {
    EXPECT_EXIT(
        {
          plain_stream(9, 1, {1, Threads::kThreads, barrier}, cuda::Kernel::kForward);
          std::exit(0);
        },
        testing::ExitedWithCode(66), "data race")
        << "barrier " << barrier;
  }
#else
  GTEST_SKIP() << "needs a build with ThreadSanitizer";
#endif
}

}  // namespace
}  // namespace firbank::test
