// The kernels: a thin entry round each body. Included by the .cu file of each type of values, so
// that the types compile side by side.
#pragma once

#include <cstdint>

#include "kernels/cuda/cuda_context.cuh"
#include "kernels/cuda/kernel_calls.hpp"
#include "kernels/cuda/kernel_entries.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/kernels.cuh"

namespace firbank::cuda {

/// Real is named also where the body does not need it: each type has kernels of its own.
template <Kernel number, class Real, class Params, void (*body)(CudaContext&, const Params&)>
__global__ void __launch_bounds__(most_threads(number, sizeof(Real)), least_blocks(number))
    kernel(const __grid_constant__ Params params) {
  CudaContext context;
  body(context, params);
}

template <class Real>
const void* kernel_entry(std::uint32_t number) {
  using Context = CudaContext;
  const auto entry = [](auto* function) { return reinterpret_cast<const void*>(function); };
  switch (static_cast<Kernel>(number)) {
    case Kernel::kBegin:
      return entry(kernel<Kernel::kBegin, Real, CommandParams, begin_body<Context>>);
    case Kernel::kForwardOuter:
      return entry(kernel<Kernel::kForwardOuter, Real, ForwardParams<Real>,
                          forward_outer_body<Real, Context>>);
    case Kernel::kForward:
      return entry(
          kernel<Kernel::kForward, Real, ForwardParams<Real>, forward_body<Real, Context>>);
    case Kernel::kRender:
      return entry(kernel<Kernel::kRender, Real, RenderParams<Real>, render_body<Real, Context>>);
    case Kernel::kInverseOuter:
      return entry(kernel<Kernel::kInverseOuter, Real, RenderParams<Real>,
                          inverse_outer_body<Real, Context>>);
    case Kernel::kAccumulate:
      return entry(kernel<Kernel::kAccumulate, Real, AccumulateParams<Real>,
                          accumulate_body<Real, Context>>);
    case Kernel::kReduce:
      return entry(
          kernel<Kernel::kReduce, Real, AccumulateParams<Real>, reduce_body<Real, Context>>);
    case Kernel::kEnd:
      return entry(kernel<Kernel::kEnd, Real, CommandParams, end_body<Context>>);
    case Kernel::kLoadOuter:
      return entry(
          kernel<Kernel::kLoadOuter, Real, LoadParams<Real>, load_outer_body<Real, Context>>);
    case Kernel::kLoad:
      return entry(kernel<Kernel::kLoad, Real, LoadParams<Real>, load_body<Real, Context>>);
    case Kernel::kCompact:
      return entry(kernel<Kernel::kCompact, Real, CompactParams, compact_body<Context>>);
    case Kernel::kDeliver:
      return entry(kernel<Kernel::kDeliver, Real, DeliverParams, deliver_body<Context>>);
    case Kernel::kConvolve:
      return entry(
          kernel<Kernel::kConvolve, Real, ConvolveParams<Real>, convolve_body<Real, Context>>);
    case Kernel::kListen:
      return entry(kernel<Kernel::kListen, Real, ForwardParams<Real>, listen_body<Real, Context>>);
    case Kernel::kTakeSamples:
      return entry(
          kernel<Kernel::kTakeSamples, Real, SampleParams<Real>, take_samples_body<Real, Context>>);
    case Kernel::kDirect:
      return entry(kernel<Kernel::kDirect, Real, DirectParams<Real>, direct_body<Real, Context>>);
    case Kernel::kDirectRows:
      return entry(
          kernel<Kernel::kDirectRows, Real, DirectParams<Real>, direct_rows_body<Real, Context>>);
    case Kernel::kDirectReduce:
      return entry(kernel<Kernel::kDirectReduce, Real, DirectParams<Real>,
                          direct_reduce_body<Real, Context>>);
  }
  return nullptr;
}

}  // namespace firbank::cuda
