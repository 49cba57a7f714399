#include "demos/firbank/monitor/live_monitor.hpp"

#include <utility>

#include <fmt/format.h>

#include "demos/firbank/monitor/access.hpp"
#include "demos/firbank/monitor/server.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {

void MonitorSettings::check() const {
  const auto refuse = [](const std::string& what) { throw Error(ErrorKind::kConfiguration, what); };
  if (!port) {
    if (!token.empty()) refuse("--token needs --monitor");
    return;
  }
  if (!is_number(address) && address != "localhost") {
    refuse(
        fmt::format("--address '{}' is not allowed; a number such as 127.0.0.1 or ::1, and "
                    "localhost, are",
                    one_line(address)));
  }
  if (!is_loopback(address) && token.empty()) {
    refuse(fmt::format("--address {} can be reached from other machines; that needs --token",
                       address));
  }
  if (!token.empty()) check_token(token);
}

class LiveMonitor::Parts {
 public:
  Parts(const MonitorSettings& settings, const LiveSession& session, RunFacts facts,
        const std::string& token)
      : routes(session, board, controls, settings.address, token),
        server(put(board, std::move(facts), routes), settings.address, settings.port.value_or(0)) {}
  ~Parts() {
    // First, as the server's threads may wait for an answer.
    controls.close();
    server.stop();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  FactsBoard board;
  ControlQueue controls;
  Routes routes;
  MonitorServer server;

 private:
  /// The board is filled before anybody can ask.
  static Routes& put(FactsBoard& board, RunFacts facts, Routes& routes) {
    board.put(std::move(facts));
    return routes;
  }
};

std::size_t LiveMonitor::tap_samples(double sample_rate_hz) {
  return SpectrumWatch::samples_needed(sample_rate_hz);
}

LiveMonitor::LiveMonitor(const MonitorSettings& settings, const LiveSession& session,
                         RunFacts facts) {
  const std::string token = settings.token.empty() ? make_token() : settings.token;
  parts_ = std::make_unique<Parts>(settings, session, std::move(facts), token);
  const bool is_v6 = settings.address.find(':') != std::string::npos;
  url_ = fmt::format("http://{}{}{}:{}/#{}", is_v6 ? "[" : "", settings.address, is_v6 ? "]" : "",
                     parts_->server.port(), token);
}

LiveMonitor::~LiveMonitor() = default;

void LiveMonitor::publish(RunFacts facts) {
  parts_->board.put(std::move(facts));
}

void LiveMonitor::serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out) {
  parts_->controls.serve(carry_out);
}

}  // namespace firbank::program
