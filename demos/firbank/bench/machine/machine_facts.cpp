#include "demos/firbank/bench/machine/machine_facts.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include "demos/firbank/bench/machine/cgroup_paths.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kMostProcessors = 65'536;

std::optional<std::size_t> count_of_list(const std::optional<std::string>& list) {
  if (!list) return std::nullopt;
  const auto numbers = numbers_in_list(*list);
  return numbers && !numbers->empty() ? std::optional(numbers->size()) : std::nullopt;
}

/// What all frequency policies say in their file `name`, without repetition.
std::optional<std::string> of_policies(const SystemFiles& files, std::string_view name) {
  const std::string folder = "/sys/devices/system/cpu/cpufreq";
  std::set<std::string> said;
  for (const std::string& policy : files.names(folder)) {
    if (!policy.starts_with("policy")) continue;
    const auto value = files.line(fmt::format("{}/{}/{}", folder, policy, name));
    if (value) said.insert(*value);
  }
  if (said.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(said, ", "));
}

/// Of version 2: "QUOTA PERIOD" or "max PERIOD". No limit is 0.
std::optional<double> quota_in_cpu_max(const std::optional<std::string>& line) {
  if (!line) return std::nullopt;
  const std::vector<std::string_view> parts = words(*line);
  if (parts.size() != 2) return std::nullopt;
  if (parts[0] == "max") return 0;
  const auto quota = whole_number_of(parts[0]);
  const auto period = whole_number_of(parts[1]);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

/// Of version 1: a quota of -1 is none.
std::optional<double> quota_in_cfs_files(const SystemFiles& files, const std::string& group) {
  const auto quota = files.number(group + "/cpu.cfs_quota_us");
  const auto period = files.number(group + "/cpu.cfs_period_us");
  if (!quota || !period || *quota == 0 || *period <= 0) return std::nullopt;
  return *quota < 0 ? 0 : static_cast<double>(*quota) / static_cast<double>(*period);
}

}  // namespace

std::optional<std::vector<std::size_t>> numbers_in_list(std::string_view list) {
  std::vector<std::size_t> numbers;
  list = trimmed(list);
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    const std::size_t dash = part.find('-');
    const auto first = whole_number_of(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : whole_number_of(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
    if (static_cast<std::uint64_t>(*last - *first) >= kMostProcessors - numbers.size()) {
      return std::nullopt;
    }
    for (std::int64_t n = *first; n <= *last; ++n) numbers.push_back(static_cast<std::size_t>(n));
  }
  return numbers;
}

std::string processor_name(const SystemFiles& files) {
  const char* const path = "/proc/cpuinfo";
  std::string name;
  if (const auto model = files.field(path, "model name")) {
    name = *model;
  } else {
    utsname system{};
    name = uname(&system) == 0 ? system.machine : "unknown";
  }
  // Names say little where a hypervisor gives them.
  const std::pair<const char*, const char*> details[] = {{"cpu family", "family"},
                                                         {"model", "model"},
                                                         {"CPU implementer", "implementer"},
                                                         {"CPU part", "part"}};
  for (const auto& [line, title] : details) {
    if (const auto value = files.field(path, line)) name += fmt::format(", {} {}", title, *value);
  }
  return name.substr(0, SystemFiles::kMostLine);
}

std::optional<std::size_t> processors_there(const SystemFiles& files) {
  return count_of_list(files.line("/sys/devices/system/cpu/online"));
}

std::optional<std::size_t> processors_allowed(const SystemFiles& files) {
  return count_of_list(files.field("/proc/self/status", "Cpus_allowed_list"));
}

std::optional<std::string> frequency_governor(const SystemFiles& files) {
  return of_policies(files, "scaling_governor");
}

std::optional<std::string> frequency_driver(const SystemFiles& files) {
  return of_policies(files, "scaling_driver");
}

CgroupQuota cgroup_quota(const SystemFiles& files) {
  CgroupQuota result;
  const auto note = [&](std::optional<double> processors) {
    if (!processors) return;
    result.readable = true;
    if (*processors > 0) {
      result.processors = std::min(result.processors.value_or(*processors), *processors);
    }
  };
  for (const std::string& group : cgroup_paths(files, "cpu")) {
    note(quota_in_cpu_max(files.line(group + "/cpu.max")));
    note(quota_in_cfs_files(files, group));
  }
  return result;
}

std::optional<std::string> kernel_release(const SystemFiles& files) {
  const auto release = files.line("/proc/sys/kernel/osrelease");
  if (!release) return std::nullopt;
  return fmt::format("{} {}", files.line("/proc/sys/kernel/ostype").value_or("Linux"), *release);
}

std::optional<std::string> kernel_preemption(const SystemFiles& files) {
  const auto version = files.line("/proc/sys/kernel/version");
  if (!version) return std::nullopt;
  for (const std::string_view word : words(*version)) {
    if (word.starts_with("PREEMPT")) return std::string(word);
  }
  return "none";
}

std::optional<std::string> hypervisor(const SystemFiles& files) {
  if (const auto type = files.line("/sys/hypervisor/type")) return *type == "xen" ? "Xen" : *type;
  const auto flags = files.field("/proc/cpuinfo", "flags");
  if (!flags) return std::nullopt;  // only x86 tells by them
  const std::vector<std::string_view> all = words(*flags);
  if (std::find(all.begin(), all.end(), "hypervisor") == all.end()) return "none";
  const auto clocks =
      files.line("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  const std::pair<const char*, const char*> signs[] = {
      {"kvm-clock", "KVM"}, {"hyperv_clocksource", "Hyper-V"}, {"xen", "Xen"}};
  for (const auto& [clock, name] : signs) {
    if (clocks && clocks->find(clock) != std::string::npos) return name;
  }
  return files.line("/sys/class/dmi/id/sys_vendor").value_or("unnamed");
}

std::optional<std::uint64_t> memory_bytes(const SystemFiles& files, std::string_view name) {
  const auto value = files.field("/proc/meminfo", name);
  if (!value) return std::nullopt;
  const std::vector<std::string_view> parts = words(*value);
  if (parts.size() != 2 || parts[1] != "kB") return std::nullopt;
  const auto kibibytes = whole_number_of(parts[0]);
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  if (!kibibytes || *kibibytes < 0 || *kibibytes > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(*kibibytes) * 1024;
}

std::optional<std::array<double, 3>> load_averages(const SystemFiles& files) {
  const auto line = files.line("/proc/loadavg");
  if (!line) return std::nullopt;
  const std::vector<std::string_view> parts = words(*line);
  std::array<double, 3> loads{};
  for (std::size_t n = 0; n < loads.size(); ++n) {
    const auto load = n < parts.size() ? number_of(parts[n]) : std::nullopt;
    if (!load || *load < 0) return std::nullopt;
    loads[n] = *load;
  }
  return loads;
}

std::optional<double> processor_pressure_percent(const SystemFiles& files) {
  const auto line = files.line("/proc/pressure/cpu");
  if (!line) return std::nullopt;
  constexpr std::string_view kName = "avg10=";
  const std::vector<std::string_view> parts = words(*line);
  if (parts.size() < 2 || parts[0] != "some" || !parts[1].starts_with(kName)) return std::nullopt;
  return number_of(parts[1].substr(kName.size()));
}

std::optional<std::string> clock_source(const SystemFiles& files) {
  return files.line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

std::optional<std::string> chosen_word(const SystemFiles& files, std::string_view path) {
  const auto line = files.line(path);
  if (!line) return std::nullopt;
  const std::size_t open = line->find_first_of("[(");
  const std::size_t close = line->find_first_of("])", std::min(open, line->size()));
  if (close == std::string::npos || close - open < 2) return std::nullopt;
  return line->substr(open + 1, close - open - 1);
}

std::optional<std::string> transparent_huge_pages(const SystemFiles& files) {
  return chosen_word(files, "/sys/kernel/mm/transparent_hugepage/enabled");
}

std::vector<std::string> nvidia_gpus(const SystemFiles& files) {
  const std::string folder = "/proc/driver/nvidia/gpus";
  std::vector<std::string> gpus;
  for (const std::string& address : files.names(folder)) {
    const auto model = files.field(fmt::format("{}/{}/information", folder, address), "Model");
    gpus.push_back(model.value_or("NVIDIA, model not told"));
  }
  return gpus;
}

std::optional<std::string> nvidia_driver(const SystemFiles& files) {
  return files.field("/proc/driver/nvidia/version", "NVRM version");
}

}  // namespace firbank::program
