#include "demos/firbank/bench/capacity/capacity_probe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "demos/firbank/bench/latency/stream_work.hpp"
#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/bench/order_statistics.hpp"
#include "demos/firbank/interrupt.hpp"
#include "engine/engine.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kWarmUpBlocks = 16;
// Shares of the limit between which a single p99 does not settle it.
constexpr double kSurelyInTime = 0.8;
constexpr double kSurelyLate = 2;

/// The middle one of three by p99, where the first is near the limit.
CapacityStep settled(const CapacitySearch& search, std::size_t value) {
  const auto measure = [&] {
    CapacityStep step = search.measure(value);
    step.value = value;
    return step;
  };
  std::array<CapacityStep, 3> steps;
  steps[0] = measure();
  const CapacityStep& first = steps[0];
  const double share = first.p99_us / (first.limit_share * first.deadline_us);
  const bool is_settled = share < kSurelyInTime || share > kSurelyLate;
  if (is_settled || search.stopped()) return first;
  steps[1] = measure();
  steps[2] = measure();
  std::sort(steps.begin(), steps.end(),
            [](const CapacityStep& a, const CapacityStep& b) { return a.p99_us < b.p99_us; });
  steps[1].spread = steps[2].p99_us / steps[0].p99_us - 1;
  return steps[1];
}

}  // namespace

CapacityStep measure_step(const EngineConfig& config, const FilterBank& bank,
                          const Routing& routing, const CapacityLimit& limit,
                          const std::function<bool()>& stopped) {
  // Before there are other threads, so that these have the same rights; but each where it likes.
  const RealTimeThread real_time(RealTimeRequest{});
  const auto engine_made = [&] {
    const SignalsForMainThread guard;
    return std::make_unique<Engine>(config, bank, routing);
  }();
  Engine& engine = *engine_made;
  const bool on_cpu = engine.backend().starts_with("cpu");
  const bool by_processor = on_cpu && config.threads == 1;
  CapacityStep step;
  step.limit_share = limit.deadline_share;
  step.deadline_us = 1e6 * static_cast<double>(config.block_frames) / config.sample_rate_hz;
  const auto wanted = static_cast<std::size_t>(1e6 * limit.seconds / step.deadline_us);
  std::vector<BlockTimes> times;
  times.reserve(std::clamp(wanted, CapacityLimit::kLeastBlocks, CapacityLimit::kMostBlocks));
  StreamWork<float> work(engine, config.block_frames, on_cpu ? Drive::kProcess : Drive::kPipeline,
                         {});
  work.fill();
  if (by_processor) {
    RealTimeRequest place;
    place.priority = 0;
    place.lock_memory = false;
    place.processor = last_allowed_processor();
    const RealTimeThread pinned(place);
    // Near its capacity a stream keeps the processor busy, paced or not.
    run_back_to_back(work, CapacityLimit::kLeastBlocks, 4 * limit.seconds, times, stopped);
  } else {
    PacedLoop(Pace{1e3 * step.deadline_us, 0})
        .run(work, kWarmUpBlocks, times.capacity(), times, stopped);
  }
  step.blocks = times.size();
  std::vector<double> counted;
  std::vector<double> clock;
  for (const BlockTimes& block : times) {
    clock.push_back(1e-3 * static_cast<double>(block.work_ns()));
    counted.push_back(by_processor ? 1e-3 * block.cpu_ns : clock.back());
    step.mean_us += counted.back() / static_cast<double>(times.size());
  }
  step.p99_us = quantile(counted, 0.99);
  step.clock_p99_us = quantile(clock, 0.99);
  step.in_time = !times.empty() && step.p99_us <= limit.deadline_share * step.deadline_us;
  return step;
}

std::vector<CapacityStep> find_capacity(const CapacitySearch& search) {
  std::vector<CapacityStep> steps;
  std::size_t in_time = 0;
  std::size_t late = 0;  // the least value that was; 0 while none was
  for (std::size_t value = search.least; !search.stopped();) {
    const CapacityStep step = settled(search, value);
    if (search.stopped()) break;
    steps.push_back(step);
    search.told(step);
    (step.in_time ? in_time : late) = value;
    if (late == 0) {
      if (value == search.most) break;
      value = std::min(2 * value, search.most);
      continue;
    }
    if (late - in_time <= std::max<std::size_t>(1, in_time / 32)) break;
    value = in_time + (late - in_time) / 2;
  }
  return steps;
}

std::size_t capacity_of(const std::vector<CapacityStep>& steps) {
  std::size_t most = 0;
  for (const CapacityStep& step : steps) {
    if (step.in_time) most = std::max(most, step.value);
  }
  return most;
}

}  // namespace firbank::program
