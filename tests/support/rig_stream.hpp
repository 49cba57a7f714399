// RigStream: a stream through a CudaRig, as the engine drives a level of partitions; and rigs of
// few outputs, with noise for responses.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/support/cuda_rig.hpp"
#include "tests/support/kernel_samples.hpp"

namespace firbank::test {

/// A stream through a rig, block by block, the blocks in pieces, as the engine does it. Blocks are
/// as long as partitions and the newer half of their window, or longer or shorter and its end.
template <class Real>
class RigStream {
 public:
  RigStream(CudaRig<Real>& rig, std::uint32_t partitions, std::uint32_t block_frames,
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
    cuda::LevelCommand command{};
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
    command.render_from = block_ == 0 ? cuda::kNone : block_ % 2;
    command.render_newest = command.slot;
    command.render_partitions = {0, 1};
    command.frames = command.fresh;
    command.stage_out = static_cast<std::uint32_t>(random_() % rig_.kStageSlots);

    // The sum for the next block, when this one is complete: some partitions in a first launch.
    if (arrived + frames == block_frames_) {
      command.bins = {0, rig_.bins};
      command.to = (block_ + 1) % 2;
      command.from = cuda::kNone;
      command.newest = slot_of(block_ + 1);
      command.ranges = 2;
      const std::uint32_t cut = partitions_ > 1 ? between(random_, 1, partitions_) : 1;
      command.partitions[0] = {cut, partitions_};
      command.partitions[1] = {std::min(1U, partitions_), cut};
    }
    rig_.launch(command);
    rig_.copy_answers(command, out, at);
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
inline RigShape small_shape(Random& random, std::uint32_t log2_bins, std::uint32_t partitions) {
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
    const cuda::Range range = rig.shape.partitions[r];
    const std::size_t count = (range.last - range.first) * rig.shape.hop;
    taps.push_back(noise<Real>(random, count - random() % (rig.shape.hop / 2 + 1)));
    rig.load(r, taps.back());
  }
  return taps;
}

}  // namespace firbank::test
