#include "demos/firbank/doctor/processor_readings.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

struct IdleState {
  std::string name;
  std::int64_t exit_us = 0;
};

/// Of the first processor; they are alike but on machines of big and little ones.
std::optional<IdleState> deepest_idle_state(const SystemFiles& files) {
  const std::string folder = "/sys/devices/system/cpu/cpu0/cpuidle";
  std::optional<IdleState> deepest;
  for (const std::string& state : files.names(folder)) {
    const std::string path = fmt::format("{}/{}", folder, state);
    const auto exit_us = files.number(path + "/latency");
    const auto name = files.line(path + "/name");
    if (!exit_us || !name || *exit_us < 0) continue;
    if (files.number(path + "/disable").value_or(0) != 0) continue;
    if (!deepest || *exit_us > deepest->exit_us) deepest = IdleState{*name, *exit_us};
  }
  return deepest;
}

}  // namespace

Reading governor_reading(const SystemFiles& files) {
  Reading reading("governor", "frequency governor");
  const auto governor = frequency_governor(files);
  if (!governor) {
    if (!files.exists("/sys/devices/system/cpu/cpu0")) return reading;
    return std::move(reading).absent("the kernel sets no frequencies: the hardware or a host does");
  }
  const auto preference =
      files.line("/sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference");
  std::string text =
      fmt::format("{}, of {}", *governor, frequency_driver(files).value_or("an unnamed driver"));
  if (preference) text += fmt::format(", preference {}", *preference);
  // A processor that chooses by itself goes by the preference.
  if (*governor == "performance" || preference == "performance") {
    return std::move(reading).good(text);
  }
  return std::move(reading).costs(
      text,
      "as root: cpupower frequency-set -g performance (package linux-cpupower). Costs: power, and "
      "what fans make of it");
}

Reading idle_reading(const SystemFiles& files, const std::string& request_refused) {
  Reading reading("idle_states", "idle states");
  const auto driver = files.line("/sys/devices/system/cpu/cpuidle/current_driver");
  const auto deepest = deepest_idle_state(files);
  if (!deepest) {
    if (!driver && !files.exists("/sys/devices/system/cpu/cpu0")) return reading;
    return std::move(reading).absent(
        "the kernel chooses no idle states: the hardware or a host does");
  }
  std::string text = fmt::format(
      "the deepest is {}, {} until it is left", deepest->name,
      deepest->exit_us == 0 ? "no time" : duration(1e-6 * static_cast<double>(deepest->exit_us)));
  reading.advice =
      "as root: exec 9>/dev/cpu_dma_latency; printf '\\0\\0\\0\\0' >&9; programs of that shell, "
      "and all "
      "others, have no deeper state until it ends. Costs: power and heat, and with them the "
      "highest "
      "frequencies";
  if (!request_refused.empty()) {
    text += fmt::format("; /dev/cpu_dma_latency: {}", request_refused);
    reading.advice +=
        ". For a group of users: echo 'KERNEL==\"cpu_dma_latency\", GROUP=\"audio\", "
        "MODE=\"0660\"' > /etc/udev/rules.d/99-cpu-dma-latency.rules; udevadm trigger";
  }
  // As long as an interrupt and a change of threads take together.
  constexpr std::int64_t kShortUs = 10;
  if (deepest->exit_us <= kShortUs) return std::move(reading).good(text);
  std::string change = reading.advice;
  return std::move(reading).costs(text, std::move(change));
}

Reading sibling_reading(const SystemFiles& files) {
  Reading reading("siblings", "sibling processors (SMT)");
  const auto control = files.line("/sys/devices/system/cpu/smt/control");
  const auto active = files.number("/sys/devices/system/cpu/smt/active");
  if (!active) return reading;
  if (*active == 0) {
    const bool none = control == "notsupported" || control == "notimplemented";
    if (none) return std::move(reading).absent("no processor shares its core, as far as is told");
    return std::move(reading).good("off: no processor shares its core");
  }
  return std::move(reading).costs(
      "on: two processors share a core's arithmetic, and slow each other down",
      "keep the sibling of the real-time thread's processor idle, or, as root: echo off > "
      "/sys/devices/system/cpu/smt/control. Costs: part of what the machine does in all");
}

Reading isolation_reading(const SystemFiles& files) {
  Reading reading("isolation", "isolated processors");
  const char* const path = "/sys/devices/system/cpu/isolated";
  if (!files.exists(path)) return reading;
  const auto list = files.line(path);
  if (!list) {
    return std::move(reading).absent(
        "none; the kernel's isolcpus=, nohz_full= and irqaffinity= keep one free, for the last "
        "bit");
  }
  const auto numbers = numbers_in_list(*list);
  if (!numbers || numbers->empty()) return reading;
  return std::move(reading).good(
      fmt::format("{}; 'taskset -c {} firbank ...' runs there", *list, numbers->back()));
}

Reading preemption_reading(const SystemFiles& files) {
  Reading reading("preemption", "kernel's preemption");
  const auto built = kernel_preemption(files);
  if (!built) return reading;
  const auto chosen = chosen_word(files, "/sys/kernel/debug/sched/preempt");
  // Before its options are looked at: what the command line of the kernel says goes.
  std::optional<std::string> asked;
  const std::string command_line = files.line("/proc/cmdline").value_or("");
  for (const std::string_view word : words(command_line)) {
    constexpr std::string_view kName = "preempt=";
    if (word.starts_with(kName)) asked = std::string(word.substr(kName.size()));
  }
  const std::string mode = chosen.value_or(asked.value_or(""));
  const std::string text = mode.empty() ? *built : fmt::format("{}, {}", *built, mode);
  const std::string change =
      "boot the kernel with preempt=full, or install one for real time (linux-image-rt-amd64). "
      "Costs: a little of what the machine does in all";
  if (*built == "PREEMPT_RT" || mode == "full") return std::move(reading).good(text);
  if (mode == "none" || mode == "voluntary") return std::move(reading).costs(text, change);
  if (*built == "none") {
    return std::move(reading).costs("the kernel finishes what it does before it lets others run",
                                    change);
  }
  if (*built == "PREEMPT") return std::move(reading).good(text);
  reading.advice = "as root: cat /sys/kernel/debug/sched/preempt; full is what latency wants";
  return std::move(reading).unknown(text + "; in which mode is not told");
}

Reading timer_slack_reading(const SystemFiles& files) {
  Reading reading("timer_slack", "timer slack");
  const auto slack_ns = files.number("/proc/self/timerslack_ns");
  if (!slack_ns || *slack_ns < 0) return reading;
  const std::string text = duration(1e-9 * static_cast<double>(*slack_ns));
  constexpr std::int64_t kLittleNs = 5'000;
  if (*slack_ns <= kLittleNs) return std::move(reading).good(text);
  return std::move(reading).costs(
      text + "; a real-time thread has none",
      "run in real time, or let the thread that sleeps call prctl(PR_SET_TIMERSLACK, 1), as "
      "firbank's own measurements do. Costs: wake-ups that others could have shared");
}

Reading clock_reading(const SystemFiles& files, const ClockFacts& clock) {
  Reading reading("clock", "clock");
  const std::string source = clock_source(files).value_or("of unknown source");
  const std::string text = fmt::format("{}, {} ns a reading", source, rounded(clock.read_ns, 1));
  // A system call, where the clock cannot be read without one, takes this long and longer.
  constexpr double kCheapNs = 150;
  if (clock.read_ns <= kCheapNs) return std::move(reading).good(text);
  const auto others =
      files.line("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  const bool has_tsc = others && source != "tsc" && others->find("tsc") != std::string::npos;
  return std::move(reading).costs(
      text,
      has_tsc
          ? "as root: echo tsc > /sys/devices/system/clocksource/clocksource0/"
            "current_clocksource. Costs: the kernel may have had a reason to leave it: watch "
            "whether the time drifts"
          : "boot on a machine, or under a host, that offers the clock source tsc; or build for "
            "one that reads its clock without a system call");
}

}  // namespace firbank::program
