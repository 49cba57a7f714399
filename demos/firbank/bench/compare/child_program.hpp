// Runs another program and takes what it writes to standard output.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace firbank::program {

struct ChildResult {
  int exit_code = 0;     // 128 + N when signal N ended it
  std::string output;    // of standard output
  bool stopped = false;  // by us
};

/// `command[0]` is a path, or a name that PATH has; standard error is ours, standard input empty.
/// `stopped` is asked some times a second; once it says yes, the program is asked to end, and two
/// seconds later made to.
/// Throws: Error (kInput) when it cannot be started, or writes more than 64 MiB.
ChildResult run_child(const std::vector<std::string>& command,
                      const std::function<bool()>& stopped);

}  // namespace firbank::program
