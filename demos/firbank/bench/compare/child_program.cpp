#include "demos/firbank/bench/compare/child_program.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demos/firbank/bench/machine/clock.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr int kLookMs = 100;
constexpr std::int64_t kGraceNs = 2'000'000'000;

[[noreturn]] void fail(const std::string& program, const std::string& reason) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", printable(program), reason));
}

/// The reading end of a pipe into which the program writes, and the program.
struct Started {
  pid_t process = 0;
  int output = -1;
};

Started start(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(command[0], std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  Started started;
  const int error = posix_spawnp(&started.process, command[0].c_str(), &actions, nullptr,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  started.output = ends[0];
  if (error != 0) {
    close(ends[0]);
    fail(command[0], fmt::format("it cannot be started: {}", std::strerror(error)));
  }
  return started;
}

int exit_code_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command,
                      const std::function<bool()>& stopped) {
  const Started started = start(command);
  ChildResult result;
  std::int64_t asked_ns = 0;
  std::array<char, 65'536> bytes{};
  for (;;) {
    if (!result.stopped && stopped()) {
      result.stopped = true;
      asked_ns = now_ns();
      kill(started.process, SIGTERM);
    }
    if (result.stopped && now_ns() - asked_ns > kGraceNs) kill(started.process, SIGKILL);
    pollfd look{started.output, POLLIN, 0};
    if (poll(&look, 1, kLookMs) <= 0) continue;
    const ssize_t got = read(started.output, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    result.output.append(bytes.data(), static_cast<std::size_t>(got));
    if (result.output.size() > kMostBytes) {
      kill(started.process, SIGKILL);
      close(started.output);
      exit_code_of(started.process);
      fail(command[0], "it writes more than 64 MiB");
    }
  }
  close(started.output);
  result.exit_code = exit_code_of(started.process);
  return result;
}

}  // namespace firbank::program
