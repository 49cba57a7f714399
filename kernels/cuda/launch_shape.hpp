// How each kernel is launched, from its parameters, and how much memory its sums have to read. Host
// only, and reads no device memory.
//
// Thread: any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

/// As firbank_kernel_call has them.
struct LaunchShape {
  std::uint32_t grid[3];
  std::uint32_t threads;
  std::uint32_t shared_bytes;
};

inline constexpr std::uint32_t kStreamingThreads = 128;  // of kernels without shared transforms
inline constexpr std::uint32_t kRenderThreads = 256;     // that share sums, when they are needed

/// Thread blocks of `threads` for `items` threads; both fit, or device memory would not (see
/// accumulate_body()).
constexpr LaunchShape shape_for(std::uint64_t items, std::uint32_t threads,
                                std::uint32_t shared_bytes = 0) {
  const std::uint64_t blocks = std::max<std::uint64_t>(1, (items + threads - 1) / threads);
  return {{static_cast<std::uint32_t>(blocks), 1, 1}, threads, shared_bytes};
}

/// One thread for each butterfly of radix 8.
template <class Real>
constexpr LaunchShape outer_shape(const Transform<Real>& transform, std::uint32_t transforms) {
  return shape_for(std::uint64_t{transforms} << (transform.log2_bins - 3), kStreamingThreads);
}

/// `ways` groups of threads for each batch of inner transforms.
template <class Real>
constexpr LaunchShape inner_shape(const Transform<Real>& transform, std::uint32_t transforms,
                                  std::uint32_t ways = 1) {
  const std::uint64_t inner = std::uint64_t{transforms} << (3 * transform.outer);
  LaunchShape shape = shape_for(inner, transform.batch);
  shape.threads = (transform.batch << (transform.log2_inner - 3)) * ways;
  const std::uint32_t values = transform.batch << transform.log2_inner;
  shape.shared_bytes = values * std::max(1U, ways / 2) * sizeof(Complex<Real>);
  return shape;
}

constexpr LaunchShape launch_shape(Kernel kernel, const CommandParams& /*params*/) {
  const std::uint32_t threads = kernel == Kernel::kBegin ? kStreamingThreads : 1;
  return shape_for(threads, threads);
}

constexpr LaunchShape launch_shape(Kernel /*kernel*/, const DeliverParams& /*params*/) {
  return shape_for(1, 1);
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel kernel, const ForwardParams<Real>& params) {
  // Samples that are listened to are up to 16 for each butterfly.
  return kernel == Kernel::kForward ? inner_shape(params.transform, params.slice)
                                    : outer_shape(params.transform, params.slice);
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel kernel, const RenderParams<Real>& params) {
  return kernel == Kernel::kInverseOuter ? outer_shape(params.transform, params.slice)
                                         : inner_shape(params.transform, params.slice, params.ways);
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel kernel, const AccumulateParams<Real>& params) {
  const std::uint64_t chunks = params.slice * sizeof(Complex<Real>) / 16;
  if (kernel == Kernel::kReduce) {
    return shape_for(params.bank.outputs * chunks, kStreamingThreads);
  }
  LaunchShape shape = shape_for(params.bank.tiles * chunks, kStreamingThreads,
                                kStreamingThreads * kTileOutputs * 16);
  shape.grid[1] = params.splits;
  return shape;
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel kernel, const LoadParams<Real>& params) {
  return kernel == Kernel::kLoadOuter ? outer_shape(params.transform, params.count)
                                      : inner_shape(params.transform, params.count);
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel /*kernel*/, const ConvolveParams<Real>& params) {
  return inner_shape(params.forward.transform, params.items);
}

constexpr LaunchShape launch_shape(Kernel /*kernel*/, const CompactParams& params) {
  return shape_for(params.groups, kStreamingThreads);
}

template <class Real>
constexpr LaunchShape launch_shape(Kernel /*kernel*/, const SampleParams<Real>& params) {
  return shape_for(std::uint64_t{params.inputs} * params.piece_frames, kStreamingThreads);
}

/// Shared memory holds the samples and the taps of a step, and then what the lanes of taps have
/// summed for one output and stretch.
template <class Real>
constexpr LaunchShape launch_shape(Kernel kernel, const DirectParams<Real>& params) {
  if (kernel == Kernel::kDirectReduce) {
    return shape_for(std::uint64_t{params.outputs} * params.piece_frames, kStreamingThreads);
  }
  static_assert(kTapLanes * kFrameLanes == kStreamingThreads);
  const std::uint32_t of_step =
      kStepChunks + params.at_once * kTileChunks + params.most_outputs * kStepChunks;
  const std::uint32_t of_lanes = kTapLanes * kTileChunks;
  const std::uint32_t groups = (params.stretches + params.at_once - 1) / params.at_once;
  return {{params.tiles * groups, params.splits, 1},
          kStreamingThreads,
          std::max(of_step, of_lanes) * kChunkBytes};
}

/// RenderParams::ways for outputs of up to `terms` terms: as many groups of threads as the terms
/// and a thread block have room for, so that a short transform's threads need not take all terms
/// one after another.
template <class Real>
constexpr std::uint32_t render_ways(const Transform<Real>& transform, std::uint32_t terms) {
  const std::uint32_t members = transform.batch << (transform.log2_inner - 3);
  std::uint32_t ways = 1;
  while (2 * ways <= terms && 2 * ways * members <= kRenderThreads) ways *= 2;
  return ways;
}

/// The transform of outputs of up to `terms` terms, with as few of them in a thread block as it
/// takes for the most ways: an answer waits for its terms one after another, and few outputs leave
/// most of a device idle. A row of memory is read by 16 neighbouring threads still.
template <class Real>
constexpr Transform<Real> render_transform(Transform<Real> transform, std::uint32_t terms) {
  constexpr std::uint32_t kNeighbours = 16;
  const auto with_half = [](Transform<Real> half) {
    half.batch /= 2;
    return half;
  };
  while (transform.batch > 1 &&
         (transform.batch / 2) << (transform.log2_inner - 3) >= kNeighbours &&
         render_ways(with_half(transform), terms) > render_ways(transform, terms)) {
    transform = with_half(transform);
  }
  return transform;
}

/// Bytes that a bin of a compact response is read with: a multiple, and a scale for every two bins.
inline constexpr std::uint64_t kCompactBinBytes = sizeof(Multiple) + sizeof(Scale) / 2;

/// Bytes of spectra that kAccumulate, and kReduce when there is more than one share, load for
/// `command`: the responses' partitions once, those of the delay line once for each tile that has a
/// use for them, the sum that is added to, and the shares.
template <class Real>
std::uint64_t accumulate_bytes(const LevelCommand& command, std::span<const Tile> tiles,
                               std::span<const Term> terms, std::uint32_t splits, bool compact) {
  std::uint64_t responses = 0;  // spectra
  std::uint64_t others = 0;
  for (const Tile& tile : tiles) {
    for (std::uint32_t t = 0; t < tile.terms; ++t) {
      const auto of_tile =
          terms.subspan(tile.first_term + std::size_t{t} * tile.outputs, tile.outputs);
      for (std::uint32_t range = 0; range < command.ranges; ++range) {
        const Range partitions = command.partitions[range];
        for (std::uint32_t p = partitions.first; p < partitions.last; ++p) {
          const auto wanted = static_cast<std::uint64_t>(
              std::count_if(of_tile.begin(), of_tile.end(), [p](const Term& term) {
                return p >= term.partitions_first && p < term.partitions_last;
              }));
          responses += wanted;
          others += wanted > 0 ? 1 : 0;
        }
      }
    }
    if (command.from != kNone) others += tile.outputs;
    if (splits > 1) others += std::uint64_t{splits} * tile.outputs;
  }
  const std::uint64_t response_bytes = compact ? kCompactBinBytes : sizeof(Complex<Real>);
  return (responses * response_bytes + others * sizeof(Complex<Real>)) *
         (command.bins.last - command.bins.first);
}

}  // namespace firbank::cuda
