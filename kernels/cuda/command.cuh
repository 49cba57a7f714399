// The first and the last kernel of a graph: which command is it, and it is done. One thread each.
#pragma once

#include <cstdint>

#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

/// Counts the launch and copies its command from the host's ring.
template <class Ctx>
FIRBANK_HD void begin_body(Ctx& ctx, const CommandParams& params) {
  if (ctx.thread() != 0) return;
  const std::uint64_t number = ctx.load_coherent(params.taken) + 1;
  ctx.store(params.current, ctx.load_coherent(params.ring + number % params.commands));
  ctx.store(params.taken, number);
}

/// Tells the host that nothing of the launch is under way: all kernels before this one are done.
template <class Ctx>
FIRBANK_HD void end_body(Ctx& ctx, const CommandParams& params) {
  if (ctx.thread() != 0) return;
  ctx.store_release(&params.progress->finished, ctx.load(&params.current->number));
}

}  // namespace firbank::cuda
