// RunMonitor: a run's monitor, all of it, as the run's loop sees it: the server, and the changes
// that it was asked for.
//
// Thread:   the run's loop.
// Realtime: no; the run is looked at from threads of the server's own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "demos/firbank/monitor/control_queue.hpp"
#include "demos/firbank/monitor/monitor_settings.hpp"
#include "demos/firbank/monitor/monitored_run.hpp"

namespace firbank::program {

class RunMonitor {
 public:
  /// `run` has to outlive it, and can be asked from now on. Throws: Error when it cannot listen.
  RunMonitor(const MonitorSettings& settings, MonitoredRun& run);
  ~RunMonitor();
  RunMonitor(const RunMonitor&) = delete;
  RunMonitor& operator=(const RunMonitor&) = delete;

  /// Where the page is, with the token: "http://127.0.0.1:8080/#TOKEN".
  const std::string& url() const noexcept { return url_; }

  /// Has `carry_out` do what was asked for since the last call. To be called at least every 100 ms
  /// or so; clients wait for it.
  void serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
  std::string url_;
};

}  // namespace firbank::program
