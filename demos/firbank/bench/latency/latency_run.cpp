#include "demos/firbank/bench/latency/latency_run.hpp"

namespace firbank::program {

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
    run.overloaded = run.overloaded || end == PacedLoop::End::kOverloaded;
    run.stopped = run.stopped || end == PacedLoop::End::kStopped;
  };
  for (std::size_t n = 0; n < plan.segments && !run.overloaded && !run.stopped; ++n) {
    segment(false);
    if (plan.with_empty && !run.overloaded && !run.stopped) segment(true);
  }
  return run;
}

}  // namespace firbank::program
