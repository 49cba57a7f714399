// RealTimeThread: lends the calling thread what real-time programs ask the system for, as far as it
// is permitted, and says what was granted and what was not, and why.
//
// Thread:   made and destroyed by the thread that it serves.
// Realtime: no; what runs while it lives is.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace firbank::program {

struct RealTimeRequest {
  int priority = 70;                     // of SCHED_FIFO, 1 to 99; 0: the ordinary scheduler
  bool lock_memory = true;               // mlockall: no page is fetched while it runs
  std::optional<std::size_t> processor;  // to stay on
};

/// What was asked for, and what became of it.
struct Grant {
  std::string what;  // "SCHED_FIFO, priority 70"
  bool granted = false;
  std::string why_not;  // empty where it was
};

/// The last processor that the calling thread may run on: the first ones serve interrupts more
/// often than not.
std::size_t last_allowed_processor();
bool is_allowed_processor(std::size_t processor);

class RealTimeThread {
 public:
  /// Asks for everything, timer slack of 1 ns included, and never fails.
  explicit RealTimeThread(const RealTimeRequest& request);
  /// Gives all of it back.
  ~RealTimeThread();
  RealTimeThread(const RealTimeThread&) = delete;
  RealTimeThread& operator=(const RealTimeThread&) = delete;

  const std::vector<Grant>& grants() const noexcept { return grants_; }

 private:
  void note(std::string what, int error);

  struct Before;  // what is given back
  std::unique_ptr<Before> before_;
  std::vector<Grant> grants_;
};

/// Whether all of it is granted: it is tried, and given back.
bool is_permitted(const RealTimeRequest& request);

}  // namespace firbank::program
