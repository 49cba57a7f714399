// Ctrl-C, SIGTERM and SIGHUP: a request to stop that the program looks at between blocks. SIGHUP
// may be a request to read files again instead.
//
// A thread that waits for a standard stream could not look: the first signal turns a watched
// standard input into its end, the second one a watched standard output into nothing. Reads of
// other files end at the first signal, writes fail at the second (io/interruption.hpp).
#pragma once

#include <csignal>

namespace firbank::program {

/// Installs the handlers, but for signals that are ignored already. `answered` requests are only
/// noted; one more ends the program at once. Commands that do not look for requests install none.
void install_interrupt_handlers(int answered);

/// From now on SIGHUP asks for a reload and not for the end, unless it is ignored.
void take_hangups_as_reloads();

/// Whether a reload was asked for since the last call. Thread: one at a time.
bool take_reload_request() noexcept;

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
