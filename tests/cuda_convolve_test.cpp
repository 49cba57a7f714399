// The kernel that convolves at once, and the one that only listens, run on the host: streams
// against a direct convolution, what they load against what the layout says, and orders of threads,
// in which missing barriers show.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"
#include "tests/support/watching_context.hpp"

namespace firbank::test {
namespace {

using cuda::Kernel;
using cuda::LevelCommand;

constexpr double kCompactLimit = 3.16e-5;  // 90 dB

/// Samples that are narrow: multiples of 1/32,768.
template <class Real>
std::vector<Real> narrow_noise(Random& random, std::size_t count) {
  std::vector<Real> samples(count);
  for (Real& sample : samples) {
    sample = static_cast<Real>(static_cast<std::int16_t>(random() & 0xffff)) / 32'768;
  }
  return samples;
}

/// Some inputs, of which not all need be heard, and some outputs, of which not all need hear one.
template <class Real>
RigShape any_shape(Random& random, std::uint32_t log2_bins, bool compact) {
  const bool large = log2_bins > 9;
  RigShape shape;
  shape.log2_bins = log2_bins;
  shape.inputs = between(random, 1, large ? 2 : 5);
  shape.hop = between(random, 1, (2U << log2_bins) - 1);
  const std::uint32_t responses = between(random, 1, large ? 2 : 4);
  shape.partitions.assign(responses, {0, 1});
  const std::uint32_t outputs = between(random, 1, large ? 4 : 20);
  for (std::uint32_t o = 0; o < outputs; ++o) {
    auto& terms = shape.terms.emplace_back(between(random, 0, 5) > 0 ? 1 : 0);
    for (RigTerm& term : terms) {
      term = {between(random, 0, shape.inputs - 1), between(random, 0, responses - 1)};
    }
  }
  shape.listeners = between(random, 1, 6);
  shape.compact = compact;
  shape.run =
      compact ? cuda::kConvolveRun<cuda::Multiple> : cuda::kConvolveRun<cuda::Complex<Real>>;
  return shape;
}

/// A stream through a rig, block by block, the blocks in pieces: heard, or only listened to, or
/// heard by a second bank whose command brings no samples.
template <class Real>
class Stream {
 public:
  Stream(CudaRig<Real>& rig, std::uint32_t block_frames, std::uint32_t blocks, Random& random)
      : rig_(rig), random_(random), block_frames_(block_frames), blocks_(blocks) {
    const std::size_t frames = std::size_t{blocks} * block_frames;
    for (std::uint32_t i = 0; i < rig.shape.inputs; ++i) {
      in.push_back(narrow_noise<Real>(random, frames));
    }
    out.assign(rig.outputs, std::vector<Real>(frames, CudaRig<Real>::kNan));
  }

  void process() {
    for (std::uint32_t block = 0; block < blocks_; ++block) {
      for (std::uint32_t arrived = 0; arrived < block_frames_;) {
        const std::uint32_t left = block_frames_ - arrived;
        const std::uint32_t frames = random_() % 2 == 0 ? left : between(random_, 1, left);
        piece(block, arrived, frames);
        arrived += frames;
      }
    }
  }

  std::vector<std::vector<Real>> in, out;  // what nobody heard is NaN

 private:
  void piece(std::uint32_t block, std::uint32_t arrived, std::uint32_t frames) {
    const std::uint32_t lead = 2 * rig_.bins - block_frames_;
    const std::size_t at = std::size_t{block} * block_frames_ + arrived;
    LevelCommand command{};
    command.inputs = {0, rig_.shape.inputs};
    command.window = (block * block_frames_) & (rig_.ring_frames - 1);
    command.fresh = {lead + arrived, lead + arrived + frames};
    command.stage_in = between(random_, 0, 1);
    command.narrow = between(random_, 0, 1);
    stage(command, at, frames);
    if (random_() % 4 == 0) {
      rig_.launch(command, Kernel::kListen, rig_.forward_params());
      if (random_() % 2 == 0) return;
      command.inputs = {0, 0};
      command.fresh.first = command.fresh.last;
    }
    hear(command, at, frames);
    if (random_() % 4 != 0) return;
    const std::vector<std::vector<Real>> once = out;
    command.inputs = {0, 0};
    command.fresh.first = command.fresh.last;
    hear(command, at, frames);
    for (std::size_t o = 0; o < out.size(); ++o) EXPECT_TRUE(same_bits(out[o], once[o])) << o;
  }

  void stage(const LevelCommand& command, std::size_t at, std::uint32_t frames) {
    const std::size_t slot_samples = std::size_t{rig_.shape.inputs} * 2 * rig_.bins;
    std::fill(rig_.stage_in.begin(), rig_.stage_in.end(), rig_.kNan);
    Real* const slot = rig_.stage_in.data() + command.stage_in * slot_samples;
    for (std::size_t input = 0; input < in.size(); ++input) {
      for (std::size_t n = 0; n < frames; ++n) {
        const Real sample = in[input][at + n];
        const std::size_t place = input * frames + n;
        if (command.narrow == 0) {
          slot[place] = sample;
          continue;
        }
        const auto narrow = static_cast<std::int16_t>(sample * 32'768);
        std::memcpy(reinterpret_cast<std::byte*>(slot) + sizeof(narrow) * place, &narrow,
                    sizeof(narrow));
      }
    }
  }

  void hear(LevelCommand command, std::size_t at, std::uint32_t frames) {
    command.outputs = {0, rig_.outputs};
    command.frames = {command.fresh.last - frames, command.fresh.last};
    command.stage_out = between(random_, 0, 1);
    std::fill(rig_.stage_out.begin(), rig_.stage_out.end(), rig_.kNan);
    cuda::ConvolveParams<Real> params = rig_.convolve_params();
    params.render.signals = 1;
    rig_.launch(command, Kernel::kConvolve, params);
    EXPECT_EQ(rig_.progress.rendered, rig_.taken);
    rig_.copy_answers(command, out, at);
  }

  CudaRig<Real>& rig_;
  Random& random_;
  std::uint32_t block_frames_;
  std::uint32_t blocks_;
};

template <class Real>
std::vector<std::vector<Real>> load_noise(CudaRig<Real>& rig, Random& random) {
  std::vector<std::vector<Real>> taps;
  for (std::uint32_t r = 0; r < rig.shape.partitions.size(); ++r) {
    taps.push_back(narrow_noise<Real>(random, rig.shape.hop - random() % (rig.shape.hop / 2 + 1)));
    rig.load(r, taps.back());
  }
  return taps;
}

template <class Real>
void check_stream(std::uint32_t log2_bins, std::uint64_t seed, bool compact = false) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", compact " << compact);
  Random random(seed);
  const RigShape shape = any_shape<Real>(random, log2_bins, compact);
  CudaRig<Real> rig(shape);
  const auto taps = load_noise(rig, random);
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (compact) rig.make_compact();
  }
  const std::uint32_t exact = std::min((2U << log2_bins) - shape.hop + 1, (2U << log2_bins) - 1);
  const std::uint32_t block = random() % 2 == 0 ? exact : between(random, 1, exact);
  Stream<Real> stream(rig, block, 4, random);
  stream.process();

  RelativeError error;
  const std::size_t frames = stream.in[0].size();
  const std::size_t step = std::max<std::size_t>(1, frames / 97);
  for (std::uint32_t output = 0; output < rig.outputs; ++output) {
    for (std::size_t n = random() % step; n < frames; n += step) {
      const double actual = stream.out[output][n];
      if (std::isnan(actual)) continue;
      double sum = 0;
      for (const RigTerm& term : shape.terms[output]) {
        const auto& h = taps[term.response];
        for (std::size_t k = 0; k < h.size() && k <= n; ++k) {
          sum += static_cast<double>(h[k]) * stream.in[term.input][n - k];
        }
      }
      error.add(actual, sum);
      if (shape.terms[output].empty()) {
        EXPECT_EQ(actual, 0.0);
      }
    }
  }
  EXPECT_LE(error.value(), compact ? kCompactLimit : kLimit<Real>);
  EXPECT_EQ(rig.progress.finished, rig.taken);
}

class CudaConvolveTest : public testing::TestWithParam<std::uint32_t> {};
class CudaConvolveDoubleTest : public CudaConvolveTest {};

TEST_P(CudaConvolveTest, StreamsFollowADirectConvolutionInFloat) {
  for (std::uint64_t seed = 1; seed <= (GetParam() > 9 ? 3U : 12U); ++seed) {
    check_stream<float>(GetParam(), 100 * seed + GetParam());
  }
}
TEST_P(CudaConvolveDoubleTest, StreamsFollowADirectConvolution) {
  for (std::uint64_t seed = 1; seed <= (GetParam() > 9 ? 3U : 12U); ++seed) {
    check_stream<double>(GetParam(), 100 * seed + GetParam());
  }
}
TEST_P(CudaConvolveTest, StreamsFollowADirectConvolutionOfCompactResponses) {
  for (std::uint64_t seed = 1; seed <= (GetParam() > 9 ? 3U : 12U); ++seed) {
    check_stream<float>(GetParam(), 100 * seed + GetParam(), true);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, CudaConvolveTest,
                         testing::Range(cuda::kMinLog2Bins, cuda::kMaxLog2Inner<float> + 1),
                         [](const auto& test) { return std::to_string(1U << test.param); });

INSTANTIATE_TEST_SUITE_P(Sizes, CudaConvolveDoubleTest,
                         testing::Range(cuda::kMinLog2Bins, cuda::kMaxLog2Inner<double> + 1),
                         [](const auto& test) { return std::to_string(1U << test.param); });

/// A whole window through the rig: everything is fresh.
template <class Real>
LevelCommand whole_window(CudaRig<Real>& rig, Random& random) {
  const std::vector<Real> samples = narrow_noise<Real>(random, rig.stage_in.size());
  std::copy(samples.begin(), samples.end(), rig.stage_in.begin());
  LevelCommand command{};
  command.inputs = {0, rig.shape.inputs};
  command.fresh = {0, 2 * rig.bins};
  command.outputs = {0, rig.outputs};
  command.frames = {0, 2 * rig.bins};
  return command;
}

/// Each thread of a transform has a row of twiddles for each of its passes.
template <class Real>
std::uint64_t twiddle_bytes(const cuda::Transform<Real>& transform) {
  const std::uint64_t passes = 1 + cuda::log2_after_first(transform.log2_inner) / 3;
  return passes * (1U << (transform.log2_inner - 3)) * sizeof(cuda::Twiddle<Real>);
}

template <class Real>
void check_traffic(std::uint64_t seed, bool compact) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", compact " << compact);
  Random random(seed);
  CudaRig<Real> rig(any_shape<Real>(random, between(random, 3, 8), compact));
  load_noise(rig, random);
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (compact) rig.make_compact();
  }
  rig.launch(whole_window(rig, random), Kernel::kConvolve, rig.convolve_params());
  const HostTraffic& traffic = rig.traffic(Kernel::kConvolve);
  const cuda::BlockBytes said =
      cuda::convolve_bytes(rig.convolving, rig.bins, sizeof(cuda::Complex<Real>), compact);
  const std::uint64_t transforms = rig.convolving.items.size() + rig.convolving.listeners.size();
  EXPECT_EQ(traffic.loaded_bytes, said.loaded + transforms * twiddle_bytes(rig.transform));
  // Every sample into a ring once, and every answer out.
  const std::uint64_t planes = rig.shape.inputs + rig.outputs;
  EXPECT_EQ(traffic.stored_bytes, planes * 2 * rig.bins * sizeof(Real));
}

TEST(CudaConvolveTrafficTest, IsWhatTheLayoutSays) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    check_traffic<float>(seed, false);
    check_traffic<float>(seed, true);
    check_traffic<double>(seed, false);
  }
}

TEST(CudaListenTest, OnlyListensWhereNoOutputIsAskedFor) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const RigShape shape = any_shape<float>(random, between(random, 3, 8), false);
    CudaRig<float> silent(shape), listening(shape);
    Random same(seed);
    LevelCommand command = whole_window(silent, same);
    listening.stage_in = silent.stage_in;
    command.outputs = {0, 0};
    const auto stage_out = silent.stage_out;
    silent.launch(command, Kernel::kConvolve, silent.convolve_params());
    listening.launch(command, Kernel::kListen, listening.forward_params());
    EXPECT_TRUE(same_bits(silent.rings, listening.rings));
    EXPECT_TRUE(std::equal(silent.rings.begin(), silent.rings.end(), silent.stage_in.begin()));
    EXPECT_TRUE(same_bits(silent.stage_out, stage_out));
    EXPECT_EQ(silent.progress.rendered, 0U);
    EXPECT_EQ(silent.progress.finished, 1U);
  }
}

// ---- What the executors catch

/// The answers of a few items of several outputs each to a window. Of those of one input, one puts
/// fresh samples into the ring that the others read older ones from.
std::vector<float> answers(std::uint32_t log2_bins, const HostRun& run) {
  Random random(4);
  RigShape shape;
  shape.log2_bins = log2_bins;
  shape.inputs = 2;
  shape.hop = 1U << log2_bins;
  shape.partitions = {{0, 1}, {0, 1}};
  shape.terms = {{{0, 0}}, {{0, 1}}, {{1, 1}}, {{0, 0}}, {{1, 0}}, {{0, 1}}};
  shape.listeners = 2;
  shape.run = cuda::kConvolveRun<cuda::Complex<float>>;
  CudaRig<float> rig(shape);
  load_noise(rig, random);
  LevelCommand command = whole_window(rig, random);
  command.fresh.first = rig.bins / 2;
  const std::vector<float> past = narrow_noise<float>(random, rig.rings.size());
  std::copy(past.begin(), past.end(), rig.rings.begin());
  rig.run = run;
  rig.dropped_in = Kernel::kConvolve;
  rig.launch(command, Kernel::kConvolve, rig.convolve_params());
  const std::size_t count = std::size_t{rig.outputs} * 2 * rig.bins;
  return {rig.stage_out.begin(), rig.stage_out.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(CudaConvolveOrderTest, NoOrderOfThreadsChangesABit) {
  for (const std::uint32_t log2_bins : {3U, 5U, 6U, 9U, 12U}) {
    SCOPED_TRACE(testing::Message() << (1U << log2_bins) << " bins");
    const std::vector<float> first = answers(log2_bins, {1});
    for (std::uint64_t seed = 1000; seed <= 3000; seed += 1000) {
      EXPECT_TRUE(same_bits(answers(log2_bins, {seed}), first)) << "seed " << seed;
    }
    EXPECT_TRUE(same_bits(answers(log2_bins, {1, HostRun::Threads::kThreads}), first));
  }
}

TEST(CudaConvolveOrderTest, FibersCatchEveryMissingBarrier) {
  // 512 bins: two barriers of the forward, two of the first output's inverse, one between turns,
  // and two of the second output's inverse.
  const std::vector<float> answer = answers(9, {1});
  for (int barrier = 0; barrier < 7; ++barrier) {
    int caught = 0;
    for (std::uint64_t seed = 1000; seed <= 8000; seed += 1000) {
      const HostRun broken{seed, HostRun::Threads::kFibers, barrier};
      if (!same_bits(answers(9, broken), answer)) ++caught;
    }
    EXPECT_GT(caught, 0) << "barrier " << barrier;
  }
}

TEST(CudaConvolveOrderTest, RenderedIsToldOnceAndAfterAllAnswers) {
  const auto complete_when_told = [](std::uint64_t seed, int dropped_sync) {
    Random random(seed);
    RigShape shape;
    shape.log2_bins = 6;
    shape.inputs = 3;
    shape.hop = 64;
    shape.partitions = {{0, 1}};
    shape.terms.assign(30, {{0, 0}});
    shape.listeners = 1;
    CudaRig<float> rig(shape);
    std::fill(rig.responses.begin(), rig.responses.end(), cuda::Complex<float>{1, 0});
    rig.current.level[0] = whole_window(rig, random);
    cuda::ConvolveParams<float> params = rig.convolve_params();
    params.render.signals = 1;
    const std::span<const float> answers(rig.stage_out.data(),
                                         std::size_t{rig.outputs} * 2 * rig.bins);
    bool complete = false;
    int told = 0;
    run_grid(cuda::launch_shape(Kernel::kConvolve, params),
             [&](HostContext& context) {
               WatchingContext watching(context, answers, complete, told);
               cuda::convolve_body(watching, params);
             },
             {seed, HostRun::Threads::kFibers, dropped_sync});
    EXPECT_EQ(told, 1);
    EXPECT_EQ(rig.done, 0U);
    return complete;
  };
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_TRUE(complete_when_told(seed, -1)) << "seed " << seed;
    // One barrier of the forward, one of the inverse, and the one before the count.
    if (!complete_when_told(seed, 2)) ++caught;
  }
  EXPECT_GT(caught, 0);
}

}  // namespace
}  // namespace firbank::test
