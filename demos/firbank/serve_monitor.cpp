#include "demos/firbank/serve_monitor.hpp"

#include <utility>
#include <variant>

namespace firbank::program {

ServeMonitor::ServeMonitor(const MonitorSettings& settings, ServeFacts facts, ServeWatch& watch,
                           std::function<ServeStatus()> status,
                           std::function<ControlAnswer(const MarkBad&)> mark)
    : status_(std::move(status)),
      mark_(std::move(mark)),
      readings_(std::move(facts), watch, status_()),
      monitor_(settings, readings_) {}

void ServeMonitor::attend() {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  monitor_.serve([this](const ControlRequest& request) {
    // Of all changes its readings name this one alone.
    ControlAnswer answer = mark_(std::get<MarkBad>(request));
    // The answer tells how it is by then.
    readings_.publish(status_());
    return answer;
  });
  readings_.publish(status_());
}

}  // namespace firbank::program
