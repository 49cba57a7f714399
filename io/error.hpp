// The one exception type of firbank. Set-up code throws it; the running path never does.
//
// The message is one line that names the offending thing, its value and what is allowed; control
// characters in it, as a file's name may have, stand as \xNN. The kind tells a program which exit
// code fits.
#pragma once

#include <stdexcept>
#include <string>

namespace firbank {

enum class ErrorKind {
  kConfiguration,  // an option, a field or a combination of them is not allowed
  kInput,          // something cannot be read: missing, truncated, corrupt, not understood
  kOutput,         // something cannot be written
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message);

  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace firbank
