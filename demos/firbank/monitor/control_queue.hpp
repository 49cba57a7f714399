// ControlQueue: what somebody wants changed in a run, handed to the run's own loop and
// answered by it, so that whatever changes a run does so in one place.
//
// Thread:   ask(): any, and waits. serve(): the run's loop. close(): any.
// Realtime: no; no callback comes near it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace firbank::program {

/// Another filter, by its number from 0 on, or by its name.
struct Choose {
  std::optional<std::size_t> index;
  std::string name;
};
struct SetGain {
  double gain_db = 0;  // -120 to 60
};
struct SetBypass {
  bool on = false;
};
struct SetLimiter {
  bool on = false;
};
/// Another backend, by its name.
struct SetBackend {
  std::string name;
};
/// A channel of the input, by its number from 0 on, or by its name: bad, or good again.
struct MarkBad {
  std::optional<std::size_t> channel;
  std::string name;
  bool bad = true;
};
using ControlRequest = std::variant<Choose, SetGain, SetBypass, SetLimiter, SetBackend, MarkBad>;

struct ControlAnswer {
  enum class Outcome {
    kDone,
    kRefused,  // nothing was changed; `why` is one line
    kBusy,     // nobody took it in time, or too many wait: it will not be carried out
    kEnded,    // the run is over
  };
  Outcome outcome = Outcome::kDone;
  std::string why;
};

class ControlQueue {
 public:
  static constexpr std::size_t kMostWaiting = 16;

  /// Waits until the loop has carried it out. After `patience` a request that was not begun is
  /// taken back; one that was begun is waited for.
  ControlAnswer ask(const ControlRequest& request, std::chrono::milliseconds patience);

  /// Carries out what waits, in the order of the questions. What `carry_out` throws is a refusal.
  void serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out);

  /// From now on every request, waiting ones as well, is answered by kEnded.
  void close();

 private:
  struct Waiting {
    const ControlRequest* request;  // of the thread that asks, and waits
    std::optional<ControlAnswer> answer;
  };

  std::mutex mutex_;
  std::condition_variable answered_;
  std::deque<Waiting*> waiting_;
  bool closed_ = false;
};

}  // namespace firbank::program
