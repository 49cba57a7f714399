// ClientPool: the threads that serve clients, a fixed number of them. A client for whom none will
// be free soon is turned away at once rather than kept waiting.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <httplib.h>

namespace firbank::program {

/// The calling thread does without a real-time priority that the process was given: that is for
/// samples, not for who looks at them.
void leave_real_time() noexcept;

class ClientPool final : public httplib::TaskQueue {
 public:
  /// `waiting` clients may wait for one of `threads` threads.
  ClientPool(std::size_t threads, std::size_t waiting);
  ~ClientPool() override;

  /// Runs `serve` on one of the threads, or at once, in the caller's, where too many wait; it
  /// learns from turns_away() which.
  void enqueue(std::function<void()> serve) override;

  /// Ends the threads, after what waits.
  void shutdown() override;

  /// Whether what runs in this thread is to be turned away.
  static bool turns_away() noexcept;

 private:
  void work();

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace firbank::program
