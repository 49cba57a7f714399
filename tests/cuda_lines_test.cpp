// How the CUDA kernels reach the samples that cross the bus: the threads of a warp in whole lines.
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include <gtest/gtest.h>

#include "kernels/cuda/kernels.cuh"
#include "tests/support/cuda_rig.hpp"

namespace firbank::test {
namespace {

using cuda::kNone;
using cuda::LevelCommand;

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

}  // namespace
}  // namespace firbank::test
