#include "demos/firbank/doctor/sharing_readings.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "demos/firbank/bench/machine/cgroup_paths.hpp"
#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr const char* kStopOthers =
    "see which programs: top. Stop them, or run in real time, which goes before them. Costs: their "
    "work waits";
/// Of shares that are counted in ticks.
constexpr double kPercentSpread = 0.1;

/// How often the group was stopped for having used its quota up, over both versions' files.
std::int64_t times_throttled(const SystemFiles& files) {
  std::int64_t most = 0;
  for (const std::string& group : cgroup_paths(files, "cpu")) {
    const auto all = files.text(group + "/cpu.stat");
    if (!all) continue;
    const auto parts = words(*all);
    const auto name = std::find(parts.begin(), parts.end(), "nr_throttled");
    if (name == parts.end() || name + 1 == parts.end()) continue;
    most = std::max(most, whole_number_of(name[1]).value_or(0));
  }
  return most;
}

}  // namespace

std::optional<ProcessorTicks> processor_ticks(const SystemFiles& files) {
  const auto line = files.line("/proc/stat");
  if (!line) return std::nullopt;
  const auto parts = words(*line);
  // "cpu", then user, nice, system, idle, waiting for a disk, interrupts, soft ones, stolen.
  constexpr std::size_t kKinds = 8;
  if (parts.size() < kKinds + 1 || parts[0] != "cpu") return std::nullopt;
  std::uint64_t ticks[kKinds];
  for (std::size_t n = 0; n < kKinds; ++n) {
    const auto value = whole_number_of(parts[n + 1]);
    if (!value || *value < 0) return std::nullopt;
    ticks[n] = static_cast<std::uint64_t>(*value);
  }
  return ProcessorTicks{ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks[7],
                        ticks[3] + ticks[4]};
}

std::optional<ProcessorTicks> ticks_between(const std::optional<ProcessorTicks>& begin,
                                            const std::optional<ProcessorTicks>& end) {
  if (!begin || !end) return std::nullopt;
  // Idle ticks may go back where processors go.
  if (end->busy < begin->busy || end->stolen < begin->stolen || end->idle < begin->idle) {
    return std::nullopt;
  }
  const ProcessorTicks passed{end->busy - begin->busy, end->stolen - begin->stolen,
                              end->idle - begin->idle};
  constexpr std::uint64_t kLeast = 100;
  return passed.all() >= kLeast ? std::optional(passed) : std::nullopt;
}

double percent_of_others(const ProcessorTicks& meanwhile, double own_seconds) {
  const double own_ticks = own_seconds * static_cast<double>(sysconf(_SC_CLK_TCK));
  const double others = static_cast<double>(meanwhile.busy + meanwhile.stolen) - own_ticks;
  return 100 * std::max(0.0, others) / static_cast<double>(meanwhile.all());
}

Reading hypervisor_reading(const SystemFiles& files) {
  Reading reading("hypervisor", "virtual machine");
  const auto name = hypervisor(files);
  if (!name) return reading;
  if (*name == "none")
    return std::move(reading).good("no: nothing lies between it and the hardware");
  return std::move(reading).costs(
      *name == "unnamed" ? "yes, of a host that does not say what it is" : "yes, " + *name,
      "run on the machine itself; or let the host give each virtual processor one of its own "
      "(virsh vcpupin), and memory in huge pages. Costs: what other guests would have had");
}

Reading stolen_time_reading(const std::optional<ProcessorTicks>& meanwhile) {
  Reading reading("stolen_time", "stolen time");
  if (!meanwhile) return std::move(reading).unknown("too little time passed to tell");
  const double percent =
      100 * static_cast<double>(meanwhile->stolen) / static_cast<double>(meanwhile->all());
  if (meanwhile->stolen == 0) {
    return std::move(reading).good("none was told during the trials; not every host tells");
  }
  const std::string text =
      fmt::format("{}% of the processors' time was the host's, when it was wanted here",
                  rounded(percent, percent < kPercentSpread ? percent : kPercentSpread));
  // A tick here and there is what every host takes.
  if (percent < kPercentSpread) return std::move(reading).good(text);
  return std::move(reading).costs(
      text, "ask whoever runs the host for processors of its own. Costs: what they charge for it");
}

Reading load_reading(const SystemFiles& files) {
  Reading reading("load", "load");
  const auto loads = load_averages(files);
  const auto processors = processors_there(files);
  if (!loads || !processors) return reading;
  const std::string text =
      fmt::format("{} tasks wanted a processor in the last minute, of {}",
                  rounded(loads->front(), 0.1), counted(*processors, "processor"));
  if (loads->front() <= 0.5 * static_cast<double>(*processors)) {
    return std::move(reading).good(text);
  }
  return std::move(reading).costs(text, kStopOthers);
}

Reading pressure_reading(const SystemFiles& files) {
  Reading reading("pressure", "processor pressure");
  const auto percent = processor_pressure_percent(files);
  if (!percent) return reading;
  const std::string text = fmt::format("in {}% of the last 10 s some task waited for a processor",
                                       rounded(*percent, kPercentSpread));
  constexpr double kLittlePercent = 5;
  if (*percent <= kLittlePercent) return std::move(reading).good(text);
  return std::move(reading).costs(text, kStopOthers);
}

Reading cgroup_reading(const SystemFiles& files) {
  Reading reading("cgroup_quota", "quota of the control group");
  const CgroupQuota quota = cgroup_quota(files);
  if (!quota.readable) {
    if (!files.exists("/proc/self/status")) return reading;
    return std::move(reading).absent("no control group limits processor time, as far as is told");
  }
  if (!quota.processors) return std::move(reading).good("none");
  const std::int64_t stops = times_throttled(files);
  return std::move(reading).costs(
      fmt::format(
          "the time of {:.3g} processors; whoever has used it up stands still for the rest "
          "of the period{}",
          *quota.processors,
          stops > 0 ? fmt::format(", {} so far", counted(static_cast<std::uint64_t>(stops), "time"))
                    : ""),
      "lift it: docker update --cpus 0 CONTAINER, or systemctl set-property UNIT CPUQuota=; and "
      "give it processors of its own instead (--cpuset-cpus, AllowedCPUs=). Costs: what the limit "
      "protected");
}

Reading interrupt_reading(const SystemFiles& files) {
  Reading reading("interrupt_balance", "interrupt balancing");
  bool sees_any = false, runs = false;
  for (const std::string& process : files.names("/proc")) {
    if (!whole_number_of(process)) continue;
    const auto name = files.line("/proc/" + process + "/comm");
    sees_any = sees_any || name;
    runs = runs || name == "irqbalance";
  }
  if (!sees_any) return reading;
  if (!runs) return std::move(reading).good("no irqbalance is seen");
  return std::move(reading).costs(
      "irqbalance moves devices' interrupts, also onto the real-time thread's processor",
      "name that processor in IRQBALANCE_BANNED_CPULIST in /etc/default/irqbalance, then as root: "
      "systemctl restart irqbalance. Costs: the others serve the more interrupts");
}

}  // namespace firbank::program
