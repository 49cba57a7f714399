#include "demos/firbank/doctor/rights_readings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

// Of <linux/capability.h>.
constexpr int kMayLockMemory = 14;  // CAP_IPC_LOCK
constexpr int kMaySchedule = 23;    // CAP_SYS_NICE

/// The soft limit of /proc/self/limits: "unlimited" or a number.
std::optional<std::string> soft_limit(const SystemFiles& files, std::string_view name) {
  const auto all = files.text("/proc/self/limits");
  if (!all) return std::nullopt;
  const std::size_t at = all->find(name);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t value = at + name.size();
  const auto parts = words(std::string_view(*all).substr(value, all->find('\n', value) - value));
  if (parts.empty()) return std::nullopt;
  if (parts[0] != "unlimited" && !whole_number_of(parts[0])) return std::nullopt;
  return std::string(parts[0]);
}

bool is_capable(const SystemFiles& files, int capability) {
  const auto set = files.field("/proc/self/status", "CapEff");
  std::uint64_t bits = 0;
  if (!set) return false;
  const auto [end, error] = std::from_chars(set->data(), set->data() + set->size(), bits, 16);
  return error == std::errc() && end == set->data() + set->size() && (bits >> capability & 1) != 0;
}

std::string limits_advice(const std::string& line) {
  return fmt::format(
      "as root: echo '@audio - {}' >> /etc/security/limits.d/audio.conf; usermod -aG audio USER; "
      "then log in again.",
      line);
}

}  // namespace

Reading real_time_right(const SystemFiles& files, const std::optional<Grant>& tried) {
  Reading reading("real_time_right", "right to real time");
  const auto limit = soft_limit(files, "Max realtime priority");
  const bool capable = is_capable(files, kMaySchedule);
  if (!tried && !limit && !capable) return reading;
  const bool permitted = tried ? tried->granted : capable || (limit && *limit != "0");
  if (permitted) {
    const std::string by = capable ? "by CAP_SYS_NICE" : "by RLIMIT_RTPRIO " + limit.value_or("?");
    return std::move(reading).good(fmt::format("SCHED_FIFO is permitted, {}", by));
  }
  const std::string why = tried ? tried->why_not : "no right to it";
  return std::move(reading).costs(
      fmt::format("SCHED_FIFO is refused: {}; RLIMIT_RTPRIO is {}", why, limit.value_or("unknown")),
      limits_advice("rtprio 95") +
          " Costs: a real-time thread that never waits keeps all others off its processor");
}

Reading memory_lock_right(const SystemFiles& files, const std::optional<Grant>& tried) {
  Reading reading("memory_lock_right", "right to lock memory");
  const auto limit = soft_limit(files, "Max locked memory");
  const bool capable = is_capable(files, kMayLockMemory);
  if (!tried && !limit && !capable) return reading;
  if (tried && !tried->granted) {
    return std::move(reading).costs(
        fmt::format("mlockall is refused: {}", tried->why_not),
        limits_advice("memlock unlimited") + " Costs: locked memory is nobody else's");
  }
  if (capable) return std::move(reading).good("mlockall is permitted, by CAP_IPC_LOCK");
  if (limit == "unlimited") return std::move(reading).good("mlockall is permitted, without limit");
  if (!limit) return std::move(reading).good("mlockall is permitted");
  // It is granted now, and then every allocation beyond the limit fails.
  const auto bytes_allowed = static_cast<double>(whole_number_of(*limit).value_or(0));
  return std::move(reading).costs(
      fmt::format("no more than {} may be locked", bytes(bytes_allowed)),
      limits_advice("memlock unlimited") + " Costs: locked memory is nobody else's");
}

Reading real_time_share(const SystemFiles& files) {
  Reading reading("real_time_share", "share of real time");
  const auto runtime = files.number("/proc/sys/kernel/sched_rt_runtime_us");
  const auto period = files.number("/proc/sys/kernel/sched_rt_period_us");
  if (!runtime) return reading;
  if (*runtime < 0) return std::move(reading).good("real-time threads are never stopped");
  if (!period || *period <= 0 || *runtime > *period) return reading;
  const double share = static_cast<double>(*runtime) / static_cast<double>(*period);
  const std::string text = fmt::format("real-time threads may run for {} of each {}",
                                       duration(1e-6 * static_cast<double>(*runtime)),
                                       duration(1e-6 * static_cast<double>(*period)));
  constexpr double kPlenty = 0.9;
  if (share >= kPlenty) return std::move(reading).good(text);
  return std::move(reading).costs(
      text + ", and are stopped for the rest",
      fmt::format("as root: sysctl kernel.sched_rt_runtime_us={}. Costs: a real-time thread that "
                  "never waits leaves others less",
                  *period / 20 * 19));
}

}  // namespace firbank::program
