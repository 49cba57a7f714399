// QuietStderr: while it lives, what is written to standard error goes nowhere.
//
// PortAudio and what it loads tell what they tried there, whatever came of it; firbank tells what
// matters in a line of its own.
//
// Thread: one at a time; what other threads tell meanwhile is lost as well.
#pragma once

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace firbank::program {

class QuietStderr {
 public:
  QuietStderr() noexcept {
    std::fflush(stderr);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0) return;
    before_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (before_ >= 0) dup2(null, STDERR_FILENO);
    close(null);
  }
  ~QuietStderr() {
    if (before_ < 0) return;
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int before_ = -1;
};

}  // namespace firbank::program
