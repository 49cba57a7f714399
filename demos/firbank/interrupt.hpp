// Ctrl-C, SIGTERM and SIGHUP: a request to stop that the program looks at between blocks.
//
// A thread that waits for a standard stream could not look: the first signal turns a watched
// standard input into its end, the second one a watched standard output into nothing.
#pragma once

#include <csignal>

namespace firbank::program {

/// Installs the handlers, and ignores SIGPIPE, so that a closed pipe is an error of the write.
void install_interrupt_handlers();

/// Which standard streams carry samples.
void watch_standard_streams(bool input, bool output) noexcept;

/// Thread: any.
bool interrupt_requested() noexcept;

/// While it lives, threads that are started do not take these signals, so that they reach the main
/// thread, whose system calls they are to break.
class SignalsForMainThread {
 public:
  SignalsForMainThread();
  ~SignalsForMainThread();
  SignalsForMainThread(const SignalsForMainThread&) = delete;
  SignalsForMainThread& operator=(const SignalsForMainThread&) = delete;

 private:
  sigset_t before_;
};

}  // namespace firbank::program
