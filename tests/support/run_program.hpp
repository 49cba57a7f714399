// Running a program as a shell would: arguments and standard input in; exit code and output out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace firbank::test {

struct ProgramResult {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;      // that signal, or 0
  std::string out;
  std::string err;
};

/// Where the program's standard streams go.
struct ProgramStreams {
  bool input_stays_open = false;  // until close_input(); otherwise it ends after the given bytes
  bool output_is_closed = false;  // the reader of its standard output has gone
};

/// A child process with pipes as standard input, output and error. Ends it, by SIGKILL, when it is
/// destroyed before wait(). Thread: one at a time.
class RunningProgram {
 public:
  explicit RunningProgram(const std::vector<std::string>& arguments, std::string_view input = {},
                          ProgramStreams streams = {});
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void send(int signal) const;

  /// Waits until it has written `text` to its standard error; false when it ends before, or two
  /// minutes are over. `so_far` becomes all that it has written there.
  bool has_said(std::string_view text, std::string& so_far);
  pid_t id() const noexcept { return process_; }

  /// Feeds what is left of the input, collects the output, and waits for the end; kills the program
  /// after two minutes.
  ProgramResult wait();

 private:
  void move_data(int timeout_ms);

  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  std::string left_input_;
  bool input_stays_open_ = false;
  ProgramResult result_;
};

ProgramResult run_program(const std::vector<std::string>& arguments, std::string_view input = {},
                          ProgramStreams streams = {});

/// An empty folder that vanishes with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(std::string_view name) const { return (path_ / name).string(); }

  /// Names of what lies in it, sorted.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

}  // namespace firbank::test
