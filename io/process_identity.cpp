#include "io/process_identity.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace firbank {
namespace {

std::uint64_t own_pid_space() {
  struct stat info {};
  return ::stat("/proc/self/ns/pid", &info) == 0 ? info.st_ino : 0;
}

/// Field 22 of /proc/PID/stat: 0 where nothing of the process is left but its remains; nothing
/// where it cannot be read.
std::optional<std::uint64_t> start_time_of(std::uint64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // The name, in brackets, may hold anything; the state follows as field 3.
  const std::size_t bracket = text.rfind(')');
  if (bracket == text.npos) return std::nullopt;
  std::istringstream fields(text.substr(bracket + 1));
  std::string field;
  if (!(fields >> field)) return std::nullopt;
  if (field == "Z" || field == "X") return 0;
  for (int number = 4; number < 22; ++number) fields >> field;
  std::uint64_t start_time = 0;
  if (!(fields >> start_time)) return std::nullopt;
  return start_time;
}

bool is_there(std::uint64_t pid) {
  constexpr std::uint64_t kMost = std::numeric_limits<pid_t>::max();
  if (pid == 0 || pid > kMost) return false;
  return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

}  // namespace

ProcessIdentity own_identity() {
  const auto pid = static_cast<std::uint64_t>(::getpid());
  return {pid, start_time_of(pid).value_or(0), own_pid_space()};
}

Life look_for(const ProcessIdentity& process) {
  if (process.pid_space != own_pid_space()) return Life::kUnknown;
  if (!is_there(process.pid)) return Life::kGone;
  const auto start_time = start_time_of(process.pid);
  if (!start_time || process.start_time == 0) return Life::kUnknown;
  return *start_time == process.start_time ? Life::kAlive : Life::kGone;
}

}  // namespace firbank
