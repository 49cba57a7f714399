#include "demos/firbank/bench/throughput/throughput_run.hpp"

#include <algorithm>
#include <memory>
#include <thread>

#include "engine/plan_demand.hpp"

namespace firbank::program {
namespace {

// Of the whole run, for the progress: what comes before the first stretch.
constexpr double kCeilingsShare = 0.2;
constexpr double kWarmUpShare = 0.2;

/// Of the backend that the rows compute on; nothing where that is a device.
std::optional<InstructionSet> instruction_set_of(const ThroughputTrial& trial) {
  for (const InstructionSet set : kInstructionSets) {
    if (trial.backend() == backend_name(set)) return set;
  }
  return std::nullopt;
}

MachineCeilings ceilings_of(InstructionSet set, const ThroughputRow& row,
                            const std::function<void(double)>& progress) {
  CeilingEffort effort;
  // More threads than processors would take turns, and none be slower for the others.
  effort.threads =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, row.config.threads);
  MachineCeilings ceilings = row.double_precision ? measure_ceilings<double>(set, effort, progress)
                                                  : measure_ceilings<float>(set, effort, progress);
  const auto threads = static_cast<double>(ceilings.threads);
  ceilings.peak_flops_per_second /= threads;
  for (ReadCeiling& read : ceilings.reads) read.bytes_per_second /= threads;
  return ceilings;
}

ThroughputResult begin_result(const ThroughputRow& row, const ThroughputTrial& trial) {
  return {.row = row,
          .backend = trial.backend(),
          .instruction_set = trial.instruction_set(),
          .on_cpu = trial.on_cpu(),
          .plan = trial.plan(),
          .floor = trial.floor(),
          .call_frames = trial.call_frames(),
          .taps = PlanDemand(row.config, row.bank, row.routing).taps,
          .stretches = {}};
}

}  // namespace

ThroughputReport run_throughput(const std::vector<ThroughputRow>& rows,
                                const ThroughputEffort& effort,
                                const std::function<bool()>& stopped,
                                const std::function<void(double done)>& progress) {
  ThroughputReport report;
  report.effort = effort;
  std::vector<std::unique_ptr<ThroughputTrial>> trials;
  const double row_share = kWarmUpShare / static_cast<double>(rows.size());
  for (const ThroughputRow& row : rows) {
    if (stopped()) break;
    trials.push_back(make_throughput_trial(row, stopped));
    ThroughputTrial& trial = *trials.back();
    ThroughputResult& result = report.results.emplace_back(begin_result(row, trial));
    result.error = trial.error_against(row.bank);
    if (stopped()) break;
    if (!(result.error <= error_limit(row))) {
      report.wrong = {row.name, result.backend, result.error, error_limit(row)};
      return report;
    }
    trial.warm_up(effort.seconds / static_cast<double>(effort.repeats));
    result.warm_up_frames = trial.warm_up_frames();
    progress(row_share * static_cast<double>(trials.size()));
  }
  if (stopped()) {
    report.interrupted = true;
    return report;
  }
  if (const std::optional<InstructionSet> set = instruction_set_of(*trials.front())) {
    report.ceilings = ceilings_of(
        *set, rows.front(), [&](double done) { progress(kWarmUpShare + kCeilingsShare * done); });
  }
  for (std::size_t round = 0; round < effort.repeats; ++round) {
    for (std::size_t r = 0; r < trials.size() && !stopped(); ++r) {
      const Stretch stretch = trials[r]->measure();
      if (!stopped()) report.results[r].stretches.push_back(stretch);
    }
    const double done = static_cast<double>(round + 1) / static_cast<double>(effort.repeats);
    progress(kWarmUpShare + kCeilingsShare + (1 - kWarmUpShare - kCeilingsShare) * done);
  }
  report.interrupted = stopped();
  return report;
}

}  // namespace firbank::program
