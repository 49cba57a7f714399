#include "demos/firbank/doctor/wake_up_trials.hpp"

#include <algorithm>
#include <memory>

#include "demos/firbank/bench/latency/paced_loop.hpp"
#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/doctor/latency_request.hpp"

namespace firbank::program {
namespace {

constexpr std::int64_t kPeriodNs = 1'000'000;
constexpr std::int64_t kSpinNs = 300'000;
constexpr const char* kWhat = "wake-up after a sleep until the next millisecond, how late";

const RealTimeRequest kScheduled{.priority = 70, .lock_memory = false, .processor = {}};
const RealTimeRequest kFineTimer{.priority = 0, .lock_memory = false, .processor = {}};

/// A repeat's wake-ups under what `surroundings` makes; what it returns lives as long as they do.
template <class Surroundings>
Repeat wake_ups(const TrialRules& rules, std::int64_t spin_ns, Surroundings surroundings) {
  return [&rules, spin_ns, surroundings](std::vector<double>& values_us) {
    // The first ones see the change of the surroundings itself.
    const auto all =
        static_cast<std::size_t>(std::max<std::int64_t>(rules.repeat_ns / kPeriodNs, 4));
    const std::size_t warm_up = std::clamp<std::size_t>(all / 10, 1, 10);
    std::vector<BlockTimes> times;
    times.reserve(all - warm_up);
    EmptyWork work;
    [[maybe_unused]] const auto lent = surroundings();
    PacedLoop({static_cast<double>(kPeriodNs), spin_ns})
        .run(work, warm_up, all - warm_up, times, [&] { return rules.is_stopped(); });
    for (const BlockTimes& one : times) values_us.push_back(1e-3 * one[BlockStage::kWait]);
  };
}

std::unique_ptr<RealTimeThread> lend(const RealTimeRequest& request) {
  return std::make_unique<RealTimeThread>(request);
}

std::unique_ptr<RealTimeThread> real_time_if_permitted() {
  return is_permitted(kScheduled) ? lend(kScheduled) : nullptr;
}

}  // namespace

std::optional<Trial> try_real_time(const TrialRules& rules) {
  if (!is_permitted(kScheduled)) return std::nullopt;
  return run_trial({kWhat, "the ordinary scheduler", "SCHED_FIFO"},
                   wake_ups(rules, 0, [] { return 0; }),
                   wake_ups(rules, 0, [] { return lend(kScheduled); }), rules);
}

std::optional<Trial> try_timer_slack(const TrialRules& rules) {
  if (!is_permitted(kFineTimer)) return std::nullopt;
  return run_trial({kWhat, "the timer slack as it is", "a slack of 1 ns"},
                   wake_ups(rules, 0, [] { return 0; }),
                   wake_ups(rules, 0, [] { return lend(kFineTimer); }), rules);
}

std::optional<Trial> try_shallow_idle(const TrialRules& rules) {
  if (!LatencyRequest().granted()) return std::nullopt;
  struct Both {
    std::unique_ptr<RealTimeThread> thread = real_time_if_permitted();
    LatencyRequest request;
  };
  return run_trial({kWhat, "idle states as they are", "/dev/cpu_dma_latency held at 0"},
                   wake_ups(rules, 0, real_time_if_permitted),
                   wake_ups(rules, 0, [] { return std::make_unique<Both>(); }), rules);
}

std::optional<Trial> try_spinning(const TrialRules& rules) {
  return run_trial({kWhat, "asleep until then", "awake for the last 0.3 ms"},
                   wake_ups(rules, 0, real_time_if_permitted),
                   wake_ups(rules, kSpinNs, real_time_if_permitted), rules);
}

}  // namespace firbank::program
