// The exit codes of the firbank program, as its manual page lists them.
#pragma once

namespace firbank::program {

enum ExitCode : int {
  kExitDone = 0,
  kExitSlower = 1,        // a comparison found something slower than what it was compared with
  kExitUsage = 2,         // bad usage or configuration
  kExitFile = 3,          // an input cannot be read, or an output cannot be written
  kExitLoss = 4,          // it ran, but samples were lost, spoiled or clipped, or are wrong
  kExitUndecided = 5,     // what was to be compared cannot be
  kExitInterrupted = 130  // Ctrl-C, SIGTERM or SIGHUP
};

}  // namespace firbank::program
