// Every kernel's body by the kernel's number.
#pragma once

#include "kernels/cuda/command.cuh"
#include "kernels/cuda/compact.cuh"
#include "kernels/cuda/context.hpp"
#include "kernels/cuda/convolve.cuh"
#include "kernels/cuda/direct_form.cuh"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/load.cuh"
#include "kernels/cuda/overlap.cuh"
#include "kernels/cuda/spectral_mac.cuh"

namespace firbank::cuda {

/// `params` is the kernel's structure of kernel_params.hpp.
template <class Real, class Ctx>
FIRBANK_HD void run_body(Kernel kernel, Ctx& ctx, const void* params) {
  switch (kernel) {
    case Kernel::kBegin:
      return begin_body(ctx, *static_cast<const CommandParams*>(params));
    case Kernel::kForwardOuter:
      return forward_outer_body(ctx, *static_cast<const ForwardParams<Real>*>(params));
    case Kernel::kForward:
      return forward_body(ctx, *static_cast<const ForwardParams<Real>*>(params));
    case Kernel::kRender:
      return render_body(ctx, *static_cast<const RenderParams<Real>*>(params));
    case Kernel::kInverseOuter:
      return inverse_outer_body(ctx, *static_cast<const RenderParams<Real>*>(params));
    case Kernel::kAccumulate:
      return accumulate_body(ctx, *static_cast<const AccumulateParams<Real>*>(params));
    case Kernel::kReduce:
      return reduce_body(ctx, *static_cast<const AccumulateParams<Real>*>(params));
    case Kernel::kEnd:
      return end_body(ctx, *static_cast<const CommandParams*>(params));
    case Kernel::kLoadOuter:
      return load_outer_body(ctx, *static_cast<const LoadParams<Real>*>(params));
    case Kernel::kLoad:
      return load_body(ctx, *static_cast<const LoadParams<Real>*>(params));
    case Kernel::kCompact:
      return compact_body(ctx, *static_cast<const CompactParams*>(params));
    case Kernel::kDeliver:
      return deliver_body(ctx, *static_cast<const DeliverParams*>(params));
    case Kernel::kConvolve:
      return convolve_body(ctx, *static_cast<const ConvolveParams<Real>*>(params));
    case Kernel::kListen:
      return listen_body(ctx, *static_cast<const ForwardParams<Real>*>(params));
    case Kernel::kTakeSamples:
      return take_samples_body(ctx, *static_cast<const SampleParams<Real>*>(params));
    case Kernel::kDirect:
      return direct_body(ctx, *static_cast<const DirectParams<Real>*>(params));
    case Kernel::kDirectRows:
      return direct_rows_body(ctx, *static_cast<const DirectParams<Real>*>(params));
    case Kernel::kDirectReduce:
      return direct_reduce_body(ctx, *static_cast<const DirectParams<Real>*>(params));
  }
}

}  // namespace firbank::cuda
