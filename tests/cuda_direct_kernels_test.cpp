// The CUDA kernels of the direct form, run on the host: streams against the formula, what they read
// against their layout, and orders of threads, in which missing barriers show.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/direct_rig.hpp"
#include "tests/support/kernel_samples.hpp"
#include "tests/support/watching_context.hpp"

namespace firbank::test {
namespace {

using cuda::Kernel;
using cuda::LevelCommand;
using Threads = HostRun::Threads;

/// Frames that the longest response looks back.
std::uint32_t reach_of(const DirectBankShape& bank) {
  std::size_t reach = 0;
  for (const auto& response : bank.responses) {
    reach = std::max(reach, response.delay + response.taps - 1);
  }
  return static_cast<std::uint32_t>(reach);
}

/// Rings that are as short as can be.
template <class Real>
void fit_rings(DirectRigShape& shape) {
  constexpr std::uint32_t kChunk = cuda::kChunkBytes / sizeof(Real);
  const std::uint32_t frames = reach_of(shape.bank) + shape.piece_frames;
  shape.ring_frames = ((frames + kChunk - 1) / kChunk + cuda::kTapChunks) * kChunk;
}

template <class Real>
DirectRigShape random_shape(Random& random) {
  DirectRigShape shape;
  shape.inputs = between(random, 1, 4);
  shape.piece_frames = between(random, 1, random() % 3 == 0 ? 150 : 40);
  const std::uint32_t most_taps = random() % 3 == 0 ? 1'000 : 40;
  for (std::uint32_t r = between(random, 1, 5); r > 0; --r) {
    shape.bank.responses.push_back(
        {random() % 2 == 0 ? 0 : between(random, 0, 50), between(random, 1, most_taps)});
  }
  shape.at_once = between(random, 1, cuda::kMostStretches);
  // Outputs that meet the same inputs lie among others that do not.
  std::vector<std::vector<std::uint32_t>> inputs(between(random, 1, 3));
  for (auto& list : inputs) {
    list.resize(between(random, 0, 4));
    for (std::uint32_t& input : list) input = between(random, 0, shape.inputs - 1);
  }
  const bool rows = random() % 2 == 0;
  for (std::uint32_t output = between(random, 1, rows ? shape.inputs : 12); output > 0; --output) {
    auto& terms = shape.bank.terms.emplace_back();
    if (rows) inputs = {{output - 1}};
    for (const std::uint32_t input : inputs[random() % inputs.size()]) {
      terms.push_back({input, random() % shape.bank.responses.size()});
    }
  }
  shape.splits = between(random, 1, 4);
  fit_rings<Real>(shape);
  return shape;
}

/// A stream through a rig, piece by piece, and what it should give.
template <class Real>
class DirectStream {
 public:
  DirectStream(DirectRig<Real>& rig, Random& random)
      : rig_(rig), random_(random), reach_(reach_of(rig.shape.bank)), in_(rig.shape.inputs) {
    for (const auto& response : rig.shape.bank.responses) {
      taps_.push_back(noise<Real>(random, response.taps));
      rig.load(taps_.size() - 1, taps_.back());
    }
    position_ = between(random, 0, rig.shape.ring_frames - 1);
    // What rings hold from other streams is loud.
    for (Real& sample : rig.rings) sample = Real{1e6};
  }

  void take_piece(std::uint32_t frames) {
    const bool narrow = random_() % 2 == 0;
    LevelCommand command{};
    command.inputs = {0, rig_.shape.inputs};
    command.window = position_;
    command.silent = in_[0].empty() ? reach_ : 0;
    command.fresh = {0, frames};
    command.stage_in = between(random_, 0, 1);
    command.narrow = narrow ? 1 : 0;
    std::fill(rig_.stage_in.begin(), rig_.stage_in.end(), rig_.kNan);
    Real* const staged = rig_.stage_in.data() + std::size_t{command.stage_in} * rig_.shape.inputs *
                                                    rig_.shape.piece_frames;
    for (std::uint32_t input = 0; input < rig_.shape.inputs; ++input) {
      std::vector<Real> samples = noise<Real>(random_, frames);
      for (std::uint32_t n = 0; n < frames; ++n) {
        const std::size_t at = std::size_t{input} * frames + n;
        if (narrow) {
          samples[n] = std::round(samples[n] * 8'192) / 32'768;
          const auto value = static_cast<std::int16_t>(samples[n] * 32'768);
          std::memcpy(reinterpret_cast<std::byte*>(staged) + 2 * at, &value, sizeof(value));
        } else {
          staged[at] = samples[n];
        }
      }
      in_[input].insert(in_[input].end(), samples.begin(), samples.end());
    }
    command.outputs = {0, rig_.outputs};
    command.frames = {0, frames};
    command.stage_out = between(random_, 0, 1);
    std::fill(rig_.stage_out.begin(), rig_.stage_out.end(), rig_.kNan);
    is_aligned_ = position_ % (cuda::kChunkBytes / sizeof(Real)) == 0;
    rig_.launch(command);
    position_ = (position_ + frames) % rig_.shape.ring_frames;
    compare(frames, std::size_t{command.stage_out} * rig_.outputs * rig_.shape.piece_frames);
  }

  bool was_aligned() const { return is_aligned_; }
  double error() const { return error_ == 0 ? 0 : std::sqrt(error_ / power_); }
  /// All answers, one after another.
  std::vector<Real> answers;

 private:
  void compare(std::uint32_t frames, std::size_t slot) {
    for (std::uint32_t output = 0; output < rig_.outputs; ++output) {
      for (std::uint32_t n = 0; n < frames; ++n) {
        const Real answer = rig_.stage_out[slot + std::size_t{output} * frames + n];
        const double wanted = plain_sum(output, in_[0].size() - frames + n);
        ASSERT_LT(std::abs(answer - wanted), 1e-2) << "output " << output << ", frame " << n;
        error_ += (answer - wanted) * (answer - wanted);
        power_ += wanted * wanted;
        answers.push_back(answer);
      }
    }
    // Nothing behind them is written.
    const std::size_t count = std::size_t{rig_.outputs} * frames;
    const auto is_number = [](Real value) { return !std::isnan(value); };
    EXPECT_EQ(std::count_if(rig_.stage_out.begin(), rig_.stage_out.end(), is_number),
              static_cast<std::ptrdiff_t>(count));
  }

  double plain_sum(std::uint32_t output, std::size_t frame) const {
    double sum = 0;
    for (const ResponseTerm& term : rig_.shape.bank.terms[output]) {
      const std::vector<Real>& taps = taps_[term.response];
      const std::size_t delay = rig_.shape.bank.responses[term.response].delay;
      for (std::size_t k = 0; k < taps.size() && k + delay <= frame; ++k) {
        sum += static_cast<double>(taps[k]) * in_[term.input][frame - delay - k];
      }
    }
    return sum;
  }

  DirectRig<Real>& rig_;
  Random& random_;
  std::uint32_t reach_;
  std::uint32_t position_ = 0;  // in the rings
  bool is_aligned_ = false;
  std::vector<std::vector<Real>> taps_;  // of each response
  std::vector<std::vector<Real>> in_;    // of each input: all that came
  double error_ = 0;
  double power_ = 0;
};

template <class Real>
void check_stream(std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Random random(seed);
  DirectRig<Real> rig(random_shape<Real>(random));
  DirectStream<Real> stream(rig, random);
  const std::uint32_t longest = reach_of(rig.shape.bank) + 4 * rig.shape.piece_frames;
  for (std::uint32_t done = 0; done < longest;) {
    const std::uint32_t frames =
        random() % 2 == 0 ? rig.shape.piece_frames : between(random, 1, rig.shape.piece_frames);
    const std::uint64_t loaded = rig.loaded_bytes();
    stream.take_piece(frames);
    if (testing::Test::HasFailure()) return;
    if (stream.was_aligned()) {
      EXPECT_EQ(rig.loaded_bytes() - loaded,
                cuda::direct_bytes(rig.layout, rig.cut(), frames, sizeof(Real)).loaded);
    }
    done += frames;
  }
  EXPECT_LE(stream.error(), kLimit<Real> / 3);
  EXPECT_EQ(rig.progress.rendered, rig.progress.finished);
  EXPECT_EQ(rig.progress.finished, rig.taken);
  EXPECT_EQ(rig.done, 0U);
}

TEST(CudaDirectTest, FollowsThePlainSumInFloatAndReadsNoMoreThanItMust) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) check_stream<float>(seed);
}
TEST(CudaDirectTest, FollowsThePlainSumInDoubleAndReadsNoMoreThanItMust) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) check_stream<double>(seed);
}

/// 8,192 products: one running sum of them is off by 2e-6.
TEST(CudaDirectTest, LongSumsStayExact) {
  for (const std::uint32_t outputs : {1U, 3U}) {
    SCOPED_TRACE(testing::Message() << "seed 9, outputs " << outputs);
    Random random(9);
    DirectRigShape shape;
    shape.bank.responses.assign(8, {0, 1'024});
    shape.bank.terms.resize(outputs);
    for (auto& terms : shape.bank.terms) {
      for (std::size_t r = 0; r < 8; ++r) terms.push_back({0, r});
    }
    fit_rings<float>(shape);
    DirectRig<float> rig(shape);
    DirectStream<float> stream(rig, random);
    for (int piece = 0; piece < 40; ++piece) stream.take_piece(32);
    EXPECT_LT(stream.error(), 5e-7);
  }
}

TEST(CudaDirectTest, WhatIsNotAskedForIsLeftAlone) {
  SCOPED_TRACE("seed 5");
  Random random(5);
  for (const std::uint32_t splits : {1U, 2U}) {
    DirectRigShape shape = random_shape<float>(random);
    shape.splits = splits;
    DirectRig<float> rig(shape);
    const auto rings = rig.rings;
    const auto stage_out = rig.stage_out;
    LevelCommand nothing{};
    nothing.fresh = {0, shape.piece_frames};
    nothing.frames = {0, shape.piece_frames};
    for (int launch = 0; launch < 7; ++launch) rig.launch(nothing);
    EXPECT_TRUE(same_bits(rig.rings, rings));
    EXPECT_TRUE(same_bits(rig.stage_out, stage_out));
    EXPECT_EQ(rig.progress.rendered, 0U);
    EXPECT_EQ(rig.progress.finished, 7U);
  }
}

TEST(CudaDirectTest, FitsTheDevice) {
  DirectRigShape shape;
  shape.bank.responses = {{0, 1'024}};
  shape.bank.terms.assign(100, {{0, 0}});
  fit_rings<float>(shape);
  DirectRig<float> rig(shape);
  const cuda::LaunchShape launch = cuda::launch_shape(Kernel::kDirect, rig.direct_params());
  EXPECT_EQ(launch.threads, cuda::kTapLanes * cuda::kFrameLanes);
  EXPECT_LE(launch.shared_bytes, 16U * 1024);
}

/// Eight neighbouring threads move 16 bytes each at once, when they are in different banks.
TEST(CudaDirectTest, SharedMemoryHasNoBankConflicts) {
  for (std::uint32_t first = 0; first < cuda::kTapLanes * cuda::kFrameLanes; first += 8) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t thread = first; thread < first + 8; ++thread) {
      const std::uint32_t tap_lane = thread / cuda::kFrameLanes;
      const std::uint32_t frame_lane = thread % cuda::kFrameLanes;
      places.push_back((cuda::kStepChunks + frame_lane * cuda::kFrameChunks -
                        (tap_lane + 1) * cuda::kTapChunks) %
                       8);
    }
    std::sort(places.begin(), places.end());
    EXPECT_EQ(std::unique(places.begin(), places.end()), places.end()) << first;
  }
}

// ---- What the executors catch

/// The same stream under another order of threads: rows, or one tile of two outputs, of two steps.
std::vector<float> stream_answers(std::uint32_t outputs, std::uint32_t splits, const HostRun& run) {
  Random random(3);
  DirectRigShape shape;
  shape.bank.responses.assign(outputs, {0, 700});
  for (std::size_t r = 0; r < outputs; ++r) shape.bank.terms.push_back({{0, r}});
  shape.splits = splits;
  fit_rings<float>(shape);
  DirectRig<float> rig(shape);
  rig.run = run;
  DirectStream<float> stream(rig, random);
  for (const std::uint32_t frames : {32U, 32U, 31U}) stream.take_piece(frames);
  return std::move(stream.answers);
}

TEST(CudaDirectOrderTest, NoOrderOfThreadsChangesABit) {
  for (const std::uint32_t outputs : {1U, 2U, 9U}) {
    for (const std::uint32_t splits : {1U, 2U}) {
      SCOPED_TRACE(testing::Message() << outputs << " outputs, " << splits << " shares");
      const std::vector<float> first = stream_answers(outputs, splits, {1});
      for (std::uint64_t seed = 1000; seed <= 3000; seed += 1000) {
        EXPECT_TRUE(same_bits(stream_answers(outputs, splits, {seed}), first)) << "seed " << seed;
      }
      EXPECT_TRUE(same_bits(stream_answers(outputs, splits, {1, Threads::kThreads}), first));
    }
  }
}

/// Answers of one piece without a barrier, compared with nothing.
std::vector<float> broken_answers(std::uint32_t outputs, std::uint32_t stretches,
                                  const HostRun& run) {
  Random random(3);
  DirectRigShape shape;
  shape.bank.responses.assign(outputs, {0, 700});
  for (std::size_t r = 0; r < outputs; ++r) shape.bank.terms.push_back({{0, r}});
  shape.piece_frames = 32 * stretches;
  shape.at_once = stretches;
  fit_rings<float>(shape);
  DirectRig<float> rig(shape);
  rig.run = run;
  for (std::size_t r = 0; r < outputs; ++r) rig.load(r, noise<float>(random, 700));
  const std::vector<float> past = noise<float>(random, rig.rings.size());
  std::copy(past.begin(), past.end(), rig.rings.begin());
  LevelCommand command{};
  command.outputs = {0, outputs};
  command.frames = {0, shape.piece_frames};
  rig.launch(command);
  return {rig.stage_out.begin(),
          rig.stage_out.begin() + std::ptrdiff_t{shape.piece_frames} * outputs};
}

TEST(CudaDirectOrderTest, FibersCatchEveryMissingBarrier) {
  // Two steps: behind the bringing of each, and between them; then two for the lanes of each output
  // or stretch.
  const auto expect_caught = [](std::uint32_t outputs, std::uint32_t stretches) {
    const std::vector<float> answers = broken_answers(outputs, stretches, {1});
    for (int barrier = 0; barrier < 3 + 2 * static_cast<int>(outputs * stretches); ++barrier) {
      int caught = 0;
      for (std::uint64_t seed = 1000; seed <= 8000; seed += 1000) {
        const HostRun broken{seed, Threads::kFibers, barrier};
        if (!same_bits(broken_answers(outputs, stretches, broken), answers)) ++caught;
      }
      EXPECT_GT(caught, 0) << "barrier " << barrier << " of " << outputs << " outputs, "
                           << stretches << " stretches";
    }
  };
  expect_caught(1, 1);
  expect_caught(2, 1);
  expect_caught(1, 2);
}

TEST(CudaDirectOrderTest, RenderedIsToldOnceAndAfterAllAnswers) {
  const auto complete_when_told = [](Kernel kernel, std::uint64_t seed, int dropped_sync) {
    DirectRigShape shape;
    shape.piece_frames = 70;  // three stretches
    shape.inputs = 30;
    shape.bank.responses = {{0, 20}};
    for (std::uint32_t input = 0; input < shape.inputs; ++input) {
      shape.bank.terms.push_back({{input, 0}});
    }
    shape.splits = kernel == Kernel::kDirectRows ? 1 : 2;
    fit_rings<float>(shape);
    DirectRig<float> rig(shape);
    std::fill(rig.shares.begin(), rig.shares.end(), 1.0F);
    LevelCommand& command = rig.current.level[0];
    command.outputs = {0, rig.outputs};
    command.frames = {0, shape.piece_frames};
    cuda::DirectParams<float> params = rig.direct_params();
    params.signals = 1;
    const std::span<const float> answers(rig.stage_out.data(),
                                         std::size_t{rig.outputs} * rig.shape.piece_frames);
    bool complete = false;
    int told = 0;
    run_grid(cuda::launch_shape(kernel, params),
             [&](HostContext& context) {
               WatchingContext watching(context, answers, complete, told);
               if (kernel == Kernel::kDirectRows) {
                 cuda::direct_rows_body(watching, params);
               } else {
                 cuda::direct_reduce_body(watching, params);
               }
             },
             {seed, Threads::kFibers, dropped_sync});
    EXPECT_EQ(told, 1);
    EXPECT_EQ(rig.done, 0U);
    return complete;
  };
  for (const Kernel kernel : {Kernel::kDirectRows, Kernel::kDirectReduce}) {
    // The one before the count: behind that of the step and two of the lanes, or the only one.
    const int barrier = kernel == Kernel::kDirectRows ? 3 : 0;
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      EXPECT_TRUE(complete_when_told(kernel, seed, -1)) << "seed " << seed;
      if (!complete_when_told(kernel, seed, barrier)) ++caught;
    }
    EXPECT_GT(caught, 0) << static_cast<int>(kernel);
  }
}

}  // namespace
}  // namespace firbank::test
