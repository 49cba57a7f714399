// ProcessIdentity: a process that can be told from a later one with the same number.
//
// Thread: any.  Realtime: no.
#pragma once

#include <cstdint>

namespace firbank {

struct ProcessIdentity {
  std::uint64_t pid = 0;
  std::uint64_t start_time = 0;  // in clock ticks since the machine booted
  std::uint64_t pid_space = 0;   // which numbers these are: containers have their own

  bool operator==(const ProcessIdentity&) const = default;
};

/// This process.
ProcessIdentity own_identity();

enum class Life {
  kAlive,
  kGone,     // no such process, or another one with its number
  kUnknown,  // it counts in a space of its own, or may not be looked at
};

Life look_for(const ProcessIdentity& process);

}  // namespace firbank
