#include "tests/support/run_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace firbank::test {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read_end = ends[0];
    write_end = ends[1];
  }
};

void close_once(int& descriptor) {
  if (descriptor >= 0) close(std::exchange(descriptor, -1));
}

void make_non_blocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

/// Appends what can be read now; closes the descriptor at the end.
void drain(int& descriptor, std::string& to) {
  std::array<char, 65'536> buffer{};
  for (;;) {
    const ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got > 0) {
      to.append(buffer.data(), static_cast<std::size_t>(got));
    } else {
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_once(descriptor);
      return;
    }
  }
}

}  // namespace

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, std::string_view input,
                               ProgramStreams streams)
    : left_input_(input), input_stays_open_(streams.input_stays_open) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);

  Pipe in;
  Pipe out;
  Pipe err;
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ == 0) {
    dup2(in.read_end, STDIN_FILENO);
    dup2(out.write_end, STDOUT_FILENO);
    dup2(err.write_end, STDERR_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(in.read_end);
  close(out.write_end);
  close(err.write_end);
  input_ = in.write_end;
  output_ = out.read_end;
  error_ = err.read_end;
  make_non_blocking(input_);
  make_non_blocking(output_);
  make_non_blocking(error_);
  if (streams.output_is_closed) close_once(output_);
}

RunningProgram::~RunningProgram() {
  close_once(input_);
  close_once(output_);
  close_once(error_);
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
}

void RunningProgram::send(int signal) const {
  kill(process_, signal);
}

void RunningProgram::move_data(int timeout_ms) {
  const bool feeding = input_ >= 0 && !left_input_.empty();
  if (input_ >= 0 && left_input_.empty() && !input_stays_open_) close_once(input_);
  std::array<pollfd, 3> polled = {pollfd{feeding ? input_ : -1, POLLOUT, 0},
                                  pollfd{output_, POLLIN, 0}, pollfd{error_, POLLIN, 0}};
  if (poll(polled.data(), polled.size(), timeout_ms) <= 0) return;
  if (polled[0].revents != 0) {
    const ssize_t written = write(input_, left_input_.data(), left_input_.size());
    if (written > 0) left_input_.erase(0, static_cast<std::size_t>(written));
    if (written < 0 && errno != EAGAIN && errno != EINTR) close_once(input_);
  }
  if (polled[1].revents != 0) drain(output_, result_.out);
  if (polled[2].revents != 0) drain(error_, result_.err);
}

bool RunningProgram::has_said(std::string_view text, std::string& so_far) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (error_ >= 0 && result_.err.find(text) == std::string::npos &&
         std::chrono::steady_clock::now() < end) {
    move_data(100);
  }
  so_far = result_.err;
  return so_far.find(text) != std::string::npos;
}

ProgramResult RunningProgram::wait() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  bool killed = false;
  while (output_ >= 0 || error_ >= 0) {
    move_data(100);
    if (!killed && std::chrono::steady_clock::now() > end) {
      kill(process_, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  waitpid(std::exchange(process_, -1), &status, 0);
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  return result_;
}

ProgramResult run_program(const std::vector<std::string>& arguments, std::string_view input,
                          ProgramStreams streams) {
  return RunningProgram(arguments, input, streams).wait();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "firbank-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace firbank::test
