#include "demos/firbank/bench/latency/latency_run.hpp"

#include <algorithm>

#include "demos/firbank/bench/order_statistics.hpp"

namespace firbank::program {
namespace {

/// The median of many blocks of nothing, which take what their readings take.
std::uint64_t instrument_cpu_ns() {
  std::vector<BlockTimes> times;
  times.reserve(1'000);
  EmptyWork nothing;
  run_back_to_back(nothing, times.capacity(), 0, times, [] { return false; });
  std::vector<std::uint64_t> values;
  for (const BlockTimes& block : times) values.push_back(block.cpu_ns);
  return quantile(values, 0.5);
}

}  // namespace

std::size_t bytes_of(const LatencyPlan& plan) {
  const std::size_t kinds = plan.with_empty ? 2 : 1;
  return kinds * plan.segments * plan.blocks_per_segment * sizeof(BlockTimes);
}

LatencyRun run_latency(const LatencyPlan& plan, PacedWork& work,
                       const std::function<void(std::size_t)>& told,
                       const std::function<bool()>& stopped) {
  LatencyRun run;
  // Room for all of it beforehand: nothing is allocated while blocks are due.
  run.engine.reserve(plan.segments * plan.blocks_per_segment);
  if (plan.with_empty) run.empty.reserve(plan.segments * plan.blocks_per_segment);
  run.segments.reserve(2 * plan.segments);
  const PacedLoop loop(plan.pace);
  EmptyWork nothing;
  const auto segment = [&](bool empty) {
    told(run.segments.size());
    std::vector<BlockTimes>& times = empty ? run.empty : run.engine;
    const std::size_t first = times.size();
    if (plan.unpaced) {
      run_back_to_back(work, times.capacity(), 0, times, stopped);
      run.segments.push_back({empty, first, times.size() - first});
      run.stopped = stopped();
      return;
    }
    const PacedLoop::End end =
        loop.run(empty ? static_cast<PacedWork&>(nothing) : work, plan.warm_up_blocks,
                 plan.blocks_per_segment, times, stopped);
    run.segments.push_back({empty, first, times.size() - first});
    bool& overloaded = empty ? run.empty_overloaded : run.overloaded;
    overloaded = overloaded || end == PacedLoop::End::kOverloaded;
    run.stopped = run.stopped || end == PacedLoop::End::kStopped;
  };
  const auto goes_on = [&] { return !run.overloaded && !run.empty_overloaded && !run.stopped; };
  for (std::size_t n = 0; n < plan.segments && goes_on(); ++n) {
    segment(false);
    if (plan.with_empty && goes_on()) segment(true);
  }
  run.instrument_cpu_ns = instrument_cpu_ns();
  for (std::vector<BlockTimes>* times : {&run.engine, &run.empty}) {
    for (BlockTimes& block : *times) block.cpu_ns -= std::min(block.cpu_ns, run.instrument_cpu_ns);
  }
  return run;
}

}  // namespace firbank::program
