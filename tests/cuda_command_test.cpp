// What a command asks of the CUDA kernels, run on the host: the samples that it says, all or in
// parts, the answers that it adds, and nothing else.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"
#include "tests/support/rig_stream.hpp"

namespace firbank::test {
namespace {

using cuda::kNone;
using cuda::LevelCommand;
using cuda::Range;

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
    const std::vector<float> samples = noise<float>(random, rig.stage_in.size());
    std::copy(samples.begin(), samples.end(), rig.stage_in.begin());
    LevelCommand command{};
    command.inputs = {0, shape.inputs};
    command.fresh = {0, 2 * rig.bins};
    command.outputs = {0, rig.outputs};
    command.render_from = kNone;
    command.render_partitions = {0, 1};
    command.frames.first = between(random, rig.bins, 2 * rig.bins - 1);
    command.frames.last = between(random, command.frames.first + 1, 2 * rig.bins);
    rig.launch(command);
    const AlignedVector<float> alone = rig.stage_out;
    ASSERT_NE(alone[0], 0.0F) << "there should be answers to add to";

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
        float sum = alone[at];
        for (const Later& level : later) {
          if (level.command.add == 0) continue;
          const std::size_t plane = std::size_t{level.command.add_place} * rig.outputs + output;
          sum += level.answers[(plane << level.log2_bins) + level.command.add_first + n];
        }
        ASSERT_EQ(rig.stage_out[at], sum) << output << ' ' << n;
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

}  // namespace
}  // namespace firbank::test
