// ServeMonitor: the monitor of a run of `firbank serve`, as the run's loop attends to it.
//
// Thread: the run's loop.
#pragma once

#include <chrono>
#include <functional>

#include "demos/firbank/monitor/run_monitor.hpp"
#include "demos/firbank/monitor/serve_readings.hpp"

namespace firbank::program {

class ServeMonitor {
 public:
  /// `status` tells how the run stands; `mark` marks a channel. `watch` and what they refer to
  /// outlive it. Throws: Error when it cannot listen.
  ServeMonitor(const MonitorSettings& settings, ServeFacts facts, ServeWatch& watch,
               std::function<ServeStatus()> status,
               std::function<ControlAnswer(const MarkBad&)> mark);

  const std::string& url() const noexcept { return monitor_.url(); }

  /// Obeys what was asked for, and tells how it stands; so often, however often it is called.
  void attend();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kInterval{100};

  std::function<ServeStatus()> status_;
  std::function<ControlAnswer(const MarkBad&)> mark_;
  ServeReadings readings_;
  RunMonitor monitor_;  // last, as its threads use the readings
  Clock::time_point next_{};
};

}  // namespace firbank::program
