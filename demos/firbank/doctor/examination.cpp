#include "demos/firbank/doctor/examination.hpp"

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/doctor/computing_trials.hpp"
#include "demos/firbank/doctor/gpu_readings.hpp"
#include "demos/firbank/doctor/latency_request.hpp"
#include "demos/firbank/doctor/memory_readings.hpp"
#include "demos/firbank/doctor/processor_readings.hpp"
#include "demos/firbank/doctor/program_readings.hpp"
#include "demos/firbank/doctor/rights_readings.hpp"
#include "demos/firbank/doctor/sharing_readings.hpp"
#include "demos/firbank/doctor/wake_up_trials.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kTrials = 7;

/// What came of asking for real time and locked memory.
struct Permitted {
  std::optional<Grant> real_time;
  std::optional<Grant> locked_memory;
};

Permitted ask() {
  Permitted permitted;
  const RealTimeThread thread({});
  for (const Grant& grant : thread.grants()) {
    if (grant.what.starts_with("SCHED")) permitted.real_time = grant;
    if (grant.what.starts_with("mlock")) permitted.locked_memory = grant;
  }
  return permitted;
}

Reading sleep_reading(std::optional<Trial> trial) {
  Reading reading("sleep", "sleep until a block is due");
  if (!trial) return std::move(reading).unknown("not tried");
  const TrialFigure& late = trial->telling();
  const std::string text =
      fmt::format("a thread wakes {} us late ({}), of {} wake-ups",
                  rounded(late.as_it_is_us, late.as_it_is_spread_us),
                  late.quantile > 0.9 ? "99th percentile" : "median", trial->count);
  reading.trial = std::move(trial);
  reading = std::move(reading).costs(
      text,
      "let the thread look at the clock instead for the last part of the wait. Costs: a "
      "processor that is never at rest");
  let_trial_decide(reading);
  return reading;
}

/// Counts the repeats of all trials for the progress, also those of trials that were not made.
class Progress {
 public:
  Progress(const ExaminationPlan& plan, TrialRules& rules)
      : told_(plan.progress), of_each_(2 * plan.rules.repeats) {
    rules.repeat_was_made = [this] { tell(++done_); };
  }
  void trial_ended() { tell(done_ = ++trials_ * of_each_); }

 private:
  void tell(std::size_t done) const {
    if (told_) told_(done, kTrials * of_each_);
  }

  std::function<void(std::size_t, std::size_t)> told_;
  std::size_t of_each_;
  std::size_t trials_ = 0;
  std::size_t done_ = 0;
};

struct Trials {
  std::optional<Trial> real_time, timer_slack, shallow_idle, spinning, locked_memory, huge_pages,
      subnormals;
};

Trials make_trials(const ExaminationPlan& plan) {
  TrialRules rules = plan.rules;
  Progress progress(plan, rules);
  const auto ended = [&](std::optional<Trial> trial) {
    progress.trial_ended();
    return trial;
  };
  Trials made;
  made.real_time = ended(try_real_time(rules));
  made.timer_slack = ended(try_timer_slack(rules));
  made.shallow_idle = ended(try_shallow_idle(rules));
  made.spinning = ended(try_spinning(rules));
  made.locked_memory = ended(try_locked_memory(rules));
  made.huge_pages = ended(try_huge_pages(rules, plan.files));
  made.subnormals = ended(try_subnormals(rules));
  return made;
}

double process_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// What casts doubt on trials that took this long.
void judge(Examination& examination, const std::optional<ProcessorTicks>& meanwhile,
           double own_seconds, bool stopped) {
  if (stopped) {
    examination.usable = false;
    examination.reasons.push_back("stopped before all trials were made");
  }
  if (!meanwhile) {
    examination.reasons.push_back("what other programs did meanwhile is not known");
    return;
  }
  const double percent = percent_of_others(*meanwhile, own_seconds);
  constexpr double kMuch = 50, kSome = 10;
  if (percent <= kSome) return;
  examination.reasons.push_back(
      fmt::format("other programs had {:.0f}% of the processors' time meanwhile{}", percent,
                  percent > kMuch ? ": the figures are of a busy machine" : ""));
  if (percent > kMuch) examination.usable = false;
}

/// What the trials themselves would add to.
struct Before {
  Reading load;
  Reading pressure;
  std::optional<ProcessorTicks> ticks;
};

std::vector<Reading> read_all(const SystemFiles& files, Before before, Trials trials,
                              const std::optional<ProcessorTicks>& meanwhile) {
  const Permitted permitted = ask();
  const auto told = [](Reading reading, std::optional<Trial>& trial) {
    reading.trial = std::move(trial);
    return reading;
  };
  const auto decided = [&](Reading reading, std::optional<Trial>& trial) {
    reading = told(std::move(reading), trial);
    let_trial_decide(reading);
    return reading;
  };
  return {told(real_time_right(files, permitted.real_time), trials.real_time),
          told(memory_lock_right(files, permitted.locked_memory), trials.locked_memory),
          real_time_share(files),
          sleep_reading(std::move(trials.spinning)),
          decided(timer_slack_reading(files), trials.timer_slack),
          decided(idle_reading(files, LatencyRequest().why_not()), trials.shallow_idle),
          governor_reading(files),
          sibling_reading(files),
          isolation_reading(files),
          preemption_reading(files),
          clock_reading(files, measure_clock()),
          told(huge_page_reading(files), trials.huge_pages),
          free_memory_reading(files),
          swap_reading(files),
          hypervisor_reading(files),
          stolen_time_reading(meanwhile),
          cgroup_reading(files),
          std::move(before.load),
          std::move(before.pressure),

          interrupt_reading(files),
          link_reading(files),
          gpu_clock_reading(files, ask_nvidia_smi()),
          told(subnormal_reading(engine_flushes_subnormals()), trials.subnormals),
          build_reading(slow_build())};
}

}  // namespace

Examination examine(const ExaminationPlan& plan) {
  const std::int64_t begin_ns = now_ns();
  const double own_begin = process_seconds();
  Before before{load_reading(plan.files), pressure_reading(plan.files),
                processor_ticks(plan.files)};
  Trials trials = make_trials(plan);
  const auto meanwhile = ticks_between(before.ticks, processor_ticks(plan.files));
  const double own_seconds = process_seconds() - own_begin;
  Examination result;
  judge(result, meanwhile, own_seconds, plan.rules.is_stopped());
  result.readings = read_all(plan.files, std::move(before), std::move(trials), meanwhile);
  sort_readings(result.readings);
  result.seconds = 1e-9 * static_cast<double>(now_ns() - begin_ns);
  return result;
}

void let_trial_decide(Reading& reading) {
  if (!reading.trial) return;
  if (reading.trial->is_worth_it()) {
    reading.state = ReadingState::kCosts;
  } else if (reading.state == ReadingState::kCosts) {
    reading.state = ReadingState::kGood;
  }
}

void sort_readings(std::vector<Reading>& readings) {
  const auto rank = [](ReadingState state) {
    switch (state) {
      case ReadingState::kCosts:
        return 0;
      case ReadingState::kUnknown:
        return 1;
      case ReadingState::kAbsent:
        return 2;
      case ReadingState::kGood:
        return 3;
    }
    return 3;
  };
  const auto saved_us = [](const Reading& one) {
    return one.trial && one.trial->shown() ? one.trial->telling().saved_us() : 0;
  };
  std::stable_sort(readings.begin(), readings.end(), [&](const Reading& a, const Reading& b) {
    if (a.state != b.state) return rank(a.state) < rank(b.state);
    return a.state == ReadingState::kCosts && saved_us(a) > saved_us(b);
  });
}

}  // namespace firbank::program
