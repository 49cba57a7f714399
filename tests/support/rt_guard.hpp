// RtGuard: proves that a piece of code neither allocates, nor locks, nor calls the system.
//
// Linked into a test program, it stands in for malloc and its family, for pthread's locks and
// condition variables, and has the kernel hand over every system call (Syscall User Dispatch,
// Linux 5.11 and later on x86-64). Within a Scope on the same thread, each of them is counted as a
// violation; elsewhere they pass through. After a trapped system call the rest of its scope runs
// without trapping further ones. Not together with sanitizers, which want the same hooks; under
// RealtimeSanitizer rt_guard_rtsan.cpp takes the place of rt_guard.cpp.
//
// Thread: a Scope guards the thread that opened it; the counts are of all threads together.
#pragma once

#include <string>

namespace firbank::rt_guard {

/// Empty when the guard catches an allocation, a lock and a system call on this machine; otherwise
/// why it cannot be relied on. Tries each of the three; leaves no violations behind.
std::string why_not();

enum class Watch {
  kEverything,
  kMemoryAndLocks,  // system calls pass: for code that may wake another thread
};

class Scope {
 public:
  explicit Scope(Watch watch = Watch::kEverything) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  bool guards_;
};

/// Violations since forget().
long violations() noexcept;

/// What was called first, such as "malloc" or "system call 39", and from where; empty when there
/// was no violation.
std::string first_violation();

void forget() noexcept;

}  // namespace firbank::rt_guard
