#include "demos/firbank/monitor/run_monitor.hpp"

#include <fmt/format.h>

#include "demos/firbank/monitor/access.hpp"
#include "demos/firbank/monitor/routes.hpp"
#include "demos/firbank/monitor/server.hpp"

namespace firbank::program {

class RunMonitor::Parts {
 public:
  Parts(const MonitorSettings& settings, MonitoredRun& run, const std::string& token)
      : routes(run, controls, settings.address, token),
        server(routes, settings.address, settings.port.value_or(0)) {}
  ~Parts() {
    // First, as the server's threads may wait for an answer.
    controls.close();
    server.stop();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  ControlQueue controls;
  Routes routes;
  MonitorServer server;
};

RunMonitor::RunMonitor(const MonitorSettings& settings, MonitoredRun& run) {
  const std::string token = settings.token.empty() ? make_token() : settings.token;
  parts_ = std::make_unique<Parts>(settings, run, token);
  const bool is_v6 = settings.address.find(':') != std::string::npos;
  url_ = fmt::format("http://{}{}{}:{}/#{}", is_v6 ? "[" : "", settings.address, is_v6 ? "]" : "",
                     parts_->server.port(), token);
}

RunMonitor::~RunMonitor() = default;

void RunMonitor::serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out) {
  parts_->controls.serve(carry_out);
}

}  // namespace firbank::program
