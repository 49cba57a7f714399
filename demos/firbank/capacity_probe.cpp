#include "demos/firbank/capacity_probe.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "demos/firbank/synthetic.hpp"
#include "engine/engine.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kLeastBlocks = 200;  // for a 99th percentile

/// The same noise in every filter, turned round by some taps: each has spectra of its own.
FilterBank noise_filters(std::size_t filters, std::size_t taps) {
  const std::vector<double> seed = noise(1, taps, 1).front();
  const double scale = 1 / std::sqrt(static_cast<double>(taps));
  std::vector<std::vector<double>> all(filters, std::vector<double>(taps));
  for (std::size_t f = 0; f < filters; ++f) {
    for (std::size_t k = 0; k < taps; ++k) all[f][k] = seed[(k + 7 * f) % taps] * scale;
  }
  return FilterBank(std::move(all));
}

double thread_microseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

double percentile_99(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(values.size())));
  return values[rank - 1];
}

}  // namespace

CapacityStep measure_step(const CapacityConfig& config, std::size_t filters) {
  using Clock = std::chrono::steady_clock;
  EngineConfig engine_config;
  engine_config.sample_rate_hz = config.sample_rate_hz;
  engine_config.block_frames = config.block_frames;
  engine_config.threads = config.threads;
  engine_config.backend = config.backend;
  const SignalsForMainThread guard;
  Engine engine(engine_config, noise_filters(filters, config.taps), Routing::bank(1, filters));

  PlanarBuffer<float> in(1, config.block_frames);
  PlanarBuffer<float> out(filters, config.block_frames);
  const std::vector<double> samples = noise(1, config.block_frames, 2).front();
  std::copy(samples.begin(), samples.end(), in.planes()[0]);
  const std::vector<LevelPlan>& levels = engine.plan().levels;
  const std::size_t longest = levels.empty() ? 0 : levels.back().block_frames;
  const std::size_t filled = (config.taps + 2 * longest) / config.block_frames + 1;
  for (std::size_t n = 0; n < filled; ++n) {
    engine.process(in.planes(), out.planes(), config.block_frames);
  }

  CapacityStep step;
  step.filters = filters;
  step.deadline_us = 1e6 * static_cast<double>(config.block_frames) / config.sample_rate_hz;
  step.blocks =
      std::max(kLeastBlocks, static_cast<std::size_t>(config.seconds * 1e6 / step.deadline_us));
  const bool by_processor = config.threads == 1 && engine.backend().starts_with("cpu");
  std::vector<double> computed;
  std::vector<double> took;
  computed.reserve(step.blocks);
  took.reserve(step.blocks);
  const Clock::time_point begin = Clock::now();
  for (std::size_t n = 0; n < step.blocks; ++n) {
    const Clock::time_point start = Clock::now();
    const double busy_us = thread_microseconds();
    engine.process(in.planes(), out.planes(), config.block_frames);
    computed.push_back(thread_microseconds() - busy_us);
    took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    // A step that is far too late need not be measured to its end.
    const bool is_long = Clock::now() - begin > std::chrono::duration<double>(4 * config.seconds);
    if (is_long && took.size() >= kLeastBlocks) break;
  }
  step.blocks = took.size();
  const std::vector<double>& counted = by_processor ? computed : took;
  for (const double us : counted) step.mean_us += us / static_cast<double>(counted.size());
  step.p99_us = percentile_99(counted);
  step.clock_p99_us = percentile_99(took);
  step.in_time = step.p99_us <= step.deadline_us;
  return step;
}

std::vector<CapacityStep> find_capacity(const CapacityConfig& config,
                                        const std::function<void(const CapacityStep&)>& told,
                                        const std::function<bool()>& stopped) {
  std::vector<CapacityStep> steps;
  std::size_t in_time = 0;
  std::size_t late = 0;  // the fewest filters that were; 0 while none was
  for (std::size_t filters = 1; !stopped();) {
    steps.push_back(measure_step(config, filters));
    told(steps.back());
    (steps.back().in_time ? in_time : late) = filters;
    if (late == 0) {
      if (filters == config.most_filters) break;
      filters = std::min(2 * filters, config.most_filters);
      continue;
    }
    if (late - in_time <= std::max<std::size_t>(1, in_time / 16)) break;
    filters = in_time + (late - in_time) / 2;
  }
  return steps;
}

std::size_t capacity_of(const std::vector<CapacityStep>& steps) {
  std::size_t most = 0;
  for (const CapacityStep& step : steps) {
    if (step.in_time) most = std::max(most, step.filters);
  }
  return most;
}

}  // namespace firbank::program
