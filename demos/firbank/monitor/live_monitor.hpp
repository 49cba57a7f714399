// LiveMonitor: a live run's monitor, all of it, as the run's loop sees it.
//
// Thread:   the run's loop.
// Realtime: the session's callback is never touched: its readings are lock-free, and what changes
// it
//           is handed to the loop by serve().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "demos/firbank/monitor/control_queue.hpp"
#include "demos/firbank/monitor/run_facts.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

struct MonitorSettings {
  std::optional<int> port = {};       // nothing: no monitor; 0: any that is free
  std::string address = "127.0.0.1";  // a number, or localhost
  std::string token = {};             // for changes; empty: one is made

  /// Throws: Error (kConfiguration) naming the option.
  void check() const;
};

class LiveMonitor {
 public:
  /// For LiveConfig::tap_samples.
  static std::size_t tap_samples(double sample_rate_hz);

  /// `session` has to outlive it. Throws: Error when it cannot listen.
  LiveMonitor(const MonitorSettings& settings, const LiveSession& session, RunFacts facts);
  ~LiveMonitor();
  LiveMonitor(const LiveMonitor&) = delete;
  LiveMonitor& operator=(const LiveMonitor&) = delete;

  /// Where the page is, with the token: "http://127.0.0.1:8080/#TOKEN".
  const std::string& url() const noexcept { return url_; }

  /// What is shown from now on.
  void publish(RunFacts facts);

  /// Has `carry_out` do what was asked for since the last call. To be called at least every 100 ms
  /// or so; clients wait for it.
  void serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
  std::string url_;
};

}  // namespace firbank::program
