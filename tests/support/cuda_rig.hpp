// CudaRig: the memory of one level and one bank as the CUDA kernels expect it, in plain vectors,
// and the kernels of a graph run on it by the host executor.
//
// All buffers are open to the test. Those that kernels must not rely on begin as NaN.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/aligned_vector.hpp"
#include "kernels/cuda/compact.cuh"
#include "kernels/cuda/convolve_layout.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/launch_shape.hpp"
#include "kernels/cuda/transform_tables.hpp"
#include "tests/support/host_executor.hpp"

namespace firbank::test {

struct RigTerm {
  std::uint32_t input = 0;
  std::uint32_t response = 0;
};

struct RigShape {
  std::uint32_t log2_bins = 3;
  std::uint32_t inputs = 1;
  std::uint32_t slots = 1;
  std::uint32_t hop = 8;                    // taps of a partition
  std::uint32_t ring_windows = 1;           // length of the rings in windows
  std::vector<cuda::Range> partitions;      // of each response
  std::vector<std::vector<RigTerm>> terms;  // of each output
  std::uint32_t most_tile_outputs = cuda::kTileOutputs;
  std::uint32_t splits = 1;
  std::uint32_t ways = 1;
  bool compact = false;         // responses, after make_compact()
  std::uint32_t run = 1;        // bins of them that lie side by side
  std::uint32_t listeners = 0;  // of items of kConvolve; 0: it has none
  // Inputs, outputs and bins that launches have threads for; 0: all.
  std::uint32_t input_slice = 0;
  std::uint32_t output_slice = 0;
  std::uint32_t bin_slice = 0;
};

template <class Real>
class CudaRig {
 public:
  static constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();
  static constexpr std::uint32_t kStageSlots = 2;
  static constexpr std::uint32_t kCommands = 3;
  using Value = cuda::Complex<Real>;

  explicit CudaRig(RigShape shape_in)
      : shape(std::move(shape_in)),
        bins(1U << shape.log2_bins),
        outputs(static_cast<std::uint32_t>(shape.terms.size())),
        ring_frames(2 * bins * shape.ring_windows),
        answer_frames(2 * bins),
        transform(cuda::transform_shape<Real>(shape.log2_bins)),
        twiddles(cuda::transform_twiddles(transform)),
        rings(shape.inputs * ring_frames),
        stage_in(std::size_t{kStageSlots} * shape.inputs * 2 * bins, kNan),
        stage_out(std::size_t{kStageSlots} * outputs * answer_frames, kNan),
        delay_lines(std::size_t{shape.inputs} * shape.slots * bins, Value{}),
        sums(std::size_t{3} * outputs * bins, Value{kNan, kNan}),
        shares(std::size_t{shape.splits} * outputs * bins, Value{kNan, kNan}),
        forward_work(std::size_t{shape.inputs} * bins, Value{kNan, kNan}),
        render_work(std::size_t{outputs} * bins, Value{kNan, kNan}) {
    transform.twiddles = twiddles.data();
    for (const cuda::Range& range : shape.partitions) {
      first_spectrum.push_back(spectra_);
      spectra_ += range.last - range.first;
    }
    responses.assign(spectra_ * bins, Value{kNan, kNan});
    make_tiles();
    if (shape.listeners > 0) make_items();
  }
  CudaRig(const CudaRig&) = delete;
  CudaRig& operator=(const CudaRig&) = delete;

  /// Transforms the taps of a response, from its first partition on.
  void load(std::uint32_t response, const std::vector<Real>& taps) {
    const cuda::Range range = shape.partitions[response];
    cuda::LoadParams<Real> params{};
    params.transform = transform;
    params.count = range.last - range.first;
    params.hop = shape.hop;
    params.taps_count = taps.size();
    params.taps = taps.data();
    params.spectra = responses.data() + first_spectrum[response] * bins;
    params.scale = Real{1} / static_cast<Real>(bins);
    params.log2_run = static_cast<std::uint32_t>(std::countr_zero(shape.run));
    for (params.outer_pass = 0; params.outer_pass < transform.outer; ++params.outer_pass) {
      execute(cuda::Kernel::kLoadOuter, params);
    }
    execute(cuda::Kernel::kLoad, params);
  }

  /// Compact responses; the full ones become what those stand for.
  void make_compact() {
    multiples.resize(responses.size());
    scales.resize(responses.size() / cuda::kGroupBins);
    execute(cuda::Kernel::kCompact, cuda::CompactParams{.groups = scales.size(),
                                                        .spectra = responses.data(),
                                                        .multiples = multiples.data(),
                                                        .scales = scales.data()});
    for (std::size_t k = 0; k < responses.size(); ++k) {
      const float scale = cuda::scale_value(scales[k / cuda::kGroupBins]);
      responses[k] = cuda::value_of(multiples[k], scale);
    }
  }

  cuda::ForwardParams<Real> forward_params() {
    cuda::ForwardParams<Real> params{};
    params.transform = transform;
    params.current = &current.level[0];
    params.inputs = shape.inputs;
    params.slice = shape.input_slice == 0 ? shape.inputs : shape.input_slice;
    params.ring_frames = ring_frames;
    params.rings = rings.data();
    params.stage_in = stage_in.data();
    params.slots = shape.slots;
    params.delay_lines = delay_lines.data();
    params.work = forward_work.data();
    return params;
  }

  cuda::Bank<Real> bank() {
    cuda::Bank<Real> bank{};
    bank.bins = bins;
    bank.slots = shape.slots;
    bank.outputs = outputs;
    bank.tiles = static_cast<std::uint32_t>(tiles.size());
    bank.delay_lines = delay_lines.data();
    bank.responses = shape.compact ? nullptr : responses.data();
    bank.multiples = shape.compact ? multiples.data() : nullptr;
    bank.scales = scales.data();
    bank.sums = sums.data();
    bank.tile = tiles.data();
    bank.tile_outputs = tile_outputs.data();
    bank.terms = terms.data();
    bank.output_tile = output_tile.data();
    bank.output_position = output_position.data();
    return bank;
  }

  cuda::RenderParams<Real> render_params() {
    cuda::RenderParams<Real> params{};
    params.transform = transform;
    params.current = &current.level[0];
    params.bank = bank();
    params.slice = shape.output_slice == 0 ? outputs : shape.output_slice;
    params.number = &current.number;
    params.stage_out = stage_out.data();
    params.answer_frames = answer_frames;
    params.work = render_work.data();
    params.done = &done;
    params.progress = &progress;
    params.ways = shape.ways;
    params.signals = transform.outer == 0 ? 1 : 0;
    params.later_levels = static_cast<std::uint32_t>(later.size());
    std::copy(later.begin(), later.end(), params.later);
    return params;
  }

  /// Runs a graph: forward, render, accumulate.
  void launch(const cuda::LevelCommand& command) {
    ++launches_;
    commands[launches_ % kCommands] = {launches_, {command}};
    const cuda::CommandParams control{commands.data(), kCommands, 1, &taken, &current, &progress};
    execute(cuda::Kernel::kBegin, control);

    cuda::ForwardParams<Real> forward = forward_params();
    for (; forward.outer_pass < transform.outer; ++forward.outer_pass) {
      execute(cuda::Kernel::kForwardOuter, forward);
    }
    execute(cuda::Kernel::kForward, forward);

    cuda::RenderParams<Real> render = render_params();
    execute(cuda::Kernel::kRender, render);
    for (render.outer_pass = transform.outer; render.outer_pass-- > 0;) {
      render.signals = render.outer_pass == 0 ? 1 : 0;
      execute(cuda::Kernel::kInverseOuter, render);
    }

    cuda::AccumulateParams<Real> accumulate{};
    accumulate.current = &current.level[0];
    accumulate.bank = bank();
    accumulate.slice = shape.bin_slice == 0 ? bins : shape.bin_slice;
    accumulate.splits = shape.splits;
    accumulate.shares = shares.data();
    execute(cuda::Kernel::kAccumulate, accumulate);
    if (shape.splits > 1) execute(cuda::Kernel::kReduce, accumulate);
    execute(cuda::Kernel::kEnd, control);
  }

  /// What a command has rendered, to frame `at` of each output's plane and on.
  void copy_answers(const cuda::LevelCommand& command, std::vector<std::vector<Real>>& planes,
                    std::size_t at) const {
    const std::size_t frames = command.frames.last - command.frames.first;
    const Real* answer =
        stage_out.data() + std::size_t{command.stage_out} * outputs * answer_frames;
    for (std::vector<Real>& plane : planes) {
      std::copy_n(answer, frames, plane.data() + at);
      answer += frames;
    }
  }

  cuda::ConvolveParams<Real> convolve_params() {
    cuda::ConvolveParams<Real> params{};
    params.forward = forward_params();
    params.render = render_params();
    params.items = static_cast<std::uint32_t>(convolving.items.size());
    params.item = convolving.items.data();
    params.listener = convolving.listeners.data();
    return params;
  }

  /// Runs a graph of one kernel.
  template <class Params>
  void launch(const cuda::LevelCommand& command, cuda::Kernel kernel, const Params& params) {
    ++launches_;
    commands[launches_ % kCommands] = {launches_, {command}};
    const cuda::CommandParams control{commands.data(), kCommands, 1, &taken, &current, &progress};
    execute(cuda::Kernel::kBegin, control);
    execute(kernel, params);
    execute(cuda::Kernel::kEnd, control);
  }

  /// What a kernel has moved since the rig was made.
  const HostTraffic& traffic(cuda::Kernel kernel) const {
    return traffic_[static_cast<std::size_t>(kernel)];
  }

  template <class Params>
  void execute(cuda::Kernel kernel, const Params& params) {
    ++run.seed;
    HostRun this_run = run;
    if (kernel != dropped_in) this_run.dropped_sync = -1;
    traffic_[static_cast<std::size_t>(kernel)] +=
        execute_kernel(call_of<Real>(kernel, params), this_run);
  }

  const RigShape shape;
  const std::uint32_t bins;
  const std::uint32_t outputs;
  const std::uint32_t ring_frames;
  const std::uint32_t answer_frames;  // of an output in a slot
  cuda::Transform<Real> transform;
  HostRun run;
  cuda::Kernel dropped_in = cuda::Kernel::kRender;  // whose barrier run.dropped_sync is

  std::vector<Value> twiddles;
  AlignedVector<Real> rings, stage_in, stage_out;
  AlignedVector<Value> delay_lines, responses, sums, shares, forward_work, render_work;
  AlignedVector<cuda::Multiple> multiples;
  AlignedVector<cuda::Scale> scales;
  std::vector<std::uint64_t> first_spectrum;  // of each response
  std::vector<cuda::Tile> tiles;
  std::vector<std::uint32_t> tile_outputs, output_tile, output_position;
  std::vector<cuda::Term> terms;
  cuda::ConvolveLayout convolving;
  std::vector<cuda::LaterAnswers<Real>> later;  // what a render adds
  std::array<cuda::Command, kCommands> commands{};
  cuda::Command current{};
  cuda::Progress progress{};
  std::uint64_t taken = 0;
  std::uint32_t done = 0;

 private:
  bool same_inputs(std::size_t a, std::size_t b) const {
    const auto& of_a = shape.terms[a];
    const auto& of_b = shape.terms[b];
    return std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                      [](const RigTerm& x, const RigTerm& y) { return x.input == y.input; });
  }

  void make_tiles() {
    output_tile.assign(outputs, cuda::kNone);
    output_position.assign(outputs, 0);
    for (std::uint32_t output = 0; output < outputs; ++output) {
      if (output_tile[output] != cuda::kNone) continue;
      std::vector<std::uint32_t> members;
      for (std::uint32_t o = output; o < outputs; ++o) {
        if (members.size() == shape.most_tile_outputs) break;
        if (output_tile[o] == cuda::kNone && same_inputs(output, o)) members.push_back(o);
      }
      add_tile(members);
    }
  }

  void make_items() {
    SpectralBankShape bank;
    for (const cuda::Range& range : shape.partitions) bank.partitions.push_back({0, range.last});
    for (const auto& list : shape.terms) {
      std::vector<ResponseTerm>& of_output = bank.terms.emplace_back();
      for (const RigTerm& term : list) of_output.push_back({term.input, term.response});
    }
    convolving =
        cuda::convolve_layout(bank, cuda::response_layout(bank), shape.inputs, shape.listeners);
  }

  void add_tile(const std::vector<std::uint32_t>& members) {
    cuda::Tile tile{};
    tile.first_output = static_cast<std::uint32_t>(tile_outputs.size());
    tile.outputs = static_cast<std::uint32_t>(members.size());
    tile.first_term = static_cast<std::uint32_t>(terms.size());
    tile.terms = static_cast<std::uint32_t>(shape.terms[members[0]].size());
    for (std::uint32_t k = 0; k < tile.outputs; ++k) {
      output_tile[members[k]] = static_cast<std::uint32_t>(tiles.size());
      output_position[members[k]] = k;
      tile_outputs.push_back(members[k]);
    }
    for (std::uint32_t t = 0; t < tile.terms; ++t) {
      for (const std::uint32_t output : members) {
        const RigTerm& term = shape.terms[output][t];
        const cuda::Range& range = shape.partitions[term.response];
        terms.push_back({term.input, range.first, range.last, first_spectrum[term.response]});
      }
    }
    tiles.push_back(tile);
  }

  std::size_t spectra_ = 0;
  std::uint64_t launches_ = 0;
  std::array<HostTraffic, cuda::kKernels> traffic_{};
};

}  // namespace firbank::test
