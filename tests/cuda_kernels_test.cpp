// The CUDA kernels' bodies, run on the host: transforms against their definition, the whole way
// from samples to samples against a direct convolution, products against a plain sum, and orders of
// threads, in which missing barriers show.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numbers>
#include <random>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"

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
using cuda::Range;
using Threads = HostRun::Threads;
using Random = std::mt19937_64;

std::uint32_t between(Random& random, std::uint32_t first, std::uint32_t last) {
  return first + static_cast<std::uint32_t>(random() % (last - first + 1));
}

/// sqrt(sum of squared errors / sum of squares), built up value by value.
class RelativeError {
 public:
  void add(double actual, double oracle) {
    error_ += (actual - oracle) * (actual - oracle);
    power_ += oracle * oracle;
  }
  double value() const { return error_ == 0 ? 0 : std::sqrt(error_ / power_); }

 private:
  double error_ = 0;
  double power_ = 0;
};

// ---- Transforms

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

/// A stream through a rig, block by block, the blocks in pieces, as the engine does it. Blocks are
/// as long as partitions and the newer half of their window, or longer or shorter and its end.
template <class Real>
class Stream {
 public:
  Stream(CudaRig<Real>& rig, std::uint32_t partitions, std::uint32_t block_frames,
         std::uint32_t blocks, Random& random)
      : in(rig.shape.inputs),
        out(rig.outputs),
        rig_(rig),
        random_(random),
        partitions_(partitions),
        block_frames_(block_frames),
        lead_(block_frames == rig.shape.hop && block_frames <= rig.bins
                  ? rig.bins
                  : 2 * rig.bins - block_frames),
        blocks_(blocks) {
    const std::size_t frames = std::size_t{blocks} * block_frames;
    for (auto& channel : in) channel = noise<Real>(random, frames);
    for (auto& channel : out) channel.assign(frames, CudaRig<Real>::kNan);
  }

  void process() {
    for (block_ = 0; block_ < blocks_; ++block_) {
      std::uint32_t arrived = 0;
      while (arrived < block_frames_) {
        const std::uint32_t left = block_frames_ - arrived;
        const std::uint32_t frames = random_() % 2 == 0 ? left : between(random_, 1, left);
        piece(arrived, frames);
        arrived += frames;
      }
    }
  }

  std::vector<std::vector<Real>> in, out;

 private:
  std::uint32_t slot_of(std::uint32_t block) const {
    return (rig_.shape.slots - block % rig_.shape.slots) % rig_.shape.slots;
  }

  void piece(std::uint32_t arrived, std::uint32_t frames) {
    const std::uint32_t bins = rig_.bins;
    const std::size_t at = std::size_t{block_} * block_frames_ + arrived;
    LevelCommand command{};
    command.inputs = {0, rig_.shape.inputs};
    command.slot = slot_of(block_);
    // Stream frame 0 lies in the rings behind the silence before it.
    command.window = (block_ * block_frames_) & (rig_.ring_frames - 1);
    command.fresh = {lead_ + arrived, lead_ + arrived + frames};
    command.stage_in = static_cast<std::uint32_t>(random_() % rig_.kStageSlots);
    std::fill(rig_.stage_in.begin(), rig_.stage_in.end(), rig_.kNan);
    for (std::uint32_t input = 0; input < rig_.shape.inputs; ++input) {
      std::copy_n(in[input].data() + at, frames,
                  rig_.stage_in.data() +
                      std::size_t{command.stage_in} * rig_.shape.inputs * 2 * bins +
                      std::size_t{input} * frames);
    }

    command.outputs = {0, rig_.outputs};
    command.render_from = block_ == 0 ? kNone : block_ % 2;
    command.render_newest = command.slot;
    command.render_partitions = {0, 1};
    command.frames = command.fresh;
    command.stage_out = static_cast<std::uint32_t>(random_() % rig_.kStageSlots);

    // The sum for the next block, when this one is complete: some partitions in a first launch.
    if (arrived + frames == block_frames_) {
      command.bins = {0, rig_.bins};
      command.to = (block_ + 1) % 2;
      command.from = kNone;
      command.newest = slot_of(block_ + 1);
      command.ranges = 2;
      const std::uint32_t cut = partitions_ > 1 ? between(random_, 1, partitions_) : 1;
      command.partitions[0] = {cut, partitions_};
      command.partitions[1] = {std::min(1U, partitions_), cut};
    }
    rig_.launch(command);
    for (std::uint32_t output = 0; output < rig_.outputs; ++output) {
      const Real* answer = rig_.stage_out.data() +
                           std::size_t{command.stage_out} * rig_.outputs * rig_.answer_frames +
                           std::size_t{output} * frames;
      std::copy_n(answer, frames, out[output].data() + at);
    }
  }

  CudaRig<Real>& rig_;
  Random& random_;
  std::uint32_t partitions_;
  std::uint32_t block_frames_;
  std::uint32_t lead_;  // frames of a window before its block
  std::uint32_t blocks_;
  std::uint32_t block_ = 0;
};

/// Some outputs of few terms with responses of few partitions.
RigShape small_shape(Random& random, std::uint32_t log2_bins, std::uint32_t partitions) {
  const bool large = log2_bins > 11;
  RigShape shape;
  shape.log2_bins = log2_bins;
  shape.inputs = large ? 1 : 3;
  shape.hop = random() % 2 == 0 ? 1U << log2_bins
                                : between(random, (1U << log2_bins) / 2 + 1, 1U << log2_bins);
  shape.slots = partitions + between(random, 1, 2);
  shape.ring_windows = random() % 2 == 0 ? 1 : 2;
  const std::uint32_t responses = large ? 2 : 4;
  for (std::uint32_t r = 0; r < responses; ++r) shape.partitions.push_back({0, partitions});
  if (!large) shape.partitions.back().first = partitions - 1;
  const std::uint32_t outputs = large ? 2 : between(random, 3, 12);
  const std::uint32_t most_terms = large ? 1 : 3;
  for (std::uint32_t o = 0; o < outputs; ++o) {
    auto& terms = shape.terms.emplace_back(between(random, 1, most_terms));
    for (RigTerm& term : terms) {
      term.input = between(random, 0, shape.inputs - 1);
      term.response = between(random, 0, responses - 1);
    }
  }
  shape.splits = between(random, 1, 3);
  if (random() % 2 == 0) {
    shape.input_slice = between(random, 1, shape.inputs);
    shape.output_slice = between(random, 1, outputs);
    shape.bin_slice = 1U << between(random, 1, log2_bins);
  }
  const std::uint32_t ways = cuda::render_ways(cuda::transform_shape<float>(log2_bins), most_terms);
  shape.ways = random() % 2 == 0 ? 1 : ways;
  return shape;
}

/// The taps of each response from its first partition on; the last partition is not full.
template <class Real>
std::vector<std::vector<Real>> load_noise(CudaRig<Real>& rig, Random& random) {
  std::vector<std::vector<Real>> taps;
  for (std::uint32_t r = 0; r < rig.shape.partitions.size(); ++r) {
    const Range range = rig.shape.partitions[r];
    const std::size_t count = (range.last - range.first) * rig.shape.hop;
    taps.push_back(noise<Real>(random, count - random() % (rig.shape.hop / 2 + 1)));
    rig.load(r, taps.back());
  }
  return taps;
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
  Stream<Real> stream(rig, partitions, block_frames, blocks, random);
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

/// Narrow samples in every other case.
TEST(CudaForwardTest, TakesFreshFramesFromTheStagingSlotAndTheOthersFromTheRing) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    RigShape shape;
    shape.log2_bins = between(random, 3, 8);
    shape.inputs = between(random, 1, 20);
    shape.slots = 3;
    shape.ring_windows = 1U << random() % 3;
    CudaRig<float> parts(shape), whole(shape);
    const std::uint32_t window_frames = 2 * parts.bins;

    LevelCommand command{};
    command.inputs = {0, shape.inputs};
    command.slot = between(random, 0, 2);
    command.window = between(random, 0, parts.ring_frames - 1);
    command.fresh.first = between(random, 0, window_frames);
    command.fresh.last = between(random, command.fresh.first, window_frames);
    command.silent = random() % 2 * between(random, 0, command.fresh.first);
    command.stage_in = between(random, 0, 1);
    command.narrow = seed % 2;
    LevelCommand all = command;
    all.silent = 0;
    all.narrow = 0;
    all.fresh = {0, window_frames};
    const std::uint32_t fresh = command.fresh.last - command.fresh.first;
    const std::size_t slot = std::size_t{command.stage_in} * shape.inputs * window_frames;

    auto rings_after = parts.rings;
    for (std::uint32_t input = 0; input < shape.inputs; ++input) {
      std::vector<float> samples = noise<float>(random, window_frames);
      if (command.narrow == 1) {
        for (float& sample : samples) sample = std::round(sample * 8'192) / 32'768;
      }
      const std::size_t stage = slot + std::size_t{input} * window_frames;
      for (std::uint32_t f = 0; f < window_frames; ++f) {
        const std::size_t in_ring =
            std::size_t{input} * parts.ring_frames + (command.window + f) % parts.ring_frames;
        parts.rings[in_ring] = f < command.fresh.first ? samples[f] : 7.0f;
        rings_after[in_ring] = f < command.fresh.last ? samples[f] : 7.0f;
        const bool is_heard = f >= command.silent && f < command.fresh.last;
        whole.stage_in[stage + f] = is_heard ? samples[f] : 0.0f;
      }
      for (std::uint32_t n = 0; n < fresh; ++n) {
        const float sample = samples[command.fresh.first + n];
        const std::size_t at = std::size_t{input} * fresh + n;
        if (command.narrow == 0) {
          parts.stage_in[slot + at] = sample;
          continue;
        }
        const auto narrow = static_cast<std::int16_t>(sample * 32'768);
        std::memcpy(reinterpret_cast<std::byte*>(parts.stage_in.data() + slot) + 2 * at, &narrow,
                    sizeof(narrow));
      }
    }
    parts.launch(command);
    whole.launch(all);
    EXPECT_TRUE(same_bits(parts.delay_lines, whole.delay_lines));
    EXPECT_TRUE(same_bits(parts.rings, rings_after));
  }
}

/// Tells which bytes of an area the threads of each warp reach at once: threads of a kernel go the
/// same way, so the nth access of each is one of the warp.
class WarpContext : public HostContext {
 public:
  struct Area {
    const std::byte* first;
    std::size_t bytes;
  };
  /// By thread block, warp and access: the bytes that are reached, by their place in the area.
  using Accesses = std::map<std::tuple<unsigned, unsigned, unsigned>, std::set<std::size_t>>;

  WarpContext(const HostContext& context, Area area, Accesses& accesses)
      : HostContext(context), area_(area), accesses_(accesses) {}

  template <class T>
  T load(const T* from) {
    note(from);
    return HostContext::load(from);
  }
  template <class T>
  void store(T* to, T value) {
    note(to);
    HostContext::store(to, value);
  }

 private:
  template <class T>
  void note(const T* at) {
    const auto offset =
        static_cast<std::size_t>(reinterpret_cast<const std::byte*>(at) - area_.first);
    if (offset >= area_.bytes) return;
    std::set<std::size_t>& bytes = accesses_[{block_x(), thread() / 32, count_++}];
    for (std::size_t k = 0; k < sizeof(T); ++k) bytes.insert(offset + k);
  }

  Area area_;
  Accesses& accesses_;
  unsigned count_ = 0;
};

/// Pieces of a line that accesses are made of, which the bus moves one by one.
std::size_t pieces_on_the_bus(const WarpContext::Accesses& accesses) {
  std::size_t pieces = 0;
  for (const auto& [access, bytes] : accesses) {
    std::size_t last = SIZE_MAX - 1;
    for (const std::size_t byte : bytes) {
      if (byte != last + 1 || byte % cuda::kLineBytes == 0) ++pieces;
      last = byte;
    }
  }
  return pieces;
}

/// Of samples to and from staging slots, hardly more pieces than lines, however short the
/// transforms are.
TEST(CudaLinesTest, SamplesCrossTheBusInWholeLines) {
  for (std::uint32_t log2_bins = 3; log2_bins <= 9; ++log2_bins) {
    for (const bool narrow : {false, true}) {
      SCOPED_TRACE(testing::Message() << (1U << log2_bins) << " bins, narrow " << narrow);
      RigShape shape;
      shape.log2_bins = log2_bins;
      shape.hop = 1U << log2_bins;
      shape.inputs = 300;
      shape.partitions = {{0, 1}};
      for (std::uint32_t input = 0; input < shape.inputs; ++input)
        shape.terms.push_back({{input, 0}});
      CudaRig<float> rig(shape);
      std::fill(rig.stage_in.begin(), rig.stage_in.end(), 0.0f);
      std::fill(rig.responses.begin(), rig.responses.end(), cuda::Complex<float>{1, 0});
      LevelCommand& command = rig.current.level[0];
      command.inputs = command.outputs = {0, 300};
      command.fresh = {rig.bins, 2 * rig.bins};
      command.narrow = narrow ? 1 : 0;
      command.render_from = kNone;
      command.render_partitions = {0, 1};
      command.frames = {rig.bins, 2 * rig.bins};
      const auto pieces = [&](cuda::Kernel kernel, const auto& params, auto body,
                              const auto& slots) {
        WarpContext::Accesses accesses;
        const auto area = std::as_bytes(std::span(slots));
        run_grid(cuda::launch_shape(kernel, params), [&](HostContext& context) {
          WarpContext warp(context, {area.data(), area.size()}, accesses);
          body(warp, params);
        });
        return pieces_on_the_bus(accesses);
      };
      const auto in = rig.forward_params();
      const auto out = rig.render_params();
      const std::size_t samples = std::size_t{300} * rig.bins;
      const std::size_t lines_in = samples * (narrow ? 2 : 4) / cuda::kLineBytes;
      const std::size_t lines_out = samples * 4 / cuda::kLineBytes;
      // Longer transforms have a warp meet a line of each other frame.
      const std::size_t narrow_pieces = narrow && log2_bins > 7 ? 2 : 1;
      EXPECT_LE(pieces(
                    cuda::Kernel::kForward, in,
                    [](auto& ctx, const auto& p) { cuda::forward_body(ctx, p); }, rig.stage_in),
                narrow_pieces * (lines_in + lines_in / 8 + 1));
      EXPECT_LE(pieces(
                    cuda::Kernel::kRender, out,
                    [](auto& ctx, const auto& p) { cuda::render_body(ctx, p); }, rig.stage_out),
                lines_out + lines_out / 8 + 1);
    }
  }
}

/// Some of the inputs and outputs in one launch, the others in the next.
TEST(CudaCommandTest, PartsAreTheWhole) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::uint32_t log2_bins = seed % 5 == 0 ? 13 : between(random, 3, 8);
    RigShape shape = small_shape(random, log2_bins, 2);
    shape.inputs = 3;
    const std::uint64_t taps_seed = random();
    CudaRig<float> parts(shape), whole(shape);
    for (CudaRig<float>* rig : {&parts, &whole}) {
      Random same(taps_seed);
      load_noise(*rig, same);
      const std::vector<float> samples = noise<float>(same, rig->stage_in.size());
      std::copy(samples.begin(), samples.end(), rig->stage_in.begin());
    }
    LevelCommand forward{};
    forward.inputs = {0, shape.inputs};
    forward.fresh = {0, 2 * whole.bins};
    whole.launch(forward);
    const std::uint32_t some_inputs = between(random, 0, shape.inputs);
    for (const Range inputs : {Range{0, some_inputs}, Range{some_inputs, shape.inputs}}) {
      forward.inputs = inputs;
      parts.launch(forward);
    }
    EXPECT_TRUE(same_bits(parts.delay_lines, whole.delay_lines));

    LevelCommand render{};
    render.outputs = {0, whole.outputs};
    render.render_from = kNone;
    render.render_partitions = {0, 2};
    render.frames = {0, 2 * whole.bins};
    whole.launch(render);
    const std::uint32_t some_outputs = between(random, 0, whole.outputs);
    for (const Range outputs : {Range{0, some_outputs}, Range{some_outputs, whole.outputs}}) {
      render.outputs = outputs;
      parts.launch(render);
    }
    EXPECT_TRUE(same_bits(parts.stage_out, whole.stage_out));
  }
}

TEST(CudaRenderTest, AddsTheAnswersOfLaterLevelsThatItIsToldTo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    RigShape shape = small_shape(random, seed % 5 == 0 ? 13 : between(random, 3, 6), 1);
    CudaRig<float> rig(shape);
    load_noise(rig, random);
    LevelCommand command{};
    command.outputs = {0, rig.outputs};
    command.render_from = kNone;
    command.render_partitions = {0, 1};
    command.frames.first = between(random, rig.bins, 2 * rig.bins - 1);
    command.frames.last = between(random, command.frames.first + 1, 2 * rig.bins);
    rig.launch(command);
    const AlignedVector<float> alone = rig.stage_out;

    struct Later {
      LevelCommand command{};
      std::vector<float> answers;
      std::uint32_t log2_bins;
    };
    std::vector<Later> later(between(random, 1, cuda::kMaxLevels - 1));
    for (std::size_t k = 0; k < later.size(); ++k) {
      later[k].log2_bins = shape.log2_bins + between(random, 0, 2);
      later[k].answers = noise<float>(random, (std::size_t{2} * rig.outputs) << later[k].log2_bins);
      later[k].command.add = k == 0 ? 1 : between(random, 0, 1);
      later[k].command.add_place = between(random, 0, 1);
      const std::uint32_t frames = command.frames.last - command.frames.first;
      later[k].command.add_first = between(random, 0, (1U << later[k].log2_bins) - frames);
      rig.later.push_back({&later[k].command, later[k].answers.data(), later[k].log2_bins});
    }
    rig.launch(command);
    for (std::uint32_t output = 0; output < rig.outputs; ++output) {
      for (std::uint32_t n = 0; n < command.frames.last - command.frames.first; ++n) {
        const std::size_t at =
            std::size_t{output} * (command.frames.last - command.frames.first) + n;
        float sum = 0;
        for (const Later& level : later) {
          if (level.command.add == 0) continue;
          const std::size_t plane = std::size_t{level.command.add_place} * rig.outputs + output;
          sum += level.answers[(plane << level.log2_bins) + level.command.add_first + n];
        }
        ASSERT_EQ(rig.stage_out[at], alone[at] + sum) << output << ' ' << n;
      }
    }
  }
}

TEST(CudaCommandTest, WhatIsNotAskedForIsLeftAlone) {
  Random random(5);
  for (const std::uint32_t log2_bins : {6U, 13U}) {
    CudaRig<float> rig(small_shape(random, log2_bins, 2));
    load_noise(rig, random);
    const auto rings = rig.rings;
    const auto delay_lines = rig.delay_lines;
    const auto sums = rig.sums;
    const auto stage_out = rig.stage_out;
    LevelCommand nothing{};
    nothing.fresh = {0, 2 * rig.bins};
    nothing.frames = {rig.bins, 2 * rig.bins};
    nothing.partitions[0] = {0, 2};
    nothing.ranges = 1;
    for (int launch = 0; launch < 7; ++launch) rig.launch(nothing);
    EXPECT_TRUE(same_bits(rig.rings, rings));
    EXPECT_TRUE(same_bits(rig.delay_lines, delay_lines));
    EXPECT_TRUE(same_bits(rig.sums, sums));
    EXPECT_TRUE(same_bits(rig.stage_out, stage_out));
    EXPECT_EQ(rig.progress.rendered, 0U);
    EXPECT_EQ(rig.progress.finished, 7U);
    EXPECT_EQ(rig.current.number, 7U);
  }
}

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

// ---- Products

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

// ---- What the executors catch

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
  Stream<Real> stream(rig, 2, shape.hop, 2, random);
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
  Stream<float> stream(rig, 1, shape.hop, 2, random);
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

/// Looks at the answers at the moment when the host is told of them.
class WatchingContext : public HostContext {
 public:
  WatchingContext(const HostContext& context, const CudaRig<float>& rig, bool& complete, int& told)
      : HostContext(context), rig_(rig), complete_(complete), told_(told) {}

  void store_release(std::uint64_t* to, std::uint64_t value) {
    ++told_;
    const float* first = rig_.stage_out.data();
    complete_ = std::none_of(first, first + std::size_t{rig_.outputs} * rig_.bins,
                             [](float sample) { return std::isnan(sample); });
    HostContext::store_release(to, value);
  }

 private:
  const CudaRig<float>& rig_;
  bool& complete_;
  int& told_;
};

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
    bool complete = false;
    int told = 0;
    run_grid(cuda::launch_shape(cuda::Kernel::kRender, params),
             [&](HostContext& context) {
               WatchingContext watching(context, rig, complete, told);
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
