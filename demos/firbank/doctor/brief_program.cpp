#include "demos/firbank/doctor/brief_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace firbank::program {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostBytes = 65'536;

/// Reads until the other end is closed; false when it is not by `end`.
bool read_all(int pipe, Clock::time_point end, std::string& output) {
  std::array<char, 4'096> part;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wait{pipe, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(left));
    if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
    if (ready < 0) continue;
    const ssize_t count = read(pipe, part.data(), part.size());
    if (count == 0) return true;
    if (count < 0 && errno != EINTR) return false;
    if (count > 0 && output.size() < kMostBytes)
      output.append(part.data(), static_cast<std::size_t>(count));
  }
}

/// A program may close its output and stay.
std::optional<int> status_by(pid_t process, Clock::time_point end) {
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (Clock::now() >= end) return std::nullopt;
    poll(nullptr, 0, 1);
  }
}

}  // namespace

std::optional<std::string> output_of(const std::vector<std::string>& arguments,
                                     std::chrono::milliseconds limit) {
  int ends[2];
  if (arguments.empty() || pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
  argv.push_back(nullptr);
  pid_t process = -1;
  const bool started =
      posix_spawnp(&process, argv[0], &actions, nullptr, argv.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);

  std::string output;
  std::optional<int> status;
  if (started) {
    const Clock::time_point end = Clock::now() + limit;
    if (read_all(ends[0], end, output)) status = status_by(process, end);
    if (!status) {
      kill(process, SIGKILL);
      waitpid(process, nullptr, 0);
    }
  }
  close(ends[0]);
  const bool succeeded = status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
  return succeeded ? std::optional(output) : std::nullopt;
}

}  // namespace firbank::program
