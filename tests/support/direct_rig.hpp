// DirectRig: the memory of a level of samples and one bank in direct form as the CUDA kernels
// expect it, in plain vectors, and the kernels of a graph run on it by the host executor.
//
// All buffers are open to the test. Those that kernels must not rely on begin as NaN; rings and
// taps as the zeros that device memory begins with.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/aligned_vector.hpp"
#include "kernels/cuda/direct_layout.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/launch_shape.hpp"
#include "tests/support/host_executor.hpp"

namespace firbank::test {

struct DirectRigShape {
  std::uint32_t inputs = 1;
  std::uint32_t piece_frames = 32;
  std::uint32_t ring_frames = 0;  // whole chunks
  std::uint32_t at_once = 1;
  std::uint32_t splits = 1;
  DirectBankShape bank;
};

template <class Real>
class DirectRig {
 public:
  static constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();
  static constexpr std::uint32_t kStageSlots = 2;
  static constexpr std::uint32_t kCommands = 3;

  explicit DirectRig(DirectRigShape shape_in)
      : shape(std::move(shape_in)),
        outputs(static_cast<std::uint32_t>(shape.bank.terms.size())),
        layout(cuda::direct_layout(shape.bank, sizeof(Real))),
        rings(std::size_t{shape.inputs} * shape.ring_frames),
        stage_in(std::size_t{kStageSlots} * shape.inputs * shape.piece_frames, kNan),
        stage_out(std::size_t{kStageSlots} * outputs * shape.piece_frames, kNan),
        taps(layout.bank.spectra * cuda::kChunkBytes / sizeof(Real)),
        shares(std::size_t{shape.splits} * outputs * shape.piece_frames, kNan) {}
  DirectRig(const DirectRig&) = delete;
  DirectRig& operator=(const DirectRig&) = delete;

  void load(std::size_t response, const std::vector<Real>& values) {
    std::copy(values.begin(), values.end(),
              taps.begin() + static_cast<std::ptrdiff_t>(layout.first[response]));
  }

  cuda::DirectCut cut() const {
    const std::uint32_t stretches =
        (shape.piece_frames * sizeof(Real) + cuda::kTileChunks * cuda::kChunkBytes - 1) /
        (cuda::kTileChunks * cuda::kChunkBytes);
    return {stretches, layout.most_outputs == 1 ? std::min(shape.at_once, stretches) : 1,
            shape.splits};
  }

  cuda::SampleParams<Real> sample_params() {
    return {.current = &current.level[0],
            .inputs = shape.inputs,
            .piece_frames = shape.piece_frames,
            .ring_frames = shape.ring_frames,
            .rings = rings.data(),
            .stage_in = stage_in.data()};
  }

  cuda::DirectParams<Real> direct_params() {
    return {.current = &current.level[0],
            .outputs = outputs,
            .tiles = static_cast<std::uint32_t>(layout.bank.tiles.size()),
            .most_outputs = layout.most_outputs,
            .steps = layout.steps,
            .piece_frames = shape.piece_frames,
            .stretches = cut().stretches,
            .at_once = cut().at_once,
            .ring_frames = shape.ring_frames,
            .splits = shape.splits,
            .rings = rings.data(),
            .taps = taps.data(),
            .tile = layout.bank.tiles.data(),
            .tile_outputs = layout.bank.tile_outputs.data(),
            .terms = layout.bank.terms.data(),
            .shares = shares.data(),
            .stage_out = stage_out.data(),
            .done = &done,
            .signals = shape.splits > 1 ? 0U : 1U,
            .number = &current.number,
            .progress = &progress};
  }

  /// Runs a graph: take the samples, sum.
  void launch(const cuda::LevelCommand& command) {
    ++launches_;
    commands[launches_ % kCommands] = {launches_, {command}};
    const cuda::CommandParams control{commands.data(), kCommands, 1, &taken, &current, &progress};
    execute(cuda::Kernel::kBegin, control);
    execute(cuda::Kernel::kTakeSamples, sample_params());
    cuda::DirectParams<Real> direct = direct_params();
    execute(sums(), direct);
    if (shape.splits > 1) {
      direct.signals = 1;
      execute(cuda::Kernel::kDirectReduce, direct);
    }
    execute(cuda::Kernel::kEnd, control);
  }

  /// The kernel that sums.
  cuda::Kernel sums() const {
    return layout.most_outputs == 1 ? cuda::Kernel::kDirectRows : cuda::Kernel::kDirect;
  }

  /// Bytes that sums have loaded since the rig was made.
  std::uint64_t loaded_bytes() const {
    std::uint64_t bytes = 0;
    for (const cuda::Kernel kernel : {sums(), cuda::Kernel::kDirectReduce}) {
      bytes += traffic_[static_cast<std::size_t>(kernel)].loaded_bytes;
    }
    return bytes;
  }

  template <class Params>
  void execute(cuda::Kernel kernel, const Params& params) {
    ++run.seed;
    HostRun this_run = run;
    if (kernel != sums()) this_run.dropped_sync = -1;
    traffic_[static_cast<std::size_t>(kernel)] +=
        execute_kernel(call_of<Real>(kernel, params), this_run);
  }

  const DirectRigShape shape;
  const std::uint32_t outputs;
  const cuda::DirectLayout layout;
  HostRun run;  // its dropped barrier is one of sums()

  AlignedVector<Real> rings, stage_in, stage_out, taps, shares;
  std::array<cuda::Command, kCommands> commands{};
  cuda::Command current{};
  cuda::Progress progress{};
  std::uint64_t taken = 0;
  std::uint32_t done = 0;

 private:
  std::uint64_t launches_ = 0;
  std::array<HostTraffic, cuda::kKernels> traffic_{};
};

}  // namespace firbank::test
