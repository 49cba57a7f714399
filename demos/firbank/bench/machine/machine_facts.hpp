// What the system tells of this machine, a fact a function. What it does not tell is none, never a
// guess.
//
// Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "demos/firbank/bench/machine/system_files.hpp"

namespace firbank::program {

/// The numbers in a list as the kernel writes it, "0-3,8"; none where it is no such list. At most
/// 65,536 numbers.
std::optional<std::vector<std::size_t>> numbers_in_list(std::string_view list);

/// "AMD EPYC, family 26, model 2": as much as is told, or what the machine calls itself.
std::string processor_name(const SystemFiles& files);

std::optional<std::size_t> processors_there(const SystemFiles& files);

/// Those that this process may run on.
std::optional<std::size_t> processors_allowed(const SystemFiles& files);

/// How frequencies are chosen, of every policy that there is: "performance", or "performance,
/// powersave" where they differ.
std::optional<std::string> frequency_governor(const SystemFiles& files);
std::optional<std::string> frequency_driver(const SystemFiles& files);

/// The time that the control groups of this process grant it.
struct CgroupQuota {
  bool readable = false;  // whether any group's limit could be read, even if there is none
  std::optional<double>
      processors;  // the least that a group or one above it grants; none: no limit
};
CgroupQuota cgroup_quota(const SystemFiles& files);

/// "Linux 6.1.0-13-amd64".
std::optional<std::string> kernel_release(const SystemFiles& files);

/// "PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT"; "none" where the kernel's version names none.
std::optional<std::string> kernel_preemption(const SystemFiles& files);

/// "none", "KVM", "Xen", "Hyper-V", "QEMU" and so on, or "unnamed".
std::optional<std::string> hypervisor(const SystemFiles& files);

/// Bytes of /proc/meminfo: of "MemTotal", "MemAvailable", "SwapTotal", "SwapFree".
std::optional<std::uint64_t> memory_bytes(const SystemFiles& files, std::string_view name);

/// Tasks that run or want to, over 1, 5 and 15 minutes.
std::optional<std::array<double, 3>> load_averages(const SystemFiles& files);

/// The share of the last 10 s, in percent, in which some task waited for a processor.
std::optional<double> processor_pressure_percent(const SystemFiles& files);

std::optional<std::string> clock_source(const SystemFiles& files);

/// The word in brackets of a file such as "always [madvise] never" or "none (full)".
std::optional<std::string> chosen_word(const SystemFiles& files, std::string_view path);

std::optional<std::string> transparent_huge_pages(const SystemFiles& files);

/// Names of the GPUs that NVIDIA's driver has taken, and its version.
std::vector<std::string> nvidia_gpus(const SystemFiles& files);
std::optional<std::string> nvidia_driver(const SystemFiles& files);

}  // namespace firbank::program
