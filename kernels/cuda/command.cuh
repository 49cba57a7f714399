// The first and the last kernel of a graph: which command is it, and it is done; and the kernel
// that follows each copy of answers. One thread block each. And how a kernel between them tells
// that its answers are there.
#pragma once

#include <cstdint>

#include "kernels/cuda/context.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

/// Counts the launch and copies its command from the host's ring.
template <class Ctx>
FIRBANK_HD void begin_body(Ctx& ctx, const CommandParams& params) {
  using Word = std::uint64_t;
  static_assert(sizeof(LevelCommand) % sizeof(Word) == 0);
  const std::uint64_t number = ctx.load_coherent(params.taken) + 1;
  const Word* from = reinterpret_cast<const Word*>(params.ring + number % params.commands);
  Word* to = reinterpret_cast<Word*>(params.current);
  const std::uint32_t words = 1 + params.levels * (sizeof(LevelCommand) / sizeof(Word));
  for (std::uint32_t i = ctx.thread(); i < words; i += ctx.threads()) {
    ctx.store(to + i, ctx.load_coherent(from + i));
  }
  ctx.sync();  // everyone has read `taken`
  if (ctx.thread() == 0) ctx.store(params.taken, number);
}

/// Tells the host that nothing of the launch is under way: all kernels before this one are done.
template <class Ctx>
FIRBANK_HD void end_body(Ctx& ctx, const CommandParams& params) {
  if (ctx.thread() != 0) return;
  ctx.store_release(&params.progress->finished, ctx.load(&params.current->number));
}

/// The last thread block to come here tells the host that all frames are in place. Every thread of
/// the grid comes. Behind the barrier one thread's fence is that of its whole thread block: fences
/// also hold for what others have done before it, and each of them empties a first-level cache.
template <class Params, class Ctx>
FIRBANK_HD void tell_rendered(Ctx& ctx, const Params& params) {
  if (params.signals == 0) return;
  ctx.sync();
  if (ctx.thread() != 0) return;
  ctx.fence_system();
  if (ctx.atomic_add(params.done, 1) + 1 != ctx.blocks_x() * ctx.blocks_y()) return;
  ctx.store(params.done, std::uint32_t{0});
  ctx.store_release(&params.progress->rendered, ctx.load(params.number));
}

/// Tells the host that one more answer has come home.
template <class Ctx>
FIRBANK_HD void deliver_body(Ctx& ctx, const DeliverParams& params) {
  if (ctx.thread() != 0) return;
  const std::uint64_t count = ctx.load_coherent(params.count) + 1;
  ctx.store(params.count, count);
  ctx.store_release(&params.progress->delivered, count);
}

}  // namespace firbank::cuda
